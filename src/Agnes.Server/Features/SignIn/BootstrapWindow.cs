using System.Net;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Features.Groups;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>While nobody can sign in yet, whoever sits at the machine may make the first admin. Once used, or once somebody can sign in, it is closed for good.</summary>
internal static class BootstrapWindow
{
    public const string TokenHeader = "X-Bootstrap-Token";
    public const string SeedAddedBy = "app.main:seed_admin";
    public const string AddedBy = "auth.bootstrap";
    private const string Flag = "bootstrap_closed";

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

    /// <summary>Closes it in this write; false when it was closed already.</summary>
    public static async Task<bool> TryCloseAsync(StateWrite write) => LooksOpen(write.Before)
        && await write.QueryFirstAsync<string>(
            "INSERT INTO sign_in_flags (name, set_at) VALUES (@Flag, @now) ON CONFLICT (name) DO NOTHING RETURNING name", new { Flag, now = write.Now }) is not null;

    /// <summary>At this machine and not through a proxy or another site's page, or with the operator's token.</summary>
    public static bool MayUse(HttpContext context, ServerOptions options)
    {
        if (options.BootstrapToken is { } expected)
        {
            var given = context.Request.Headers[TokenHeader].ToString();
            return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected));
        }

        var request = context.Request;
        var throughProxy = request.Headers["X-Forwarded-For"].Count + request.Headers["X-Original-For"].Count + request.Headers["Forwarded"].Count + request.Headers.Via.Count > 0;
        var host = request.Host.Host.Trim('[', ']');
        var local = host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var named) && IPAddress.IsLoopback(named));
        return !throughProxy && local && context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
    }
}
