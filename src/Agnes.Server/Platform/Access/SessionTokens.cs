using System.Security.Cryptography;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>Issues what <see cref="Authenticator"/> accepts.</summary>
internal sealed class SessionTokens(SigningKey key, TimeProvider time)
{
    public const string SessionType = "session";
    public const string PersonalType = "pat";
    private const int SessionIdBytes = 16;

    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>A session of 24 hours.</summary>
    public string Session(UserRow user)
    {
        var instant = time.GetUtcNow();
        var now = instant.ToUnixTimeSeconds();
        return Jwt.Sign(key.Bytes, json =>
        {
            json.WriteString("sub", user.Id);
            json.WriteString("email", user.Email);
            json.WriteString("typ", SessionType);
            json.WriteNumber("iat", now);
            json.WriteString("jti", RandomNumberGenerator.GetHexString(SessionIdBytes * 2, lowercase: true));
            json.WriteNumber("exp", now + (long)Lifetime.TotalSeconds);
            json.WriteNumber("iat_us", instant.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        });
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
