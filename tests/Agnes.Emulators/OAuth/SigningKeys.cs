using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.OAuth;

/// <summary>The issuer's keys: one RSA and one elliptic, and one that it never publishes. Made once for all issuers of a test run.</summary>
internal static class SigningKeys
{
    public const string RsaId = "rsa-1";
    public const string EllipticId = "ec-1";
    private static readonly Lazy<RSA> Rsa = new(() => RSA.Create(2048));
    private static readonly Lazy<ECDsa> Elliptic = new(() => ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private static readonly Lazy<RSA> Foreign = new(() => RSA.Create(2048));

    public static JsonObject Document()
    {
        var rsa = Rsa.Value.ExportParameters(includePrivateParameters: false);
        var elliptic = Elliptic.Value.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["keys"] = new JsonArray(
                new JsonObject { ["kty"] = "RSA", ["use"] = "sig", ["alg"] = "RS256", ["kid"] = RsaId, ["n"] = Base64Url.EncodeToString(rsa.Modulus), ["e"] = Base64Url.EncodeToString(rsa.Exponent) },
                new JsonObject { ["kty"] = "EC", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = EllipticId, ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(elliptic.Q.X), ["y"] = Base64Url.EncodeToString(elliptic.Q.Y) },
                new JsonObject { ["kty"] = "OKP", ["use"] = "sig", ["alg"] = "EdDSA", ["kid"] = "okp-1", ["crv"] = "Ed25519", ["x"] = "AAAA" }),
        };
    }

    /// <param name="algorithm">RS256 or ES256.</param>
    public static string Sign(JsonObject claims, string algorithm, Lie lie, string clientSecret)
    {
        var (alg, kid) = lie switch
        {
            Lie.AlgNone => ("none", RsaId),
            Lie.SignedWithClientSecret => ("HS256", RsaId),
            _ => (algorithm, algorithm == "ES256" ? EllipticId : RsaId),
        };
        var text = $"{Encode(new JsonObject { ["alg"] = alg, ["kid"] = kid, ["typ"] = "JWT" })}.{Encode(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        byte[] signature = (lie, alg) switch
        {
            (Lie.AlgNone, _) => [],
            (Lie.SignedWithClientSecret, _) => HMACSHA256.HashData(Encoding.UTF8.GetBytes(clientSecret), bytes),
            (Lie.WrongSignature, _) => Foreign.Value.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            (_, "ES256") => Elliptic.Value.SignData(bytes, HashAlgorithmName.SHA256),
            _ => Rsa.Value.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        };
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(JsonObject value) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(value.ToJsonString()));
}
