using System.Security.Cryptography;
using System.Text;

namespace Agnes.Server.Platform.Access;

/// <summary>A random secret in a file of the state directory that nobody else on the machine can read. Made once.</summary>
internal static partial class SecretFile
{
    private const int GeneratedBytes = 32;

    /// <summary>What the file holds, 64 lower-case hex characters where we made it. An empty file is made anew.</summary>
    public static string ReadOrMake(string path, ILogger log) => ReadOrMake(path, () => RandomNumberGenerator.GetHexString(GeneratedBytes * 2, lowercase: true), log);

    /// <param name="make">A secret of another form.</param>
    public static string ReadOrMake(string path, Func<string> make, ILogger log)
    {
        if (Read(path) is { } kept) return kept;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path))
        {
            LogEmpty(log, path);
            File.Delete(path);
        }

        var made = make();
        try
        {
            Write(path, made);
        }
        catch (IOException) when (Read(path) is not null)
        {
            // Another replica on the same state directory was first: its secret is the secret.
            return Read(path)!;
        }

        LogGenerated(log, path);
        return made;
    }

    /// <summary>Takes the place of what was there.</summary>
    public static void WriteAnew(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        Write(path, text);
    }

    private static void Write(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Null when there is none, or it is empty.</summary>
    public static string? Read(string path)
    {
        if (!File.Exists(path)) return null;
        var text = File.ReadAllText(path).Trim();
        return text.Length > 0 ? text : null;
    }

    [LoggerMessage(EventId = 5201, Level = LogLevel.Information, Message = "A new secret was written to {Path}.")]
    private static partial void LogGenerated(ILogger log, string path);

    [LoggerMessage(EventId = 5202, Level = LogLevel.Warning, Message = "The secret file {Path} is empty and is made anew: what was signed with it before is void.")]
    private static partial void LogEmpty(ILogger log, string path);
}
