using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>A public key of an issuer: RSA of 2048 bits or more, or the curve P-256.</summary>
internal sealed class IssuerKey
{
    private const int RsaBitsMin = 2048;
    private const int KeysMax = 64;
    private readonly RSAParameters? _rsa;
    private readonly ECParameters? _elliptic;
    private readonly string? _algorithm;

    private IssuerKey(string? id, string? algorithm, RSAParameters? rsa, ECParameters? elliptic) => (Id, _algorithm, _rsa, _elliptic) = (id, algorithm, rsa, elliptic);

    public string? Id { get; }

    /// <summary>Those of the set that we can verify with; others are left out.</summary>
    public static IReadOnlyList<IssuerKey> ReadAll(JsonObject set) =>
        set["keys"] is JsonArray keys ? [.. keys.Take(KeysMax).OfType<JsonObject>().Select(Read).OfType<IssuerKey>()] : throw new IssuerException("The issuer's keys are no key set.");

    /// <summary>Whether a token that names the algorithm may be verified with this key. Never a secret shared with the client, never none.</summary>
    public bool Fits(string algorithm) => (_algorithm is null || _algorithm == algorithm) && algorithm switch
    {
        "RS256" or "PS256" => _rsa is not null,
        "ES256" => _elliptic is not null,
        _ => false,
    };

    public bool Verifies(string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        if (!Fits(algorithm)) return false;
        if (_elliptic is { } curve)
        {
            using var elliptic = ECDsa.Create(curve);
            return elliptic.VerifyData(signed, signature, HashAlgorithmName.SHA256);
        }

        using var rsa = RSA.Create(_rsa!.Value);
        return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    private static IssuerKey? Read(JsonObject key)
    {
        if (Text(key, "use") is { } use && use != "sig") return null;
        var (id, algorithm) = (Text(key, "kid"), Text(key, "alg"));
        switch (Text(key, "kty"))
        {
            case "RSA" when Bytes(key, "n") is { } modulus && Bytes(key, "e") is { } exponent && modulus.Length * 8 >= RsaBitsMin:
                return new IssuerKey(id, algorithm, new RSAParameters { Modulus = modulus, Exponent = exponent }, null);
            case "EC" when Text(key, "crv") == "P-256" && Bytes(key, "x") is { Length: 32 } x && Bytes(key, "y") is { Length: 32 } y:
                return new IssuerKey(id, algorithm, null, new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
            default:
                return null;
        }
    }

    private static string? Text(JsonObject key, string name) => key[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static byte[]? Bytes(JsonObject key, string name) => Text(key, name) is { } text && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
