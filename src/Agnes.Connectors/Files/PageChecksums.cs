using System.IO.Hashing;
using Agnes.Engine.Extracts;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>
/// Holds the pages of a Parquet file against the checksums that their writer put into them, without decoding one. The engine reads over them, as
/// Parquet.Net does; ParquetSharp verifies, but by reading every value, and with 26 MB of native code for one look at each page's header.
/// </summary>
internal sealed class PageChecksums(InputFile file)
{
    /// <summary>Of a page without its statistics; longer ones are read in steps.</summary>
    private const int HeaderBytes = 4096;

    private const int HeaderBytesMax = 16 << 20;
    private const int BufferBytes = 1 << 20;
    private byte[] _buffer = new byte[BufferBytes];

    /// <returns>How many pages there are, and how many of them have a checksum.</returns>
    /// <exception cref="TableException">A page is not what its writer wrote, or is no page.</exception>
    public async Task<(long Pages, long Checked)> VerifyAsync(DuckDBConnection connection, CancellationToken cancellation)
    {
        var chunks = await connection.QueryAsync(
            $"SELECT path_in_schema, CASE WHEN dictionary_page_offset > 0 THEN least(dictionary_page_offset, data_page_offset) ELSE data_page_offset END, total_compressed_size "
            + $"FROM parquet_metadata({Statements.ExactPath(file.FullPath)}) ORDER BY 2",
            row => (Column: row.TextOrNull(0) ?? "?", Start: row.GetInt64(1), Bytes: row.GetInt64(2)), cancellation);
        using var handle = File.OpenHandle(file.FullPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var (pages, tested) = (0L, 0L);
        foreach (var (column, start, bytes) in chunks)
        {
            var (at, end) = (start, start + bytes);
            if (start < 0 || bytes < 0 || end > file.Stamp.Size) throw Broken(column, "lies outside of the file");
            for (var page = 1; at < end; page++)
            {
                cancellation.ThrowIfCancellationRequested();
                var header = await HeaderAsync(handle, at, end, cancellation) ?? throw Broken(column, $"has no readable header of page {page}");
                at += header.Length;
                if (header.PageBytes < 0 || at + header.PageBytes > end) throw Broken(column, $"has a page {page} that is longer than the column");
                if (header.Checksum is { } wanted)
                {
                    tested++;
                    if (await ChecksumAsync(handle, at, header.PageBytes, cancellation) != (uint)wanted) throw Broken(column, $"has a page {page} whose checksum is wrong");
                }
                (at, pages) = (at + header.PageBytes, pages + 1);
            }
        }
        return (pages, tested);
    }

    private TableException Broken(string column, string what) => new($"{file.Path}: column {column} {what}. The file is damaged; write it anew, or fetch it again.");

    private async Task<PageHeader?> HeaderAsync(Microsoft.Win32.SafeHandles.SafeFileHandle handle, long at, long end, CancellationToken cancellation)
    {
        for (var length = HeaderBytes; length <= HeaderBytesMax; length *= 4)
        {
            if (_buffer.Length < length) Array.Resize(ref _buffer, length);
            var read = await RandomAccess.ReadAsync(handle, _buffer.AsMemory(0, (int)Math.Min(length, end - at)), at, cancellation);
            if (PageHeader.Read(_buffer.AsSpan(0, read)) is { } header) return header;
            if (read < length) return null;
        }
        return null;
    }

    private async Task<uint> ChecksumAsync(Microsoft.Win32.SafeHandles.SafeFileHandle handle, long at, int bytes, CancellationToken cancellation)
    {
        var checksum = new Crc32();
        while (bytes > 0)
        {
            var read = await RandomAccess.ReadAsync(handle, _buffer.AsMemory(0, Math.Min(bytes, _buffer.Length)), at, cancellation);
            if (read == 0) throw new EndOfStreamException();
            checksum.Append(_buffer.AsSpan(0, read));
            (at, bytes) = (at + read, bytes - read);
        }
        return checksum.GetCurrentHashAsUInt32();
    }
}

/// <summary>What of a page's header matters here. It is Thrift in its compact form.</summary>
/// <param name="Length">Of the header.</param>
/// <param name="PageBytes">Of what follows it.</param>
internal sealed record PageHeader(int Length, int PageBytes, int? Checksum)
{
    private const int CompressedSizeField = 3;
    private const int ChecksumField = 4;
    private const int DepthMax = 16;

    /// <returns>Null where it is not whole, or is none.</returns>
    public static PageHeader? Read(ReadOnlySpan<byte> text)
    {
        var reader = new Thrift(text);
        var (field, size, checksum) = (0, -1, (int?)null);
        while (reader.Field(ref field, out var type))
        {
            if (type == Thrift.Int32 && field == CompressedSizeField) size = (int)reader.Number();
            else if (type == Thrift.Int32 && field == ChecksumField) checksum = (int)reader.Number();
            else reader.Skip(type, DepthMax);
        }
        return reader.IsWhole && size >= 0 ? new PageHeader(reader.Position, size, checksum) : null;
    }

    private ref struct Thrift(ReadOnlySpan<byte> text)
    {
        public const int Int32 = 5;
        private const int True = 1, False = 2, Byte = 3, Int16 = 4, Int64 = 6, Double = 7, Binary = 8, List = 9, Set = 10, Map = 11, Struct = 12;
        private readonly ReadOnlySpan<byte> _text = text;

        public int Position { get; private set; }

        public bool IsWhole { get; private set; } = true;

        /// <returns>False at the end of the struct, and of the text.</returns>
        public bool Field(ref int field, out int type)
        {
            var head = Next();
            type = head & 0xF;
            if (!IsWhole || type == 0) return false;
            field = head >> 4 != 0 ? field + (head >> 4) : (int)Number();
            return IsWhole;
        }

        public long Number()
        {
            var raw = Raw();
            return (long)(raw >> 1) ^ -(long)(raw & 1);
        }

        public void Skip(int type, int depth)
        {
            if (depth == 0) IsWhole = false;
            if (!IsWhole) return;
            switch (type)
            {
                case True or False: break;
                case Byte: Next(); break;
                case Int16 or Int32 or Int64: Raw(); break;
                case Double: Pass(8); break;
                case Binary: Pass(Raw()); break;
                case List or Set: SkipList(depth); break;
                case Map: SkipMap(depth); break;
                case Struct:
                    var field = 0;
                    while (Field(ref field, out var inner)) Skip(inner, depth - 1);
                    break;
                default: IsWhole = false; break;
            }
        }

        private void SkipList(int depth)
        {
            var head = Next();
            var count = head >> 4 == 0xF ? Raw() : (ulong)(head >> 4);
            for (; count > 0 && IsWhole; count--) SkipElement(head & 0xF, depth - 1);
        }

        private void SkipMap(int depth)
        {
            var count = Raw();
            if (count == 0) return;
            var types = Next();
            for (; count > 0 && IsWhole; count--)
            {
                SkipElement(types >> 4, depth - 1);
                SkipElement(types & 0xF, depth - 1);
            }
        }

        /// <summary>Within lists a truth value takes a byte.</summary>
        private void SkipElement(int type, int depth) => Skip(type is True or False ? Byte : type, depth);

        private ulong Raw()
        {
            ulong number = 0;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var part = Next();
                number |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80) return number;
            }
            IsWhole = false;
            return 0;
        }

        private int Next()
        {
            if (Position < _text.Length) return _text[Position++];
            IsWhole = false;
            return 0;
        }

        private void Pass(ulong bytes)
        {
            if (bytes > (ulong)(_text.Length - Position)) IsWhole = false;
            else Position += (int)bytes;
        }
    }
}
