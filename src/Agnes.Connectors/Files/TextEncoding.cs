using System.IO.Compression;
using System.Text;
using Agnes.Engine.Limits;

namespace Agnes.Connectors.Files;

/// <summary>What only a look at the bytes of a text file tells. UTF-8 is taken for granted until the engine refuses it.</summary>
internal static class TextEncoding
{
    private const int BufferBytes = 1 << 20;
    private static readonly byte[] JsonSpace = [.. " \t\r\n"u8, 0xEF, 0xBB, 0xBF];

    static TextEncoding() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <returns>Null for a name that .NET does not know.</returns>
    public static Encoding? Named(string name)
    {
        try
        {
            return Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The path of the text in UTF-8: the file itself, or a copy in scratch where it says at its start that it is UTF-16 or UTF-32, or is told to be something else.</summary>
    /// <param name="told">The encoding that was set or guessed; null for a file that says it itself.</param>
    /// <returns>The encoding too, when it is not UTF-8.</returns>
    /// <exception cref="TableException">A byte is no text in the encoding that was told.</exception>
    public static async Task<(string Path, string? Encoding)> AsUtf8Async(InputFile file, string? told, string scratch, CancellationToken cancellation)
    {
        var isUtf8 = told is not null && Named(told) is UTF8Encoding;
        if (file.Format.Compression == "zst")
            return told is null || isUtf8 ? (file.FullPath, null) : throw new TableException($"{file.Path}: a file in {told} cannot be read from .zst; pack it as .gz, or convert it to UTF-8");
        if (isUtf8) return (file.FullPath, null);
        await using var source = Open(file);
        var mark = new byte[4];
        var read = await source.ReadAtLeastAsync(mark, 4, throwOnEndOfStream: false, cancellation);
        var (encoding, skip) = mark.AsSpan(0, read) switch
        {
            [0xFF, 0xFE, 0, 0] => ((Encoding)new UTF32Encoding(false, false, true), 4),
            [0, 0, 0xFE, 0xFF] => (new UTF32Encoding(true, false, true), 4),
            [0xFF, 0xFE, ..] => (new UnicodeEncoding(false, false, true), 2),
            [0xFE, 0xFF, ..] => (new UnicodeEncoding(true, false, true), 2),
            _ => (told is null ? null : Encoding.GetEncoding(told, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback), 0),
        };
        if (encoding is null) return (file.FullPath, null);
        Scratch.EnsureFree(scratch, file.Stamp.Size * 2);
        using var text = new StreamReader(new Prefixed(mark.AsMemory(skip, read - skip), source), encoding, detectEncodingFromByteOrderMarks: false, BufferBytes);
        try
        {
            return (await TranscodeAsync(text, scratch, cancellation), skip == 0 ? told : null);
        }
        catch (DecoderFallbackException)
        {
            throw new TableException($"{file.Path}: it holds bytes that are no text in {told ?? encoding.WebName}");
        }
    }

    /// <summary>Whether a text is the same in whatever encoding; not known of .zst.</summary>
    public static async Task<bool> IsAsciiAsync(InputFile file, CancellationToken cancellation)
    {
        if (file.Format.Compression == "zst") return false;
        await using var source = Open(file);
        var buffer = new byte[BufferBytes];
        int read;
        while ((read = await source.ReadAsync(buffer, cancellation)) > 0)
            if (!System.Text.Ascii.IsValid(buffer.AsSpan(0, read))) return false;
        return true;
    }

    /// <summary>The lines that hold bytes beyond ASCII, as many as fit; empty where the text is UTF-8 that is damaged in places, or cannot be looked at.</summary>
    public static async Task<byte[]> BeyondAsciiAsync(InputFile file, int bytesMax, CancellationToken cancellation)
    {
        if (file.Format.Compression == "zst") return [];
        await using var source = Open(file);
        var buffer = new byte[BufferBytes];
        var kept = 0;
        using var lines = new MemoryStream();
        while (true)
        {
            var read = await source.ReadAsync(buffer.AsMemory(kept), cancellation);
            if (read == 0) return lines.ToArray();
            var (rest, sawSequence) = Examine(buffer.AsSpan(0, kept + read));
            if (sawSequence) return [];
            if (lines.Length < bytesMax) AddLines(buffer.AsSpan(0, kept + read), lines, bytesMax);
            buffer.AsSpan(kept + read - rest, rest).CopyTo(buffer);
            kept = rest;
        }
    }

    /// <summary>Whether a JSON text is an array, and whether it starts one and does not end it: the engine takes what there is for all there was. Not known of .zst.</summary>
    public static async Task<(bool IsArray, bool IsCutShort)> ArrayAsync(InputFile file, CancellationToken cancellation)
    {
        if (file.Format.Compression == "zst") return (false, false);
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
        return (first == (byte)'[', first == (byte)'[' && last != (byte)']');
    }

    private static void AddLines(ReadOnlySpan<byte> text, MemoryStream lines, int bytesMax)
    {
        while (lines.Length < bytesMax && text.IndexOfAnyInRange((byte)0x80, (byte)0xFF) is >= 0 and var at)
        {
            var start = text[..at].LastIndexOf((byte)'\n') + 1;
            var length = text[at..].IndexOf((byte)'\n') is >= 0 and var end ? at + end + 1 - start : text.Length - start;
            lines.Write(text.Slice(start, (int)Math.Min(length, bytesMax - lines.Length)));
            text = text[(start + length)..];
        }
    }

    /// <returns>Bytes at the end that may be the start of a sequence, and whether a valid sequence of UTF-8 beyond ASCII was among the rest.</returns>
    private static (int Left, bool Sequence) Examine(ReadOnlySpan<byte> text)
    {
        while (text.IndexOfAnyInRange((byte)0x80, (byte)0xFF) is >= 0 and var beyond)
        {
            text = text[beyond..];
            var status = Rune.DecodeFromUtf8(text, out _, out var used);
            if (status == System.Buffers.OperationStatus.NeedMoreData) return (text.Length, false);
            if (status == System.Buffers.OperationStatus.Done) return (0, true);
            text = text[used..];
        }
        return (0, false);
    }

    private static async Task<string> TranscodeAsync(StreamReader reader, string scratch, CancellationToken cancellation)
    {
        var target = Path.Combine(scratch, $"{Guid.NewGuid():N}.csv");
        await using var writer = new StreamWriter(target, append: false, new UTF8Encoding(false), BufferBytes);
        var buffer = new char[BufferBytes];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellation)) > 0) await writer.WriteAsync(buffer.AsMemory(0, read), cancellation);
        return target;
    }

    /// <summary>The text of a file, out of its compression; or that of a copy in scratch, which has none.</summary>
    public static Stream Open(InputFile file, string path) =>
        path == file.FullPath ? Open(file) : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);

    private static Stream Open(InputFile file)
    {
        var plain = new FileStream(file.FullPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return file.Format.Compression == "gz" ? new GZipStream(plain, CompressionMode.Decompress) : plain;
    }

    /// <summary>A stream of which some bytes were read already.</summary>
    private sealed class Prefixed(ReadOnlyMemory<byte> prefix, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_prefix.IsEmpty) return await rest.ReadAsync(buffer, cancellationToken);
            var count = Math.Min(buffer.Length, _prefix.Length);
            _prefix[..count].CopyTo(buffer);
            _prefix = _prefix[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
