using System.Security.Cryptography;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>A session that was issued: its id, its token's text, and from when to when it is good.</summary>
internal sealed record IssuedSession(string Id, string Token, DateTime IssuedAt, DateTime ExpiresAt)
{
    /// <summary>Without the token, which would be the session.</summary>
    public override string ToString() => $"session {Id}";
}

/// <summary>Issues what <see cref="Authenticator"/> accepts.</summary>
internal sealed class SessionTokens(SigningKey key, ServerOptions options, TimeProvider time)
{
    public const string SessionType = "session";
    public const string PersonalType = "pat";
    private const int SessionIdBytes = 16;
    private const int NonceBytes = 16;

    /// <summary>A session of the configured length: 24 hours at most.</summary>
    public IssuedSession Session(UserRow user)
    {
        var instant = time.GetUtcNow();
        var now = instant.ToUnixTimeSeconds();
        var expires = now + (long)options.SignIn.SessionLifetime.TotalSeconds;
        var id = RandomNumberGenerator.GetHexString(SessionIdBytes * 2, lowercase: true);
        var token = Jwt.Sign(key.Bytes, json =>
        {
            json.WriteString("sub", user.Id);
            json.WriteString("email", user.Email);
            json.WriteString("typ", SessionType);
            json.WriteNumber("iat", now);
            json.WriteString("jti", id);
            json.WriteNumber("exp", expires);
            json.WriteNumber("iat_us", instant.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
            json.WriteString("nonce", RandomNumberGenerator.GetHexString(NonceBytes * 2, lowercase: true)); // listed nowhere: who knows the rest, and the key, cannot make the token again
        });
        return new IssuedSession(id, token, new DateTime(instant.Ticks - (instant.Ticks % TimeSpan.TicksPerMicrosecond)), DateTimeOffset.FromUnixTimeSeconds(expires).UtcDateTime);
    }

    /// <summary>A personal access token; its row decides whether it is still good.</summary>
    public string Personal(string userId, string email, string tokenId, string scope, DateTime issued, DateTime? expires) => Jwt.Sign(key.Bytes, json =>
    {
        json.WriteString("sub", userId);
        json.WriteString("email", email);
        json.WriteString("typ", PersonalType);
        json.WriteNumber("iat", Seconds(issued));
        json.WriteString("jti", tokenId);
        if (expires is { } at) json.WriteNumber("exp", Seconds(at));
        json.WriteString("scope", scope);
    });

    private static long Seconds(DateTime utc) => new DateTimeOffset(DateTime.SpecifyKind(utc, DateTimeKind.Utc)).ToUnixTimeSeconds();
}
