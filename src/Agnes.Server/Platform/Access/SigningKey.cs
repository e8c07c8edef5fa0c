using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>The key that sessions and tokens are signed with: from the environment, else from a file of the state directory that is made once.</summary>
internal sealed partial class SigningKey
{
    private const string FileName = ".jwt_secret";
    private const int CharsMin = 32;
    private const int GeneratedBytes = 32;
    private readonly byte[] _key;

    private SigningKey(byte[] key) => _key = key;

    public ReadOnlySpan<byte> Bytes => _key;

    public static SigningKey Resolve(ServerOptions options, ILogger log)
    {
        var text = options.JwtSecretKey ?? FromFile(Path.Combine(options.StateDir, FileName), log);
        if (text.Length < CharsMin)
        {
            throw new OptionsException($"JWT_SECRET_KEY (or {FileName} in the state directory) must have at least {CharsMin} characters.");
        }

        return new SigningKey(Encoding.UTF8.GetBytes(text));
    }

    private static string FromFile(string path, ILogger log)
    {
        if (Read(path) is { } kept) return kept;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path))
        {
            LogEmpty(log, path);
            File.Delete(path);
        }

        var made = RandomNumberGenerator.GetHexString(GeneratedBytes * 2, lowercase: true);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, options);
            file.Write(Encoding.ASCII.GetBytes(made));
            file.Flush(flushToDisk: true);
        }
        catch (IOException) when (Read(path) is not null)
        {
            // Another replica on the same state directory was first: its key is the key.
            return Read(path)!;
        }

        LogGenerated(log, path);
        return made;
    }

    private static string? Read(string path)
    {
        if (!File.Exists(path)) return null;
        var text = File.ReadAllText(path).Trim();
        return text.Length > 0 ? text : null;
    }

    [LoggerMessage(EventId = 5201, Level = LogLevel.Information, Message = "A new key for sessions and tokens was written to {Path}.")]
    private static partial void LogGenerated(ILogger log, string path);

    [LoggerMessage(EventId = 5202, Level = LogLevel.Warning, Message = "The key file {Path} is empty and is made anew: sessions and tokens from before are void.")]
    private static partial void LogEmpty(ILogger log, string path);
}
