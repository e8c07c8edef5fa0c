using System.IO.Compression;
using System.Text;

namespace Agnes.Connectors.Files;

/// <summary>What only a look at the bytes of a text file tells. UTF-8 is taken for granted until the engine refuses it.</summary>
internal static class TextEncoding
{
    private const int BufferBytes = 1 << 20;
    private static readonly byte[] JsonSpace = [.. " \t\r\n"u8, 0xEF, 0xBB, 0xBF];

    /// <summary>A copy in UTF-8, where the file says at its start that it is UTF-16; null where it does not.</summary>
    public static async Task<string?> FromUtf16Async(InputFile file, string scratch, CancellationToken cancellation)
    {
        if (file.Format.Compression == "zst") return null;
        await using var source = Open(file);
        var mark = new byte[2];
        if (await source.ReadAtLeastAsync(mark, 2, throwOnEndOfStream: false, cancellation) < 2) return null;
        Encoding? encoding = mark is [0xFF, 0xFE] ? new UnicodeEncoding(false, false, true) : mark is [0xFE, 0xFF] ? new UnicodeEncoding(true, false, true) : null;
        return encoding is null ? null : await TranscodeAsync(source, encoding, scratch, cancellation);
    }

    /// <summary>Whether the file can only be Latin-1: there are bytes beyond ASCII, and none of them is part of a valid UTF-8 sequence. A damaged UTF-8 file is none.</summary>
    public static async Task<bool> IsLatin1Async(InputFile file, CancellationToken cancellation)
    {
        if (file.Format.Compression == "zst") return false;
        await using var source = Open(file);
        var buffer = new byte[BufferBytes];
        var (kept, invalid) = (0, false);
        while (true)
        {
            var read = await source.ReadAsync(buffer.AsMemory(kept), cancellation);
            if (read == 0) return invalid || kept > 0;
            var (rest, sawInvalid, sawSequence) = Examine(buffer.AsSpan(0, kept + read));
            if (sawSequence) return false;
            invalid |= sawInvalid;
            buffer.AsSpan(kept + read - rest, rest).CopyTo(buffer);
            kept = rest;
        }
    }

    /// <summary>Whether a JSON text starts an array and does not end it: the engine takes what there is for all there was. Not known of .zst.</summary>
    public static async Task<bool> IsCutShortAsync(InputFile file, CancellationToken cancellation)
    {
        if (file.Format.Compression == "zst") return false;
        await using var source = Open(file);
        var buffer = new byte[BufferBytes];
        var (first, last) = ((byte)0, (byte)0);
        int read;
        while ((read = await source.ReadAsync(buffer, cancellation)) > 0)
        {
            var text = buffer.AsSpan(0, read);
            if (first == 0 && text.IndexOfAnyExcept(JsonSpace) is >= 0 and var start) first = text[start];
            if (text.LastIndexOfAnyExcept(JsonSpace) is >= 0 and var end) last = text[end];
            // What lies between does not matter, so that a plain file is not read as a whole.
            if (first != 0 && source is FileStream { Length: var length } plain && plain.Position < length - BufferBytes) plain.Position = length - BufferBytes;
        }
        return first == (byte)'[' && last != (byte)']';
    }

    private static (int Left, bool Invalid, bool Sequence) Examine(ReadOnlySpan<byte> text)
    {
        var (invalid, sequence) = (false, false);
        while (true)
        {
            var ascii = text.IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (ascii < 0) return (0, invalid, sequence);
            text = text[ascii..];
            switch (Rune.DecodeFromUtf8(text, out _, out var used))
            {
                case System.Buffers.OperationStatus.NeedMoreData:
                    return (text.Length, invalid, sequence);
                case System.Buffers.OperationStatus.Done:
                    sequence = true;
                    break;
                default:
                    invalid = true;
                    break;
            }
            text = text[used..];
        }
    }

    private static async Task<string> TranscodeAsync(Stream source, Encoding encoding, string scratch, CancellationToken cancellation)
    {
        var target = Path.Combine(scratch, $"{Guid.NewGuid():N}.csv");
        using var reader = new StreamReader(source, encoding, detectEncodingFromByteOrderMarks: false, BufferBytes);
        await using var writer = new StreamWriter(target, append: false, new UTF8Encoding(false), BufferBytes);
        var buffer = new char[BufferBytes];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellation)) > 0) await writer.WriteAsync(buffer.AsMemory(0, read), cancellation);
        return target;
    }

    private static Stream Open(InputFile file)
    {
        var plain = new FileStream(file.FullPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return file.Format.Compression == "gz" ? new GZipStream(plain, CompressionMode.Decompress) : plain;
    }
}
