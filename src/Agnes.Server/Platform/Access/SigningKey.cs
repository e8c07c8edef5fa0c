using System.Text;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>The key that sessions and tokens are signed with: from the environment, else from a file of the state directory that is made once.</summary>
internal sealed class SigningKey
{
    private const string FileName = ".jwt_secret";
    private const int CharsMin = 32;
    private readonly byte[] _key;

    private SigningKey(byte[] key) => _key = key;

    public ReadOnlySpan<byte> Bytes => _key;

    public static SigningKey Resolve(ServerOptions options, ILogger log)
    {
        var text = options.JwtSecretKey ?? SecretFile.ReadOrMake(Path.Combine(options.StateDir, FileName), log);
        if (text.Length < CharsMin)
        {
            throw new OptionsException($"JWT_SECRET_KEY (or {FileName} in the state directory) must have at least {CharsMin} characters.");
        }

        return new SigningKey(Encoding.UTF8.GetBytes(text));
    }
}
