using System.Globalization;
using Agnes.Engine.Limits;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>
/// Says up to where of the journal the documents are surely on disk. They are not flushed one by one, so a machine that crashes, unlike a process that ends, may lose the
/// last of them: when it has begun anew, what came since is folded again (docs/decisions/0397).
/// </summary>
/// <param name="path">Of the mark's own file.</param>
internal sealed class FlushedMark(string path)
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>Names the time since the machine began, equal for all processes of it. Empty: it cannot be told here, and nothing is folded again.</summary>
    public static string ThisBoot { get; } = File.Exists(BootFile) ? File.ReadAllText(BootFile).Trim() : "";

    /// <param name="folded">What state says.</param>
    /// <returns>From where to fold; less where the machine began anew since the mark was written.</returns>
    public long Begin(long folded)
    {
        if (ThisBoot.Length == 0 || !File.Exists(path)) return folded;
        var said = File.ReadAllText(path).Split(' ');
        if (said is not [var then, var text] || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position)) return 0;
        return then == ThisBoot ? folded : Math.Min(folded, position);
    }

    /// <summary>Flushes the disk, and notes that everything before a position is on it. Takes as long as the disk does.</summary>
    /// <exception cref="IOException">It is not noted.</exception>
    public void Save(long folded)
    {
        if (ThisBoot.Length == 0) return;
        FileSystem.FlushDisk(Path.GetDirectoryName(path)!);
        var finished = path + ".tmp";
        File.WriteAllText(finished, string.Create(CultureInfo.InvariantCulture, $"{ThisBoot} {folded}"));
        FileSystem.Replace(finished, path);
    }
}
