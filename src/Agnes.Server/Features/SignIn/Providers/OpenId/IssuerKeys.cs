using System.Buffers.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>The public keys of an issuer that a token may be verified with: RSA of 2048 bits or more, or the curve P-256.</summary>
internal static class IssuerKeys
{
    private const int RsaBitsMin = 2048;
    private const int KeysMax = 64;

    /// <summary>Never a secret that is shared with the client, never none.</summary>
    public static readonly string[] Algorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256];

    /// <summary>Those of the set that we can verify with; others are left out.</summary>
    public static IReadOnlyList<JsonWebKey> ReadAll(JsonObject set) =>
        set["keys"] is JsonArray keys ? [.. keys.Take(KeysMax).OfType<JsonObject>().Select(Read).OfType<JsonWebKey>()] : throw new IssuerException("The issuer's keys are no key set.");

    /// <summary>Whether a token that names the algorithm may be verified with this key.</summary>
    public static bool Fits(this JsonWebKey key, string algorithm) => (key.Alg is null || key.Alg == algorithm) && algorithm switch
    {
        SecurityAlgorithms.RsaSha256 or SecurityAlgorithms.RsaSsaPssSha256 => key.Kty == JsonWebAlgorithmsKeyTypes.RSA,
        SecurityAlgorithms.EcdsaSha256 => key.Kty == JsonWebAlgorithmsKeyTypes.EllipticCurve,
        _ => false,
    };

    private static JsonWebKey? Read(JsonObject key)
    {
        if (Text(key, "use") is { } use && use != "sig") return null;
        var read = new JsonWebKey { Kty = Text(key, "kty"), Alg = Text(key, "alg") };
        if (Text(key, "kid") is { } id) read.Kid = id;
        switch (read.Kty)
        {
            case JsonWebAlgorithmsKeyTypes.RSA when Bits(key, "n") >= RsaBitsMin && Bits(key, "e") > 0:
                (read.N, read.E) = (Text(key, "n"), Text(key, "e"));
                return read;
            case JsonWebAlgorithmsKeyTypes.EllipticCurve when Text(key, "crv") == JsonWebKeyECTypes.P256 && Bits(key, "x") == 256 && Bits(key, "y") == 256:
                (read.Crv, read.X, read.Y) = (JsonWebKeyECTypes.P256, Text(key, "x"), Text(key, "y"));
                return read;
            default:
                return null;
        }
    }

    private static string? Text(JsonObject key, string name) => key[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static int Bits(JsonObject key, string name) => Text(key, name) is { } text && Base64Url.IsValid(text, out var bytes) ? bytes * 8 : 0;
}
