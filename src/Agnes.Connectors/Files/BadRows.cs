using System.Text;
using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;

namespace Agnes.Connectors.Files;

/// <summary>A text without its bad rows, and a file with just them.</summary>
/// <param name="Text">What is left; the file itself where nothing was taken out.</param>
/// <param name="Kept">A file of <see cref="SetAsideRow"/>, one a line; null where there are none.</param>
internal sealed record Divided(string Text, string? Kept, long Count);

/// <summary>
/// Takes the rows that are no rows of the table out of a delimited text, for people who set <c>bad_rows</c> to <c>set_aside</c>. The engine's own way to
/// reject rows takes all that follows an unclosed quote, up to the next one, for a single row; here only the line with the quote is lost.
/// </summary>
internal sealed class BadRows(InputFile file, CsvDialect dialect, string scratch)
{
    /// <summary>A table of which more is wrong is another table than the one that was meant.</summary>
    public const int RowsMax = 100_000;

    /// <summary>A quoted text that is longer is taken for one that was never closed.</summary>
    private const int RecordBytesMax = 4 << 20;

    private const int BufferBytes = 1 << 20;
    private const int TextCharactersMax = 16_384;
    private static readonly UTF8Encoding Strict = new(false, true);

    private readonly RecordScan _scan = new(dialect.Delimiter, dialect.Quote, dialect.Escape);
    private readonly byte[] _lineEnd = [(byte)'\n'];
    private byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private bool _isAll;
    private long _line = 1;
    private long _record;
    private Stream? _clean;
    private Stream? _kept;
    private long _count;

    /// <param name="path">The text in UTF-8.</param>
    /// <param name="misfits">Records, by their number among the good ones, with what is wrong with them.</param>
    /// <param name="checksText">Rows that are no UTF-8 are bad too.</param>
    public async Task<Divided> DivideAsync(string path, IReadOnlyDictionary<long, string>? misfits, bool checksText, CancellationToken cancellation)
    {
        var name = Path.Combine(scratch, $"{Guid.NewGuid():N}");
        var (text, kept) = ($"{name}.csv", $"{name}.rows");
        Scratch.EnsureFree(scratch, file.Stamp.Size);
        await using var source = TextEncoding.Open(file, path);
        await using (_clean = File.Create(text))
        await using (_kept = File.Create(kept))
        {
            for (var skipped = 0; skipped < dialect.SkippedLines && await FillAsync(source, cancellation); skipped++) await SkipLineAsync(source, cancellation);
            if (dialect.HasHeader) await HeaderAsync(source, cancellation);
            while (await FillAsync(source, cancellation)) await TakeAsync(source, misfits, checksText, cancellation);
        }
        return new Divided(text, _count == 0 ? null : kept, _count);
    }

    private async Task SkipLineAsync(Stream source, CancellationToken cancellation)
    {
        await WholeLineAsync(source, cancellation);
        var length = LineLength(_buffer.AsSpan(_start, _end - _start));
        await KeepAsync(length.Text, cancellation);
        Pass(length.All);
    }

    private async Task HeaderAsync(Stream source, CancellationToken cancellation)
    {
        var scanned = await ScanAsync(source, cancellation);
        if (scanned.End != RecordEnd.Whole) throw new TableException($"{file.Path}, line {_line}: a quote is opened and not closed");
        await KeepAsync(scanned.Length - scanned.LineEnd, cancellation);
        Pass(scanned.Length);
    }

    private async Task TakeAsync(Stream source, IReadOnlyDictionary<long, string>? misfits, bool checksText, CancellationToken cancellation)
    {
        var scanned = await ScanAsync(source, cancellation);
        if (scanned.End != RecordEnd.Whole)
        {
            await WholeLineAsync(source, cancellation);
            var line = LineLength(_buffer.AsSpan(_start, _end - _start));
            await SetAsideAsync(line.Text, "a quote is opened and not closed", cancellation);
            Pass(line.All);
            return;
        }
        var length = scanned.Length - scanned.LineEnd;
        // The engine passes over empty lines, but for a table of one column, where each is a row.
        var isRow = length > 0 || dialect.Columns.Count == 1;
        if (isRow && scanned.Fields != dialect.Columns.Count) await SetAsideAsync(length, $"expected {dialect.Columns.Count} columns, found {scanned.Fields}", cancellation);
        else if (checksText && !IsUtf8(_buffer.AsSpan(_start, length))) await SetAsideAsync(length, "the text is not UTF-8", cancellation);
        else if (isRow && misfits?.GetValueOrDefault(++_record) is { } why) await SetAsideAsync(length, why, cancellation);
        else await KeepAsync(length, cancellation);
        Pass(scanned.Length);
    }

    private async Task<Scanned> ScanAsync(Stream source, CancellationToken cancellation)
    {
        while (true)
        {
            var scanned = _scan.Next(_buffer.AsSpan(_start, _end - _start), _isAll);
            if (scanned.End != RecordEnd.Open) return scanned;
            if (_end - _start > RecordBytesMax) return scanned with { End = RecordEnd.Quote };
            await ReadAsync(source, cancellation);
        }
    }

    private async Task WholeLineAsync(Stream source, CancellationToken cancellation)
    {
        // One byte more, since \r may be followed by \n.
        while (!_isAll && LineLength(_buffer.AsSpan(_start, _end - _start)).All is var all && all >= _end - _start) await ReadAsync(source, cancellation);
    }

    private static (int Text, int All) LineLength(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0) return (text.Length, text.Length);
        return (end, text[end] == (byte)'\r' && end + 1 < text.Length && text[end + 1] == (byte)'\n' ? end + 2 : end + 1);
    }

    private async Task KeepAsync(int length, CancellationToken cancellation)
    {
        await _clean!.WriteAsync(_buffer.AsMemory(_start, length), cancellation);
        await _clean.WriteAsync(_lineEnd, cancellation);
    }

    private async Task SetAsideAsync(int length, string reason, CancellationToken cancellation)
    {
        if (++_count > RowsMax) throw new TableException($"{file.Path}: more than {RowsMax} rows are bad ({reason}, line {_line}); look at its delimiter and quote");
        var text = Encoding.UTF8.GetString(_buffer, _start, Math.Min(length, TextCharactersMax)) + (length > TextCharactersMax ? "…" : "");
        var row = new SetAsideRow(file.Path, _line, reason, text);
        await _kept!.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(row, SetAsideJson.Default.SetAsideRow), cancellation);
        await _kept.WriteAsync(_lineEnd, cancellation);
    }

    private void Pass(int length)
    {
        var text = _buffer.AsSpan(_start, length);
        var returns = text.Count((byte)'\r');
        _line += returns == 0 ? text.Count((byte)'\n') : returns + text.Count((byte)'\n') - text.Count("\r\n"u8);
        _start += length;
    }

    private async Task<bool> FillAsync(Stream source, CancellationToken cancellation)
    {
        while (_start == _end && !_isAll) await ReadAsync(source, cancellation);
        return _start < _end;
    }

    private async Task ReadAsync(Stream source, CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = await source.ReadAsync(_buffer.AsMemory(_end), cancellation);
        _isAll = read == 0;
        _end += read;
    }

    private static bool IsUtf8(ReadOnlySpan<byte> text)
    {
        try
        {
            Strict.GetCharCount(text);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
