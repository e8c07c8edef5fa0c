namespace Agnes.Engine.Limits;

/// <summary>There is not enough room for a write that is known to be big; nothing was written.</summary>
public sealed class DiskSpaceException(string message) : IOException(message);

/// <summary>The one root of everything that may be thrown away when the process that made it is no more.</summary>
public sealed class Scratch
{
    private readonly Func<long>? _reserve;

    /// <summary>What must stay free on the data disk whatever we write, so that the state can always commit.</summary>
    public const long ReserveBytes = 64L << 20;

    /// <summary>Notes about sources that are being read; they are there to outlive the process.</summary>
    public const string AdoptingFolder = "adopting";

    /// <param name="reserve">What else is to stay free; <see cref="ReserveBytes"/> does in any case.</param>
    public Scratch(string root, Func<long>? reserve = null)
    {
        Root = Directory.CreateDirectory(Path.GetFullPath(root)).FullName;
        _reserve = reserve;
    }

    public string Root { get; }

    /// <summary>Part of each name that is made here: whose it is, where several processes share the folder.</summary>
    public string Owner { get; init; } = "";

    /// <summary>Removes what processes left that are no more, except what is to outlive them.</summary>
    /// <param name="isLeft">By the name of an entry, which tells its owner.</param>
    public void Sweep(Func<string, bool> isLeft) => Sweep(Root, name => name != AdoptingFolder && isLeft(name));

    internal static void Sweep(string place, Func<string, bool> isLeft)
    {
        foreach (var entry in new DirectoryInfo(place).EnumerateFileSystemInfos().Where(entry => isLeft(entry.Name)))
        {
            try
            {
                if (entry is DirectoryInfo folder && folder.LinkTarget is null) folder.Delete(recursive: true);
                else entry.Delete();
            }
            catch (IOException) when (IsGone(entry))
            {
                // Another process swept it at the same time.
            }
        }
    }

    /// <summary>A new folder of one's own; removed when disposed, or else by the next sweep.</summary>
    public ScratchFolder NewFolder(string purpose)
    {
        var folder = Path.Combine(Root, NewName(purpose));
        Directory.CreateDirectory(folder);
        return new ScratchFolder(folder);
    }

    /// <summary>A place for one file; the caller creates and deletes it.</summary>
    public string NewFile(string purpose, string extension) => Path.Combine(Root, $"{NewName(purpose)}{extension}");

    /// <summary>What stays free, whatever is written here.</summary>
    public long Reserve => Math.Max(ReserveBytes, _reserve?.Invoke() ?? 0);

    /// <summary>Bytes that may still be written here; none or less: the reserve is all that is left.</summary>
    public long Room => FileSystem.FreeBytes(Root) - Reserve;

    /// <exception cref="DiskSpaceException">Writing so much would leave less than the reserve.</exception>
    public void EnsureFree(long bytes) => EnsureFree(Root, bytes, Reserve);

    /// <inheritdoc cref="EnsureFree(long)"/>
    public static void EnsureFree(string folder, long bytes) => EnsureFree(folder, bytes, ReserveBytes);

    private static bool IsGone(FileSystemInfo entry)
    {
        entry.Refresh();
        return !entry.Exists;
    }

    private string NewName(string purpose) => $"{purpose}-{Owner}{Guid.NewGuid():N}";

    private static void EnsureFree(string folder, long bytes, long reserve)
    {
        var free = FileSystem.FreeBytes(folder);
        if (free < bytes + reserve)
            throw new DiskSpaceException($"Not enough disk space: {bytes >> 20} MiB and a reserve of {reserve >> 20} MiB are needed, {free >> 20} MiB are free. Free some space and run it again.");
    }
}

public sealed class ScratchFolder : IDisposable
{
    internal ScratchFolder(string path) => Path = path;

    public string Path { get; }

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
