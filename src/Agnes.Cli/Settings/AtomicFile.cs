using System.Globalization;
using System.Text;

namespace Agnes.Cli.Settings;

/// <summary>Small files that are whole or absent, whatever happens to the program.</summary>
internal static class AtomicFile
{
    private const int ReplaceAttempts = 20;
    private static readonly TimeSpan ReplacePause = TimeSpan.FromMilliseconds(50);

    public static Task WriteTextAsync(string path, string text, CancellationToken cancellation) =>
        WriteAsync(path, Encoding.UTF8.GetBytes(text), ownerOnly: false, cancellation);

    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, bool ownerOnly, CancellationToken cancellation)
    {
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.tmp");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (ownerOnly && !OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            // A leftover, or a link: made anew, nothing is written through it.
            File.Delete(temporary);
            await using (var file = new FileStream(temporary, options))
            {
                await file.WriteAsync(content, cancellation);
                file.Flush(flushToDisk: true);
            }

            await ReplaceAsync(temporary, path, cancellation);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>A small file of its owner's, where nothing can be awaited.</summary>
    public static void WriteOwn(string path, ReadOnlySpan<byte> content)
    {
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.tmp");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Half-written files of processes that were killed.</summary>
    /// <param name="of">The name of the file that was written; in folders of the user's, where other programs have files of such names too.</param>
    public static void RemoveLeftovers(string folder, string of = "*")
    {
        if (!Directory.Exists(folder)) return;
        foreach (var path in Directory.EnumerateFiles(folder, $"{of}.*.tmp").ToList())
        {
            var name = Path.GetFileNameWithoutExtension(path);
            var dot = name.LastIndexOf('.');
            if (dot > 0 && int.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var owner) && !Processes.IsAlive(owner)) File.Delete(path);
        }
    }

    /// <summary>Rename over what is there. Windows refuses while another process has the target open, so it is tried for a second.</summary>
    public static async Task ReplaceAsync(string from, string to, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                File.Move(from, to, overwrite: true);
                return;
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException && OperatingSystem.IsWindows() && attempt < ReplaceAttempts)
            {
                await Task.Delay(ReplacePause, cancellation);
            }
        }
    }
}
