using System.Globalization;
using System.Text;
using Agnes.Protocol;

namespace Agnes.Cli.Settings;

/// <summary>Full traces of what should not have happened, for the person who looks into it. Bounded, redacted, without the command's arguments.</summary>
internal static class LastErrorLog
{
    private const long SizeBytesMax = 1 << 20;

    /// <returns>False where the log itself cannot be written; the failure at hand matters more.</returns>
    public static bool TryAppend(ConfigFolder folder, DateTimeOffset at, string context, Exception problem)
    {
        try
        {
            folder.Create();
            var entry = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"=== {at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} {context} ===\n{Redactor.Redact(problem.ToString())}\n"));
            var size = new FileInfo(folder.LastErrorLog) is { Exists: true } existing ? existing.Length : 0;
            if (size > 0 && size + entry.Length > SizeBytesMax) File.Move(folder.LastErrorLog, folder.LastErrorLog + ".old", overwrite: true);
            using var file = new FileStream(folder.LastErrorLog, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            file.Write(entry.AsSpan(0, (int)Math.Min(entry.Length, SizeBytesMax)));
            return true;
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
