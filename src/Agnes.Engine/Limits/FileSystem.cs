using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Agnes.Engine.Limits;

/// <summary>Durable file operations: what has returned is on disk, name included.</summary>
public static class FileSystem
{
    /// <summary>Makes the content of a closed file durable.</summary>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            Flush(path, Libc.OpenReadOnly); // the file may be another program's and read-only, with a name of ours
            return;
        }
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Makes the names in a folder durable. Windows and macOS do so by themselves, or offer no way.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsLinux()) Flush(folder, Libc.OpenReadOnly | Libc.OpenDirectory);
    }

    /// <summary>
    /// Makes what was written to an open file durable, and of what is known about it only what finding that takes. Where nothing was added to its end, that is less than
    /// half of the work of a whole flush, and waits for no other file.
    /// </summary>
    public static void FlushData(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) RandomAccess.FlushToDisk(file);
        else if (Libc.SyncData(file) != 0) throw Failure("Cannot flush a file");
    }

    /// <summary>Makes everything durable that was written to the disk a folder is on. Linux only; others offer no way.</summary>
    public static void FlushDisk(string folder)
    {
        if (OperatingSystem.IsLinux()) Flush(folder, Libc.OpenReadOnly | Libc.OpenDirectory, Libc.SyncFileSystem);
    }

    /// <summary>Replaces <paramref name="target"/> by a finished file: flush, rename, flush the folder.</summary>
    public static void Replace(string finished, string target)
    {
        Flush(finished);
        File.Move(finished, target, overwrite: true);
        FlushFolder(Path.GetDirectoryName(target)!);
    }

    /// <summary>Puts a second name on a file of ours. False where the file system cannot.</summary>
    public static bool TryLink(string source, string target)
    {
        using var file = OpenedFile.TryOpen(source);
        return file is not null && file.TryLinkTo(target);
    }

    /// <summary>When the file's entry last changed, content or not; a missing file changed just now.</summary>
    public static DateTimeOffset ChangedAt(string path) =>
        OperatingSystem.IsLinux() ? Libc.Changed(path) ?? DateTimeOffset.MaxValue : new DateTimeOffset(File.GetLastAccessTimeUtc(path));

    /// <summary>Makes <see cref="ChangedAt"/> now, and leaves content and modification time as they are.</summary>
    public static void Touch(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        File.SetUnixFileMode(path, File.GetUnixFileMode(path));
    }

    public static long FreeBytes(string folder) => new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;

    private static void Flush(string path, int flags) => Flush(path, flags, Libc.Fsync);

    private static void Flush(string path, int flags, Func<int, int> flush)
    {
        var descriptor = Libc.Open(path, flags | Libc.OpenCloseOnExec, 0);
        if (descriptor < 0) throw Failure($"Cannot open {path}");
        try
        {
            if (flush(descriptor) != 0) throw Failure($"Cannot flush {path}");
        }
        finally
        {
            _ = Libc.Close(descriptor);
        }
    }

    internal static IOException Failure(string what) => new($"{what}: {Marshal.GetLastPInvokeErrorMessage()}");
}

/// <summary>A regular file held open by descriptor, never reached through a symbolic link as its last step, so that what is stamped is what is linked or read.</summary>
internal sealed class OpenedFile : IDisposable
{
    private const int CopyBytes = 1 << 20;
    private readonly int _descriptor;

    private OpenedFile(string path, int descriptor) => (Path, _descriptor) = (path, descriptor);

    public string Path { get; }

    public FileStamp Stamp => OperatingSystem.IsLinux() ? Libc.Stamp(_descriptor) ?? throw FileSystem.Failure($"Cannot look at {Path}") : FileStamp.Of(Path);

    /// <summary>Null when there is no such file, or it is a link, a folder or anything else that is not a plain file.</summary>
    public static OpenedFile? TryOpen(string path)
    {
        if (!OperatingSystem.IsLinux()) return File.Exists(path) && new FileInfo(path).LinkTarget is null ? new OpenedFile(path, -1) : null;
        const int nonBlocking = 0x800; // opening a named pipe must not wait for its writer
        var descriptor = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenNoFollow | Libc.OpenCloseOnExec | nonBlocking, 0);
        if (descriptor < 0) return null;
        if (Libc.IsRegular(descriptor)) return new OpenedFile(path, descriptor);
        _ = Libc.Close(descriptor);
        return null;
    }

    public bool TryLinkTo(string target) => OperatingSystem.IsLinux() && Libc.Link(_descriptor, target);

    /// <summary>Shares the blocks of the file with a new one, where the file system can (btrfs, XFS).</summary>
    public bool TryCloneTo(string target)
    {
        if (!OperatingSystem.IsLinux()) return false;
        bool cloned;
        using (var file = new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.Read))
            cloned = Libc.Clone((int)file.SafeFileHandle.DangerousGetHandle(), _descriptor);
        if (!cloned) File.Delete(target);
        return cloned;
    }

    /// <summary>The content, from the descriptor.</summary>
    public FileStream OpenRead() => OperatingSystem.IsLinux()
        ? new FileStream($"/proc/self/fd/{_descriptor}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, CopyBytes, useAsync: true)
        : new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, CopyBytes, useAsync: true);

    /// <summary>Copies the content, from the descriptor.</summary>
    public async Task CopyToAsync(string target, CancellationToken cancellation)
    {
        await using var source = OpenRead();
        await using var copy = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.Read, CopyBytes, useAsync: true);
        await source.CopyToAsync(copy, CopyBytes, cancellation);
    }

    public void Dispose()
    {
        if (_descriptor >= 0) _ = Libc.Close(_descriptor);
    }
}
