using System.Runtime.InteropServices;

namespace Agnes.Engine.Limits;

/// <summary>What tells, without reading it, that a file is still the one it was: any in-place write moves the time, any replacement the inode.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct FileStamp(long Size, long ModifiedNs, long Inode)
{
    /// <summary>The stamp of the file at <paramref name="path"/>; a symbolic link is stamped itself, not its target.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileStamp Of(string path) => TryOf(path) ?? throw new FileNotFoundException($"No such file: {path}", path);

    public static FileStamp? TryOf(string path)
    {
        if (OperatingSystem.IsLinux()) return Libc.Stamp(path);
        var info = new FileInfo(path);
        return info.Exists ? new FileStamp(info.Length, (info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100, 0) : null;
    }

    /// <summary>Compact form for records that keep stamps as text.</summary>
    public override string ToString() => $"{Size}:{ModifiedNs}:{Inode}";
}

/// <summary>The calls of the C library that the runtime does not offer. Linux only; callers fall back elsewhere.</summary>
internal static partial class Libc
{
    public const int OpenReadOnly = 0;
    public const int OpenDirectory = 0x10000;
    public const int OpenNoFollow = 0x20000;
    public const int OpenCloseOnExec = 0x80000;
    private const int AtCurrentFolder = -100;
    private const int AtSymlinkNoFollow = 0x100;
    private const int AtSymlinkFollow = 0x400;
    private const int AtEmptyPath = 0x1000;
    private const uint StatBasic = 0x7ff;
    private const nuint CloneFile = 0x40049409;

    public static FileStamp? Stamp(string path) => Statx(AtCurrentFolder, path, AtSymlinkNoFollow, StatBasic, out var stat) == 0 ? Stamp(stat) : null;

    public static FileStamp? Stamp(int descriptor) => Statx(descriptor, "", AtEmptyPath, StatBasic, out var stat) == 0 ? Stamp(stat) : null;

    /// <summary>Whether the descriptor is a regular file (no folder, pipe or device).</summary>
    public static bool IsRegular(int descriptor) => Statx(descriptor, "", AtEmptyPath, StatBasic, out var stat) == 0 && (stat.Mode & 0xF000) == 0x8000;

    public static long Links(string path) => Statx(AtCurrentFolder, path, AtSymlinkNoFollow, StatBasic, out var stat) == 0 ? stat.Links : 0;

    /// <summary>When the file's entry last changed: content, names or mode. Nobody can set it back.</summary>
    public static DateTimeOffset? Changed(string path) =>
        Statx(AtCurrentFolder, path, AtSymlinkNoFollow, StatBasic, out var stat) == 0 ? DateTimeOffset.FromUnixTimeSeconds(stat.ChangedSeconds) : null;

    /// <summary>Links the very file behind an open descriptor, whatever its path means by now.</summary>
    public static bool Link(int descriptor, string target) => LinkAt(AtCurrentFolder, $"/proc/self/fd/{descriptor}", AtCurrentFolder, target, AtSymlinkFollow) == 0;

    public static bool Clone(int target, int source) => Ioctl(target, CloneFile, source) == 0;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(SafeHandle file);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "setxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetAttribute(string path, string name, ReadOnlySpan<byte> value, nuint size, int flags);

    /// <returns>The bytes of the value, or less than 0.</returns>
    [LibraryImport("libc", EntryPoint = "getxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GetAttribute(string path, string name, Span<byte> value, nuint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxBuffer buffer);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinkAt(int sourceFolder, string source, int targetFolder, string target, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(int descriptor, nuint request, nint argument);

    private static FileStamp Stamp(in StatxBuffer stat) => new((long)stat.Size, checked(stat.ModifiedSeconds * 1_000_000_000L + stat.ModifiedNs), (long)stat.Inode);

    /// <summary><c>struct statx</c>: the one stat structure whose layout is the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(0x10)] public uint Links;
        [FieldOffset(0x1c)] public ushort Mode;
        [FieldOffset(0x20)] public ulong Inode;
        [FieldOffset(0x28)] public ulong Size;
        [FieldOffset(0x60)] public long ChangedSeconds;
        [FieldOffset(0x70)] public long ModifiedSeconds;
        [FieldOffset(0x78)] public uint ModifiedNs;
    }
}
