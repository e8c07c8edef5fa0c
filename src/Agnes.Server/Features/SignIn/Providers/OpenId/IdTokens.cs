using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>
/// Checks ID tokens as OpenID Connect Core 3.1.3.7 says: who signed, for whom, when, and for which sign-in. Signature, issuer, audience and times are the library's; what it leaves to
/// its callers (extensions, the party that it was issued to, nonce, age, subject, a name that stands twice) follows here.
/// </summary>
internal sealed class IdTokens(IssuerDocuments issuers, TimeProvider time)
{
    private const int TokenCharsMax = 32 << 10;
    private const int SubjectCharsMax = 255;

    /// <summary>Two machines' clocks.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>A token for a sign-in that just happened is fresh.</summary>
    private static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(15);

    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = TokenCharsMax };

    /// <summary>Keeps nothing: an issuer's keys change, and sign-ins are rare.</summary>
    private static readonly CryptoProviderFactory Cryptography = new() { CacheSignatureProviders = false };

    /// <returns>The claims.</returns>
    /// <exception cref="SignInRefusedException">Something about it is not right.</exception>
    public async Task<JsonObject> CheckAsync(OpenIdClient client, string token, string nonce, CancellationToken stop)
    {
        var parts = token.Length <= TokenCharsMax ? token.Split('.') : [];
        if (parts.Length != 3 || !parts.All(part => Base64Url.IsValid(part))) throw Refused("is no signed token");
        var header = Parse(parts[0]);
        var claims = Parse(parts[1]);
        var algorithm = Text(header, "alg") ?? throw Refused("names no algorithm");
        if (header["crit"] is not null) throw Refused("asks for extensions that are not known");
        var keys = await issuers.KeysAsync(client, algorithm, Text(header, "kid"), stop);
        var checkedToken = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = IssuerKeys.Algorithms,
            IssuerSigningKeys = keys,
            CryptoProviderFactory = Cryptography,
            ValidIssuers = [client.Issuer, .. client.OtherIssuers],
            ValidAudience = client.ClientId,
            LifetimeValidator = (from, until, _, _) => IsNow(from, until),
            LogValidationExceptions = false,
        });
        if (!checkedToken.IsValid) throw Refused(Reason(checkedToken.Exception), checkedToken.Exception);
        Check(client, claims, nonce);
        return claims;
    }

    private bool IsNow(DateTime? from, DateTime? until)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return until > now - Skew && (from is null || from <= now + Skew);
    }

    private static string Reason(Exception? fault) => fault switch
    {
        SecurityTokenInvalidIssuerException => "is of another issuer",
        SecurityTokenInvalidAudienceException => "is for another client",
        SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException => "is expired, or not valid yet",
        SecurityTokenInvalidSignatureException or SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidAlgorithmException => "is not signed by a key of the issuer",
        _ => "is no signed token",
    };

    private void Check(OpenIdClient client, JsonObject claims, string nonce)
    {
        var now = time.GetUtcNow();
        if (Time(claims, "iat") is not { } issued || issued > now + Skew || issued < now - AgeMax - Skew) throw Refused("was not issued just now");
        var party = Text(claims, "azp");
        if (party is null ? claims["aud"] is JsonArray { Count: > 1 } : party != client.ClientId) throw Refused("was issued to another client");
        var given = Encoding.UTF8.GetBytes(Text(claims, "nonce") ?? "");
        if (!CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(nonce))) throw Refused("belongs to another sign-in");
        if (Text(claims, "sub") is not { Length: > 0 and <= SubjectCharsMax }) throw Refused("names no subject");
    }

    private static JsonObject Parse(string part)
    {
        try
        {
            return JsonNode.Parse(Base64Url.DecodeFromChars(part), documentOptions: IssuerHttp.Parsing) as JsonObject ?? throw Refused("holds no object");
        }
        catch (JsonException fault)
        {
            throw Refused("holds no object", fault);
        }
    }

    public static string? Text(JsonObject claims, string name) => AsText(claims[name]);

    private static string? AsText(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static DateTimeOffset? Time(JsonObject claims, string name)
    {
        if (claims[name] is not JsonValue value || !value.TryGetValue<double>(out var seconds) || seconds is not (> 0 and < 100_000_000_000)) return null;
        return DateTimeOffset.FromUnixTimeSeconds((long)seconds);
    }

    private static SignInRefusedException Refused(string what, Exception? inner = null) => new(SignInRefusedException.Failed, $"The ID token {what}.", inner);
}
