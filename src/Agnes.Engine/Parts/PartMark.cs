using System.Buffers.Binary;
using System.Collections.Concurrent;
using Agnes.Engine.Limits;

namespace Agnes.Engine.Parts;

/// <summary>
/// Remembers which files of the store are proven to be what their names say: by an extended attribute of the file itself, so that the fact lies on the disk
/// that it is about, is seen by every process, and is gone with a copy that leaves it behind. It names the content and the size and time that the file had
/// before it was read, so that whatever was written later, through whichever name, does not fit it. Where a file takes no attributes (its file system, or its
/// owner), this process remembers for itself.
/// </summary>
internal sealed class PartMark
{
    private const string Attribute = "user.agnes.part";
    private const int HashBytes = 32;
    private const int Bytes = HashBytes + 2 * sizeof(long);

    /// <summary>Of files without attributes; forgotten all at once, which costs a reading each.</summary>
    private const int RememberedMax = 100_000;

    private readonly ConcurrentDictionary<string, FileStamp> _remembered = new(StringComparer.Ordinal);

    /// <param name="proven">What the file was before it was read and found to be <paramref name="sha256"/>.</param>
    public void Set(string path, string sha256, FileStamp proven)
    {
        Span<byte> mark = stackalloc byte[Bytes];
        Write(mark, sha256, proven);
        if (OperatingSystem.IsLinux() && Libc.SetAttribute(path, Attribute, mark, Bytes, 0) == 0)
        {
            _remembered.TryRemove(sha256, out _);
            return;
        }

        if (_remembered.Count >= RememberedMax) _remembered.Clear();
        _remembered[sha256] = proven;
    }

    public bool Fits(string path, string sha256, FileStamp now)
    {
        if (_remembered.TryGetValue(sha256, out var proven) && IsSame(proven, now)) return true;
        if (!OperatingSystem.IsLinux()) return false;
        Span<byte> found = stackalloc byte[Bytes];
        if (Libc.GetAttribute(path, Attribute, found, Bytes) != Bytes) return false;
        Span<byte> expected = stackalloc byte[Bytes];
        Write(expected, sha256, now);
        return found.SequenceEqual(expected);
    }

    /// <summary>The inode may differ: a copy that kept time and attributes is as good.</summary>
    public static bool IsSame(FileStamp one, FileStamp other) => one.Size == other.Size && one.ModifiedNs == other.ModifiedNs;

    private static void Write(Span<byte> mark, string sha256, FileStamp stamp)
    {
        Convert.FromHexString(sha256, mark[..HashBytes], out _, out _);
        BinaryPrimitives.WriteInt64LittleEndian(mark[HashBytes..], stamp.Size);
        BinaryPrimitives.WriteInt64LittleEndian(mark[(HashBytes + sizeof(long))..], stamp.ModifiedNs);
    }
}
