using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>Seals what a browser carries for us between two requests, so that it can neither read nor change it.</summary>
internal sealed class SessionKey
{
    private const string FileName = ".session_secret";
    private const int CharsMin = 32;
    private const int SealedCharsMax = 4096;
    private readonly byte[] _key;

    private SessionKey(byte[] secret, string use) => _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, info: Encoding.UTF8.GetBytes(use));

    public static SessionKey Resolve(ServerOptions options, ILogger log)
    {
        var text = options.SessionSecret ?? SecretFile.ReadOrMake(Path.Combine(options.StateDir, FileName), log);
        if (text.Length < CharsMin) throw new OptionsException($"SESSION_SECRET (or {FileName} in the state directory) must have at least {CharsMin} characters.");
        return new SessionKey(Encoding.UTF8.GetBytes(text), "agnes sign-in state");
    }

    /// <summary>Another key, for what is sealed elsewhere: what one has sealed the other cannot open.</summary>
    public SessionKey For(string use) => new(_key, use);

    /// <summary>Base64url text of AES-GCM: nonce, tag, ciphertext.</summary>
    public string Seal(ReadOnlySpan<byte> value)
    {
        var sealedBytes = new byte[AesGcm.NonceByteSizes.MaxSize + AesGcm.TagByteSizes.MaxSize + value.Length];
        var (nonce, tag, text) = Split(sealedBytes);
        RandomNumberGenerator.Fill(nonce.Span);
        using var aes = new AesGcm(_key, AesGcm.TagByteSizes.MaxSize);
        aes.Encrypt(nonce.Span, value, text.Span, tag.Span);
        return Base64Url.EncodeToString(sealedBytes);
    }

    /// <summary>Null for what was not sealed with this key.</summary>
    public byte[]? Open(string text, int charsMax = SealedCharsMax)
    {
        if (text.Length > charsMax || !Base64Url.IsValid(text)) return null;
        var sealedBytes = Base64Url.DecodeFromChars(text);
        if (sealedBytes.Length < AesGcm.NonceByteSizes.MaxSize + AesGcm.TagByteSizes.MaxSize) return null;
        var (nonce, tag, cipher) = Split(sealedBytes);
        var value = new byte[cipher.Length];
        using var aes = new AesGcm(_key, AesGcm.TagByteSizes.MaxSize);
        try
        {
            aes.Decrypt(nonce.Span, cipher.Span, tag.Span, value);
            return value;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static (Memory<byte> Nonce, Memory<byte> Tag, Memory<byte> Text) Split(byte[] bytes)
    {
        var text = AesGcm.NonceByteSizes.MaxSize + AesGcm.TagByteSizes.MaxSize;
        return (bytes.AsMemory(0, AesGcm.NonceByteSizes.MaxSize), bytes.AsMemory(AesGcm.NonceByteSizes.MaxSize, AesGcm.TagByteSizes.MaxSize), bytes.AsMemory(text));
    }
}
