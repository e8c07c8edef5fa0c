using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Desktop;

/// <summary>What a desktop application signs in with, under a key of its own: it opens no endpoint of the API.</summary>
internal sealed class DesktopTokens(ServerOptions options, TimeProvider time)
{
    public const string Issuer = "data-analyst";
    private const string Type = "desktop";
    private const int IdBytes = 16;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>How long after its end a token can still be exchanged for a new one.</summary>
    private static readonly TimeSpan RefreshedUntil = TimeSpan.FromDays(7);

    public bool IsOffered => options.SignIn.DesktopSecret is not null;

    public string Issue(UserRow user)
    {
        var now = time.GetUtcNow();
        return Jwt.Sign(Key(), json =>
        {
            json.WriteString("sub", user.Id);
            json.WriteString("email", user.Email);
            json.WriteString("typ", Type);
            json.WriteString("iss", Issuer);
            json.WriteString("aud", Type);
            json.WriteString("jti", RandomNumberGenerator.GetHexString(IdBytes * 2, lowercase: true));
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("exp", (now + Lifetime).ToUnixTimeSeconds());
        });
    }

    /// <summary>The user whose token it is, when it is good, or was until a few days ago. Its age counts from when it was issued, whatever end it claims.</summary>
    public TokenClaims? ForRefresh(string token)
    {
        var now = time.GetUtcNow();
        if (Jwt.Verify(Key(), token) is not { Type: Type, ExpiresAt: { } expires } claims || claims.IssuedAt > now.ToUnixTimeSeconds()) return null;
        var ends = Math.Min(expires, claims.IssuedAt + (long)Lifetime.TotalSeconds);
        return ends > (now - RefreshedUntil).ToUnixTimeSeconds() ? claims : null;
    }

    private byte[] Key() => Encoding.UTF8.GetBytes(options.SignIn.DesktopSecret ?? throw new InvalidOperationException("Desktop sign-in is not offered."));
}
