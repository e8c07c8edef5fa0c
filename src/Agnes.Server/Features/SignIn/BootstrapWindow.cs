using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>While nobody can sign in yet, who can read the server's one-time code may make the first admin. Once used, or once somebody can sign in, it is closed for good.</summary>
internal static class BootstrapWindow
{
    public const string TokenHeader = "X-Bootstrap-Token";
    public const string SeedAddedBy = "app.main:seed_admin";
    public const string AddedBy = "auth.bootstrap";
    private const string Flag = "bootstrap_closed";
    private const string CodeFile = ".bootstrap_code";

    /// <summary>Judged from the snapshot; the write looks at the flag as well.</summary>
    public static bool LooksOpen(Snapshot snapshot)
    {
        if (snapshot.GroupByName(Snapshot.AdminGroup) is not { } admins) return false;
        foreach (var id in snapshot.UserIdsOf(admins.Id))
        {
            var untouched = snapshot.User(id) is { PasswordHash: null } && snapshot.MembershipsOf(id).All(row => row.GroupId != admins.Id || row is { Source: Everyone.SeedSource, AddedBy: SeedAddedBy });
            if (!untouched) return false;
        }

        // Asked only while there is no other admin, so at most a handful of users are looked at.
        return snapshot.UsersById.Values.All(user => user.PasswordHash is null);
    }

    /// <summary>Once an admin got in by any way, there is nothing left to bootstrap.</summary>
    public static Task CloseAsync(StateWrite write) =>
        write.ExecuteAsync("INSERT INTO sign_in_flags (name, set_at) VALUES (@Flag, @now) ON CONFLICT (name) DO NOTHING", new { Flag, now = write.Now });

    public static async Task<bool> IsClosedAsync(StateDb state, CancellationToken stop) =>
        !LooksOpen(state.Snapshot) || (await state.ReadAsync<string>("SELECT name FROM sign_in_flags WHERE name = @Flag", new { Flag }, stop)).Count > 0;

    /// <summary>Closes it in this write; false when it was closed already.</summary>
    public static async Task<bool> TryCloseAsync(StateWrite write) => LooksOpen(write.Before)
        && await write.QueryFirstAsync<string>(
            "INSERT INTO sign_in_flags (name, set_at) VALUES (@Flag, @now) ON CONFLICT (name) DO NOTHING RETURNING name", new { Flag, now = write.Now }) is not null;

    /// <summary>
    /// With what only the machine's operator can read, wherever the request comes from: the token of the environment, which is then the only way, else the code of a file that
    /// is there while the window is open.
    /// </summary>
    /// <param name="given">The code that came in the body; null: the header's, where there is one.</param>
    public static bool MayUse(HttpContext context, ServerOptions options, string? given)
    {
        given ??= context.Request.Headers[TokenHeader].ToString();
        return given.Length > 0 && (options.BootstrapToken ?? SecretFile.Read(CodePath(options))) is { } expected && AreEqual(given, expected);
    }

    /// <summary>At the start: the code's file is there exactly while the window is open.</summary>
    /// <returns>Where it is, or null.</returns>
    public static string? KeepCode(ServerOptions options, bool isClosed, ILogger log)
    {
        if (options.BootstrapToken is not null || isClosed)
        {
            DropCode(options);
            return null;
        }

        SecretFile.ReadOrMake(CodePath(options), log);
        return CodePath(options);
    }

    public static void DropCode(ServerOptions options) => File.Delete(CodePath(options));

    private static string CodePath(ServerOptions options) => Path.Combine(options.StateDir, CodeFile);

    private static bool AreEqual(string given, string expected) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected));
}
