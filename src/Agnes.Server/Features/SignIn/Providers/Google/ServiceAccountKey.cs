using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Providers.OpenId;

namespace Agnes.Server.Features.SignIn.Providers.Google;

/// <summary>A service account with the key that signs for it, as the file that Google hands out has it.</summary>
internal sealed class ServiceAccountKey : IDisposable
{
    private const int FileBytesMax = 64 << 10;
    private readonly RSA _key;
    private readonly string? _keyId;

    private ServiceAccountKey(string email, string? keyId, RSA key) => (Email, _keyId, _key) = (email, keyId, key);

    public string Email { get; }

    /// <returns>Null when the file holds credentials of another kind.</returns>
    /// <exception cref="IssuerException">It cannot be read, or has no usable key. The text names the file, never what is in it.</exception>
    public static ServiceAccountKey? Read(string path)
    {
        JsonObject? file;
        try
        {
            if (new FileInfo(path).Length > FileBytesMax) throw new IssuerException($"{path} is larger than any key.");
            file = JsonNode.Parse(File.ReadAllText(path), documentOptions: IssuerHttp.Parsing) as JsonObject;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new IssuerException($"The key file {path} cannot be read: {fault.GetType().Name}.");
        }

        if (file is null) throw new IssuerException($"{path} holds no credentials.");
        if (IdTokens.Text(file, "type") != "service_account") return null;
        if (IdTokens.Text(file, "client_email") is not { Length: > 0 } email || IdTokens.Text(file, "private_key") is not { } pem) throw new IssuerException($"{path} has no client_email or no private_key.");
        var key = RSA.Create();
        try
        {
            key.ImportFromPem(pem);
            return new ServiceAccountKey(email, IdTokens.Text(file, "private_key_id"), key);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new IssuerException($"The private_key of {path} is no RSA key.");
        }
    }

    /// <summary>A token that says the claims, signed with RS256.</summary>
    public string Sign(JsonObject claims)
    {
        var header = new JsonObject { ["alg"] = "RS256", ["typ"] = "JWT" };
        if (_keyId is not null) header["kid"] = _keyId;
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    public void Dispose() => _key.Dispose();

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
