using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Agnes.Protocol;

/// <summary>
/// What a signature over an archive of the command line says: this version, for this platform, is these bytes. ECDSA on P-256 with SHA-256, so that openssl makes the
/// same. None of the four can be exchanged without the key: not the bytes, not the platform, not the version that stands beside them.
/// </summary>
public static class ReleaseSignature
{
    private const int Base64CharsMax = 512;
    private const int KeyBits = 256;
    private const string FingerprintPrefix = "sha256:";

    /// <summary>Five lines; <c>deploy/sign</c> writes the same.</summary>
    public static byte[] Statement(string version, string rid, string sha256, long size) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"agnes-release 1\nversion={version}\nrid={rid}\nsha256={sha256}\nsize={size}\n"));

    public static string Sign(ECDsa key, ReadOnlySpan<byte> statement) =>
        Convert.ToBase64String(key.SignData(statement, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <param name="publicKey">The key's SubjectPublicKeyInfo in base64.</param>
    /// <param name="signature">In base64. What is no key or no signature fits nothing.</param>
    public static bool Fits(string? publicKey, string? signature, ReadOnlySpan<byte> statement)
    {
        if (publicKey is not { Length: > 0 and <= Base64CharsMax } || signature is not { Length: > 0 and <= Base64CharsMax }) return false;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(publicKey), out _);
            return key.KeySize == KeyBits && key.VerifyData(statement, Convert.FromBase64String(signature), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception problem) when (problem is FormatException or CryptographicException)
        {
            return false;
        }
    }

    public static string PublicKey(ECDsa key) => Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());

    /// <summary>By which people know a key: <c>sha256:</c> and 64 hex characters. Null where it is no base64.</summary>
    public static string? Fingerprint(string? publicKey)
    {
        if (publicKey is not { Length: > 0 and <= Base64CharsMax }) return null;
        var bytes = new byte[Base64CharsMax];
        return Convert.TryFromBase64String(publicKey, bytes, out var length) ? FingerprintPrefix + Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(0, length))) : null;
    }

    public static bool IsFingerprint(string? text) =>
        text?.StartsWith(FingerprintPrefix, StringComparison.Ordinal) == true && Identifiers.IsSha256(text[FingerprintPrefix.Length..]);

    /// <summary>A private key in PEM, as openssl or we write it.</summary>
    /// <exception cref="CryptographicException">It is none on this curve.</exception>
    public static ECDsa ReadPrivateKey(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key.KeySize == KeyBits && key.ExportParameters(includePrivateParameters: true).D is not null ? key : throw new CryptographicException("it is no private key on the curve P-256");
        }
        catch (Exception problem) when (problem is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw problem as CryptographicException ?? new CryptographicException("it holds no PEM of a private key", problem);
        }
    }
}
