using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>What a sign-in that is under way at an issuer remembers: in a sealed cookie, for ten minutes.</summary>
/// <param name="Verifier">Of PKCE.</param>
/// <param name="Next">Where to go on to.</param>
/// <param name="ExpiresAt">Seconds since 1970.</param>
internal sealed record SignInState(string Provider, string State, string Nonce, string Verifier, string? Next, string RedirectUri, long ExpiresAt)
{
    private static readonly OwnCookie Cookie = new("session", "/auth");
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private const int RandomBytes = 32;

    /// <summary>What goes to the issuer in place of the verifier.</summary>
    public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Under which the state is noted as used.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(State)));

    public static SignInState New(string provider, string? next, string redirectUri, TimeProvider time) =>
        new(provider, Random(), Random(), Random(), next, redirectUri, (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds());

    public void Keep(HttpContext context, ServerOptions options, SessionKey key) =>
        Cookie.Set(context, options, key.Seal(JsonSerializer.SerializeToUtf8Bytes(this, SignInStateJson.Default.SignInState)), Lifetime);

    /// <summary>The cookie's state, which the browser loses with it; null when there is none of this provider, or it is too old.</summary>
    public static SignInState? Take(HttpContext context, ServerOptions options, SessionKey key, string provider, TimeProvider time)
    {
        if (Cookie.Read(context, options).Value is not { } text) return null;
        Cookie.Clear(context, options);
        if (key.Open(text) is not { } bytes) return null;
        var state = JsonSerializer.Deserialize(bytes, SignInStateJson.Default.SignInState);
        return state?.Provider == provider && state.ExpiresAt > time.GetUtcNow().ToUnixTimeSeconds() ? state : null;
    }

    public bool Matches(string? state) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(State), Encoding.UTF8.GetBytes(state ?? ""));

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
}

[JsonSerializable(typeof(SignInState))]
internal sealed partial class SignInStateJson : JsonSerializerContext;
