using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Desktop;

internal sealed record DesktopAddress(string Url);

internal sealed record DesktopToken(string Token);

internal sealed record DesktopUnlinked(bool Ok, string Message);

internal sealed record DesktopError(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DesktopAddress))]
[JsonSerializable(typeof(DesktopToken))]
[JsonSerializable(typeof(DesktopUnlinked))]
[JsonSerializable(typeof(DesktopError))]
internal sealed partial class DesktopJson : JsonSerializerContext;

internal static class DesktopEndpoints
{
    private const string UrlScheme = "data-analyst";
    public const int PerMinuteMax = 10;
    private const string NotOffered = "Desktop sign-in is not set up on this server (DESKTOP_JWT_SECRET).";

    public static async Task<IResult> AuthorizeAsync(HttpContext context, StateDb state, DesktopTokens tokens, CancellationToken stop)
    {
        var caller = context.Caller();
        if (!tokens.IsOffered) return Error(StatusCodes.Status503ServiceUnavailable, NotOffered);
        if (caller.Kind == CallerKind.Token) return Problem.Detail(StatusCodes.Status403Forbidden, "Linking a desktop application needs an interactive session, not a PAT.");
        await state.WriteAsync(write => DesktopLinks.LinkAsync(write, caller.UserId), stop);
        context.Response.Headers.CacheControl = "no-store";
        return JsonBody.Of(new DesktopAddress($"{UrlScheme}://auth?token={tokens.Issue(context.Snapshot().User(caller.UserId)!)}"), DesktopJson.Default.DesktopAddress);
    }

    public static async Task<IResult> UnlinkAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var caller = context.Caller();
        return await state.WriteAsync(write => DesktopLinks.UnlinkAsync(write, caller.UserId), stop)
            ? JsonBody.Of(new DesktopUnlinked(true, "Desktop unlinked"), DesktopJson.Default.DesktopUnlinked)
            : Error(StatusCodes.Status400BadRequest, "No desktop is linked");
    }

    /// <summary>Decided anew each time: the person must be active, and the application linked since before the token was issued.</summary>
    public static async Task<IResult> RefreshAsync(HttpContext context, StateDb state, DesktopTokens tokens, RateLimits limits, CancellationToken stop)
    {
        if (!tokens.IsOffered) return Error(StatusCodes.Status503ServiceUnavailable, NotOffered);
        var given = BearerToken.Of(context.Request) ?? "";
        limits.Take(context, given);
        context.Response.Headers.CacheControl = "no-store";
        if (tokens.ForRefresh(given) is not { } claims) return Refused();
        if (!state.IsConfirmed || context.Snapshot().User(claims.Subject) is not { Active: true } user) return Refused();
        if (user.SessionsValidAfter is { } after && claims.IssuedAtTime < after) return Refused();

        // Tokens carry whole seconds.
        if (await DesktopLinks.SinceAsync(state, user.Id, stop) is not { } since || claims.IssuedAtTime < since.AddSeconds(-1)) return Refused();
        return JsonBody.Of(new DesktopToken(tokens.Issue(user)), DesktopJson.Default.DesktopToken);
    }

    private static IResult Refused() => Error(StatusCodes.Status401Unauthorized, "Invalid or expired token");

    private static IResult Error(int status, string error) => JsonBody.Of(new DesktopError(error), DesktopJson.Default.DesktopError, status);
}
