using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>What a link lets its holder do.</summary>
internal enum LinkPurpose
{
    /// <summary>Set the first password of an account.</summary>
    Setup,

    /// <summary>Set another password.</summary>
    Reset,

    /// <summary>Sign in.</summary>
    SignIn,
}

/// <summary>Links that were mailed or handed to a person: one purpose, one use, hashed at rest. The only reader and writer of <c>auth_tokens</c>.</summary>
internal static class PasswordLinks
{
    private const int TokenBytes = 32;
    private static readonly TimeSpan SetupLifetime = TimeSpan.FromDays(7);
    private static readonly TimeSpan ResetLifetime = TimeSpan.FromHours(24);
    private static readonly TimeSpan SignInLifetime = TimeSpan.FromHours(1);

    private const string InsertSql =
        """
        INSERT INTO auth_tokens (id, user_id, purpose, token_sha256, created_at, expires_at)
        VALUES (@id, @userId, @purpose, @hash, @now, @expires)
        """;

    private const string ConsumeSql =
        """
        UPDATE auth_tokens SET consumed_at = @now
        WHERE user_id = @userId AND purpose = @purpose AND token_sha256 = @hash AND consumed_at IS NULL AND expires_at > @now
        RETURNING id
        """;

    /// <summary>A new link's token; it takes the place of older ones of the purpose.</summary>
    public static async Task<string> CreateAsync(StateWrite write, string userId, LinkPurpose purpose)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var expires = write.Now + Lifetime(purpose);
        await write.ExecuteAsync("DELETE FROM auth_tokens WHERE user_id = @userId AND purpose = @purpose", new { userId, purpose = Name(purpose) });
        await write.ExecuteAsync(InsertSql, new { id = write.NewId(), userId, purpose = Name(purpose), hash = Hash(token), now = write.Now, expires });
        return token;
    }

    /// <summary>Whether the token was good; if so, it is not from now on.</summary>
    /// <param name="userId">Null: nobody's, which is looked for as long.</param>
    public static async Task<bool> ConsumeAsync(StateWrite write, string? userId, LinkPurpose purpose, string token) =>
        await write.QueryFirstAsync<string>(ConsumeSql, new { userId = userId ?? "", purpose = Name(purpose), hash = Hash(token), now = write.Now }) is not null;

    /// <summary>All of a user's.</summary>
    public static Task DropAsync(StateWrite write, string userId) => write.ExecuteAsync("DELETE FROM auth_tokens WHERE user_id = @userId", new { userId });

    /// <summary>Those that nobody can use any more.</summary>
    public static Task ForgetAsync(StateWrite write, DateTime old) => write.ExecuteAsync("DELETE FROM auth_tokens WHERE expires_at < @old", new { old });

    public const string AnyOldSql = "SELECT count(*) FROM auth_tokens WHERE expires_at < @old";

    public static string Address(ServerOptions options, HttpContext context, LinkPurpose purpose, string email, string token) =>
        Address(PublicAddress.Of(options, context), purpose, email, token);

    /// <param name="next">Where to go on to; null: nowhere in particular.</param>
    public static string Address(string server, LinkPurpose purpose, string email, string token, string? next = null) =>
        $"{server}{Path(purpose)}?email={Uri.EscapeDataString(email)}&token={token}{(next is null ? "" : $"&next={Uri.EscapeDataString(next)}")}";

    private static string Path(LinkPurpose purpose) => purpose == LinkPurpose.SignIn ? "/auth/email/verify" : $"/auth/password/{Name(purpose)}";

    private static TimeSpan Lifetime(LinkPurpose purpose) => purpose switch
    {
        LinkPurpose.Setup => SetupLifetime,
        LinkPurpose.Reset => ResetLifetime,
        _ => SignInLifetime,
    };

    private static string Name(LinkPurpose purpose) => purpose switch
    {
        LinkPurpose.Setup => "setup",
        LinkPurpose.Reset => "reset",
        _ => "sign_in",
    };

    private static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
