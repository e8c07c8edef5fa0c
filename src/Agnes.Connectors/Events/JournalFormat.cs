using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Agnes.Connectors.Events;

/// <summary>
/// The bytes of a journal: files named by the position of their first entry, in each one entry after another. An entry is its length, a checksum of what follows, when
/// it came, what kind it is, its identity and its body. Numbers are little-endian. What a crash cut off, or a disk did not keep, fails its checksum.
/// </summary>
internal static class JournalFormat
{
    public const int BodyBytesMax = 64 << 20;
    private const int IdentityBytesMax = 1024;
    private const int LengthBytes = 4;
    private const int ChecksumBytes = 8;
    private const int FixedBytes = 8 + 1 + 2; // when, kind, length of the identity
    private const int HeadBytes = LengthBytes + ChecksumBytes;
    private const string Extension = ".log";

    public static string NameOf(long position) => position.ToString("D20", System.Globalization.CultureInfo.InvariantCulture) + Extension;

    /// <summary>The files of a journal by the position of their first entry; what is named otherwise is not of it.</summary>
    public static List<(long Position, string Path)> Files(string folder) => !Directory.Exists(folder)
        ? []
        : [.. from path in Directory.EnumerateFiles(folder, "*" + Extension)
              let name = Path.GetFileNameWithoutExtension(path)
              where name.Length == 20 && long.TryParse(name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _)
              orderby name
              select (long.Parse(name, System.Globalization.CultureInfo.InvariantCulture), path)];

    public static byte[] Encode(DateTime receivedAt, byte kind, string identity, ReadOnlySpan<byte> body)
    {
        if (body.Length > BodyBytesMax) throw new ArgumentException($"An entry may have {BodyBytesMax} bytes; this one has {body.Length}.", nameof(body));
        var name = Encoding.UTF8.GetBytes(identity);
        if (name.Length > IdentityBytesMax) throw new ArgumentException($"An identity may have {IdentityBytesMax} bytes.", nameof(identity));
        var entry = new byte[HeadBytes + FixedBytes + name.Length + body.Length];
        var content = entry.AsSpan(HeadBytes);
        BinaryPrimitives.WriteInt64LittleEndian(content, receivedAt.Ticks);
        content[8] = kind;
        BinaryPrimitives.WriteUInt16LittleEndian(content[9..], (ushort)name.Length);
        name.CopyTo(content[FixedBytes..]);
        body.CopyTo(content[(FixedBytes + name.Length)..]);
        BinaryPrimitives.WriteInt32LittleEndian(entry, content.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(LengthBytes), XxHash64.HashToUInt64(content));
        return entry;
    }

    /// <summary>The entry at the beginning of some bytes.</summary>
    /// <param name="needed">How many bytes it takes at least, where there are fewer.</param>
    /// <returns>Null: there are too few bytes, or (with <paramref name="needed"/> 0) it is damaged.</returns>
    public static JournalEntry? Decode(ReadOnlyMemory<byte> bytes, long position, out int needed)
    {
        needed = HeadBytes;
        if (bytes.Length < HeadBytes) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
        if (length is < FixedBytes or > BodyBytesMax + FixedBytes + IdentityBytesMax)
        {
            needed = 0;
            return null;
        }

        needed = HeadBytes + length;
        if (bytes.Length < needed) return null;
        var content = bytes.Slice(HeadBytes, length);
        var named = BinaryPrimitives.ReadUInt16LittleEndian(content.Span[9..]);
        if (XxHash64.HashToUInt64(content.Span) != BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[LengthBytes..]) || named > length - FixedBytes)
        {
            needed = 0;
            return null;
        }

        var when = BinaryPrimitives.ReadInt64LittleEndian(content.Span);
        return new JournalEntry(
            position, position + needed, new DateTime(when, DateTimeKind.Utc), content.Span[8],
            Encoding.UTF8.GetString(content.Span.Slice(FixedBytes, named)), content[(FixedBytes + named)..]);
    }
}
