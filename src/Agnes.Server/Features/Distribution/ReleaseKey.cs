using System.Security.Cryptography;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Distribution;

/// <summary>
/// The operator's own key: it signs archives that came without a signature of their publisher. Laptops pin it when they first meet this server, so that whoever takes the
/// server's place, or its address, cannot give them another program.
/// </summary>
internal sealed class ReleaseKey(ServerOptions options, ILogger<ReleaseKey> log) : IDisposable
{
    private const string FileName = ".release_key.pem";
    private readonly Lock _gate = new();
    private ECDsa? _key;

    /// <summary>In base64.</summary>
    public string Public
    {
        get
        {
            lock (_gate) return ReleaseSignature.PublicKey(Key());
        }
    }

    public string Sign(ReadOnlySpan<byte> statement)
    {
        lock (_gate) return ReleaseSignature.Sign(Key(), statement);
    }

    /// <summary>A key that the operator names must be one, and is looked at when the server starts.</summary>
    /// <exception cref="OptionsException">It is not.</exception>
    public void Check()
    {
        if (options.ReleaseKeyFile is null) return;
        lock (_gate) Key();
    }

    public void Dispose()
    {
        lock (_gate) _key?.Dispose();
    }

    private ECDsa Key()
    {
        if (_key is not null) return _key;
        var path = options.ReleaseKeyFile ?? Path.Combine(options.StateDir, FileName);
        try
        {
            return _key = ReleaseSignature.ReadPrivateKey(options.ReleaseKeyFile is null ? SecretFile.ReadOrMake(path, Make, log) : File.ReadAllText(path));
        }
        catch (Exception problem) when (problem is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new OptionsException($"The release key {path} cannot be used: {problem.Message.TrimEnd('.')}. Make one: openssl ecparam -name prime256v1 -genkey -noout -out {Path.GetFileName(path)}");
        }
    }

    private static string Make()
    {
        using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return made.ExportPkcs8PrivateKeyPem();
    }
}
