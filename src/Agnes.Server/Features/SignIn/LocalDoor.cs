using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.SignIn;

/// <summary>
/// The way into local development: an address that is another one at each start, shown at the terminal and kept in a file that only the developer can read. Whoever opens it
/// gets the developer's session; everybody else is a guest, wherever they come from.
/// </summary>
internal sealed class LocalDoor(ServerOptions options)
{
    public const string Route = "/auth/local/{secret}";

    /// <summary>How such a session began: see <see cref="SessionRow.Method"/>.</summary>
    public const string Method = "local";
    private const string FileName = ".local_address";
    private const int SecretBytes = 32;
    private readonly string _secret = RandomNumberGenerator.GetHexString(SecretBytes * 2, lowercase: true);

    public string Path => $"/auth/local/{_secret}";

    /// <summary>At the start; the file of the start before is gone, and with it what it opened.</summary>
    /// <returns>Where the address is.</returns>
    public async Task<string> ShowAsync()
    {
        var address = $"{options.Urls.Split(';')[0].TrimEnd('/')}{Path}";
        var file = System.IO.Path.Combine(options.StateDir, FileName);
        SecretFile.WriteAnew(file, address);
        if (!Console.IsOutputRedirected) await Console.Out.WriteLineAsync($"{Environment.NewLine}  Local development: {address}{Environment.NewLine}");
        return file;
    }

    public static async Task<IResult> OpenAsync(HttpContext context, LocalDoor door, SessionBegin sessions, AuditLog audit, ServerOptions options, string secret)
    {
        if (options.LocalDevelopment is not { } local || !door.Opens(secret) || context.Snapshot().UserByEmail(local.Email) is not { Active: true } user) return Fallback.Answer(context);
        await sessions.SetCookieAsync(context, user, Method);
        await audit.AppendAsync(user.Id, "login", PasswordCheck.Resource, new JsonObject { ["provider"] = Method }, cancellation: context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Redirect(options.HomeRoute);
    }

    private bool Opens(string secret) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(_secret));
}
