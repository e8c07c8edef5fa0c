using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Agnes.Cli.Files;

/// <summary>
/// A file opened without following a link as its last step and without waiting for a pipe's writer, and then asked what it is and where it really lies: what is
/// checked is what is read, whatever its path means a moment later.
/// </summary>
internal sealed partial class PlainFile : IDisposable
{
    private const int ReadAndWrite = 2;
    private const int LockExclusiveNow = 6;
    private const int NoSuchFile = 2;
    private const int NotAFolder = 20;
    private const int TooManyLinks = 40;
    private const int TooManyLinksOnMac = 62;
    private const ushort TypeMask = 0xF000;
    private const ushort Regular = 0x8000;
    private readonly SafeFileHandle _handle;

    private PlainFile(SafeFileHandle handle, string realPath, long links, long length) => (_handle, RealPath, Links, Length) = (handle, realPath, links, length);

    /// <summary>Every link on the way to it resolved.</summary>
    public string RealPath { get; }

    /// <summary>How many names it has.</summary>
    public long Links { get; }

    public long Length { get; }

    /// <returns>Null where it is no plain file (a link, a folder, a pipe, a device), or where it lies cannot be told.</returns>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static PlainFile? Open(string path)
    {
        var handle = OperatingSystem.IsWindows() ? OpenOnWindows(path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete) : OpenOnUnix(path, access: 0);
        if (handle is null) return null;
        try
        {
            if (Look(handle, path) is { } found) return found;
            handle.Dispose();
            return null;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Opens what is there for reading and writing.</summary>
    /// <param name="locked">Whether it is to be this process's alone.</param>
    /// <returns>Null where it is no plain file with one name, or another process has it.</returns>
    public static SafeFileHandle? OpenToWrite(string path, bool locked, out bool isBusy)
    {
        isBusy = false;
        SafeFileHandle? handle;
        try
        {
            handle = OperatingSystem.IsWindows() ? OpenOnWindows(path, FileAccess.ReadWrite, locked ? FileShare.None : FileShare.ReadWrite) : OpenOnUnix(path, ReadAndWrite);
        }
        catch (IOException problem) when (locked && OperatingSystem.IsWindows() && problem is not FileNotFoundException)
        {
            isBusy = true; // in use by another
            return null;
        }

        try
        {
            if (handle is null || Look(handle, path) is not { Links: 1 }) isBusy = false;
            else if (!locked || OperatingSystem.IsWindows() || Flock((int)handle.DangerousGetHandle(), LockExclusiveNow) == 0) return handle;
            else isBusy = true;
        }
        catch
        {
            handle?.Dispose();
            throw;
        }

        handle?.Dispose();
        return null;
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellation) => RandomAccess.ReadAsync(_handle, buffer, offset, cancellation);

    public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(_handle, buffer, offset);

    public void Dispose() => _handle.Dispose();

    private static PlainFile? Look(SafeFileHandle handle, string path)
    {
        var (place, isRegular, links) = OperatingSystem.IsLinux() ? OnLinux(handle) : OperatingSystem.IsWindows() ? OnWindows(handle) : OnMac(handle, path);
        return place is not null && isRegular ? new PlainFile(handle, place, links, RandomAccess.GetLength(handle)) : null;
    }

    private static SafeFileHandle? OpenOnUnix(string path, int access)
    {
        // Not through a link, not waiting for a pipe, not inherited by children.
        var flags = OperatingSystem.IsMacOS() ? 0x4 | 0x100 | 0x1000000 : (RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x8000 : 0x20000) | 0x800 | 0x80000;
        var descriptor = UnixOpen(path, flags | access);
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
        return Marshal.GetLastPInvokeError() switch
        {
            NoSuchFile or NotAFolder => throw new FileNotFoundException($"No such file: {path}", path),
            TooManyLinks or TooManyLinksOnMac => null,
            _ => throw new UnauthorizedAccessException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}"),
        };
    }

    private static SafeFileHandle? OpenOnWindows(string path, FileAccess access, FileShare share)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"No such file: {path}", path);
        return File.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint)
            ? null
            : File.OpenHandle(path, FileMode.Open, access, share, access == FileAccess.Read ? FileOptions.Asynchronous | FileOptions.SequentialScan : FileOptions.None);
    }

    private static (string? Place, bool IsRegular, long Links) OnLinux(SafeFileHandle handle)
    {
        const int emptyPath = 0x1000;
        const uint basic = 0x7ff;
        var descriptor = (int)handle.DangerousGetHandle();
        Span<byte> stat = stackalloc byte[256]; // struct statx is the same on every architecture
        if (Statx(descriptor, "", emptyPath, basic, stat) != 0) return default;
        var mode = MemoryMarshal.Read<ushort>(stat[0x1c..]);
        return (new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget, (mode & TypeMask) == Regular, MemoryMarshal.Read<uint>(stat[0x10..]));
    }

    /// <summary>The system has no path of a descriptor that can be asked for from here: the resolved path is believed where it leads to the very file that is open.</summary>
    private static (string? Place, bool IsRegular, long Links) OnMac(SafeFileHandle handle, string path)
    {
        Span<byte> open = stackalloc byte[256];
        Span<byte> named = stackalloc byte[256];
        Span<byte> resolved = stackalloc byte[4096];
        var isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        var descriptor = (int)handle.DangerousGetHandle();
        if ((isArm ? Fstat(descriptor, open) : FstatInode64(descriptor, open)) != 0 || UnixRealPath(path, resolved) == 0) return default;
        var place = Encoding.UTF8.GetString(resolved[..resolved.IndexOf((byte)0)]);
        if ((isArm ? Lstat(place, named) : LstatInode64(place, named)) != 0) return default;
        // struct stat: device, mode, links, inode.
        var isSame = open[..4].SequenceEqual(named[..4]) && open[8..16].SequenceEqual(named[8..16]);
        return (isSame ? place : null, (MemoryMarshal.Read<ushort>(open[4..]) & TypeMask) == Regular, MemoryMarshal.Read<ushort>(open[6..]));
    }

    private static (string? Place, bool IsRegular, long Links) OnWindows(SafeFileHandle handle)
    {
        const int pathCharsMax = 32_768;
        Span<byte> info = stackalloc byte[52];
        if (!GetFileInformationByHandle(handle, info)) return default;
        var isRegular = ((FileAttributes)MemoryMarshal.Read<int>(info) & (FileAttributes.Directory | FileAttributes.ReparsePoint | FileAttributes.Device)) == FileAttributes.None;
        var buffer = new char[pathCharsMax];
        var length = GetFinalPathNameByHandleW(handle, buffer, pathCharsMax, 0);
        if (length is 0 or >= pathCharsMax) return default;
        var place = new string(buffer, 0, length);
        if (place.StartsWith(@"\\?\UNC\", StringComparison.Ordinal)) place = @"\\" + place[8..];
        else if (place.StartsWith(@"\\?\", StringComparison.Ordinal)) place = place[4..];
        return (place, isRegular, MemoryMarshal.Read<int>(info[40..]));
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnixOpen(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint UnixRealPath(string path, Span<byte> resolved);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static partial int Fstat(int descriptor, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int FstatInode64(int descriptor, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "lstat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Lstat(string path, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LstatInode64(string path, Span<byte> buffer);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetFileInformationByHandle(SafeFileHandle file, Span<byte> info);

    [LibraryImport("kernel32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial int GetFinalPathNameByHandleW(SafeFileHandle file, [Out] char[] path, int length, int flags);
}
