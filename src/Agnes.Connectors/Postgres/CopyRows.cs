using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Agnes.Connectors.Files;
using Agnes.Connectors.Postgres.Rendering;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Connectors.Postgres;

/// <summary>
/// Reads what <c>COPY … TO STDOUT (FORMAT binary)</c> sends ("File Formats" under COPY in PostgreSQL's manual): no text is made of a
/// number and no object of a cell, so that the database is what one waits for.
/// </summary>
internal sealed class CopyRows
{
    private const int SignatureBytes = 11;
    private const int BufferBytes = 1 << 20;

    /// <summary>PostgreSQL's own bound of a value; a row of several such is refused.</summary>
    private const int RowBytesMax = 1 << 30;
    private const int DaysTo2000 = 10_957;
    private const long MicrosecondsTo2000 = DaysTo2000 * 86_400_000_000L;

    /// <summary>Of four digits each, that 64 bits hold.</summary>
    private const int QuickGroups = 4;
    private const int ReportEvery = 200_000;
    private const int HeardEveryMilliseconds = 1000;
    private static readonly byte[] Signature = [.. "PGCOPY\n"u8, 0xff, .. "\r\n\0"u8];

    private static readonly int[] Tens = [1, 10, 100, 1_000, 10_000];

    private readonly Stream _stream;
    private readonly IReadOnlyList<TableColumn> _columns;
    private readonly Cell[] _cells;
    private readonly TimeSpan _silence;

    /// <summary>Ends a read that takes too long; set anew as rows come, but not for each of them.</summary>
    private CancellationTokenSource _limit = null!;
    private long _heard;
    private byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;

    /// <param name="silence">So long nothing may come.</param>
    public CopyRows(Stream stream, IReadOnlyList<TableColumn> columns, TimeSpan silence)
    {
        (_stream, _columns, _silence) = (stream, columns, silence);
        _cells = [.. columns.Select(column => CellOf(column.Type))];
    }

    private delegate void Cell(AnswerFiles rows, ReadOnlySpan<byte> value);

    /// <param name="got">Told now and then how many rows have come.</param>
    /// <returns>How many there were.</returns>
    /// <exception cref="TableException">A value has no form here.</exception>
    /// <exception cref="TimeoutException">Nothing came for too long.</exception>
    public async Task<long> WriteAsync(AnswerFiles rows, Action<long> got, CancellationToken cancellation)
    {
        using var limit = _limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _limit.CancelAfter(_silence);
        await NeedAsync(SignatureBytes + 8, cancellation);
        if (!_buffer.AsSpan(0, SignatureBytes).SequenceEqual(Signature)) throw new InvalidDataException("The database sent no rows in its binary form.");
        await NeedAsync(SignatureBytes + 8 + BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(SignatureBytes + 4)), cancellation);
        _start += SignatureBytes + 8 + BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(SignatureBytes + 4));
        for (var count = 0L; ;)
        {
            var length = RowLength();
            while (length < 0)
            {
                await FillAsync(cancellation);
                length = RowLength();
            }

            if (length == 0) return count;
            Take(_buffer.AsSpan(_start, length), rows);
            _start += length;
            await rows.EndRowAsync(cancellation);
            if (++count % ReportEvery == 0) got(count);
        }
    }

    /// <returns>0: there are no more rows; negative: not all of the row is here.</returns>
    private int RowLength()
    {
        var here = _buffer.AsSpan(_start, _end - _start);
        if (here.Length < 2) return -1;
        var cells = BinaryPrimitives.ReadInt16BigEndian(here);
        if (cells == -1) return 0;
        if (cells != _cells.Length) throw new InvalidDataException($"The database sent a row of {cells} cells; the table has {_cells.Length} columns.");
        var at = 2;
        for (var i = 0; i < cells; i++)
        {
            if (here.Length - at < 4) return -1;
            at += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(here[at..]));
            if (at > here.Length) return -1;
        }

        return at;
    }

    private void Take(ReadOnlySpan<byte> row, AnswerFiles rows)
    {
        row = row[2..];
        for (var i = 0; i < _cells.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(row);
            row = row[4..];
            if (length < 0)
            {
                rows.Null();
                continue;
            }

            try
            {
                _cells[i](rows, row[..length]);
            }
            catch (ArgumentException invalid)
            {
                throw new TableException($"A value of column '{_columns[i].Name}' is no valid text.", invalid);
            }
            catch (NotFiniteNumberException nan)
            {
                throw new TableException(
                    $"Column '{_columns[i].Name}' holds NaN, which no decimal here can be. Pull a view of the table in which it is NULL, or a double precision.",
                    nan);
            }

            row = row[length..];
        }
    }

    private async Task NeedAsync(int bytes, CancellationToken cancellation)
    {
        while (_end - _start < bytes) await FillAsync(cancellation);
    }

    private async Task FillAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= RowBytesMax) throw new TableException("A row is larger than 1 GiB.");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        Listen();
        int got;
        try
        {
            got = await _stream.ReadAsync(_buffer.AsMemory(_end), _limit.Token);
        }
        catch (OperationCanceledException silent) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"Nothing came for {_silence.TotalSeconds:0} s.", silent);
        }

        if (got == 0) throw new EndOfStreamException("The database ended in the middle of a row.");
        _end += got;
    }

    /// <summary>The driver gives a row at a time: a timer of its own for each would cost more than the row does.</summary>
    private void Listen()
    {
        var now = Environment.TickCount64;
        if (now - _heard < Math.Min(HeardEveryMilliseconds, _silence.TotalMilliseconds / 8)) return;
        _heard = now;
        _limit.CancelAfter(_silence);
    }

    private static Cell CellOf(string type) => type switch
    {
        "FLOAT" => static (rows, value) => rows.Float(BinaryPrimitives.ReadSingleBigEndian(value)),
        _ => EngineTypes.KindOf(type) switch
        {
            ValueKind.Boolean => static (rows, value) => rows.Boolean(value[0] != 0),
            ValueKind.Integer => static (rows, value) => rows.Integer(value.Length switch
            {
                2 => BinaryPrimitives.ReadInt16BigEndian(value),
                4 => BinaryPrimitives.ReadInt32BigEndian(value),
                _ => BinaryPrimitives.ReadInt64BigEndian(value),
            }),
            ValueKind.Float => static (rows, value) => rows.Float(BinaryPrimitives.ReadDoubleBigEndian(value)),
            ValueKind.Decimal => Numeric,
            ValueKind.Date => static (rows, value) => rows.Date(BinaryPrimitives.ReadInt32BigEndian(value) switch
            {
                int.MaxValue => int.MaxValue,
                int.MinValue => -int.MaxValue,
                var days => days + DaysTo2000,
            }),
            ValueKind.Time => static (rows, value) => rows.Time(BinaryPrimitives.ReadInt64BigEndian(value)),
            ValueKind.Timestamp or ValueKind.Instant => static (rows, value) => rows.Timestamp(BinaryPrimitives.ReadInt64BigEndian(value) switch
            {
                long.MaxValue => long.MaxValue,
                long.MinValue => -long.MaxValue,
                var micros => micros + MicrosecondsTo2000,
            }),
            ValueKind.Uuid => static (rows, value) => rows.Uuid(new Guid(value, bigEndian: true)),
            ValueKind.Bytes => static (rows, value) => rows.Bytes(value),
            _ => static (rows, value) => rows.Utf8(value),
        },
    };

    /// <summary>Digits in base 10,000, where the point is, the sign and how many digits follow the point (<c>numeric_send</c>).</summary>
    private static void Numeric(AnswerFiles rows, ReadOnlySpan<byte> value)
    {
        const int NumberCharactersMax = 64;
        const short Negative = 0x4000;
        var (digits, weight) = (BinaryPrimitives.ReadInt16BigEndian(value), BinaryPrimitives.ReadInt16BigEndian(value[2..]));
        var (sign, scale) = (BinaryPrimitives.ReadInt16BigEndian(value[4..]), BinaryPrimitives.ReadInt16BigEndian(value[6..]));
        if (sign is not (0 or Negative)) throw new NotFiniteNumberException();
        if (weight < QuickGroups && Math.Max(0, weight + 1) + ((scale + 3) / 4) <= QuickGroups)
        {
            var unscaled = Unscaled(value, digits, weight, scale);
            rows.Unscaled(sign == Negative ? -unscaled : unscaled, scale);
            return;
        }

        Span<byte> text = stackalloc byte[NumberCharactersMax];
        var length = 0;
        if (sign == Negative) text[length++] = (byte)'-';
        for (var i = Math.Min(0, (int)weight); i <= weight; i++) length += Four(text[length..], At(value, i, digits));
        if (scale > 0)
        {
            text[length++] = (byte)'.';
            var point = length;
            for (var i = weight + 1; length - point < scale; i++) length += Four(text[length..], At(value, i, digits));
            length = point + scale;
        }

        rows.Utf8(text[..length]);
    }

    /// <summary>Of a number that 64 bits hold, as most are.</summary>
    private static long Unscaled(ReadOnlySpan<byte> value, int digits, int weight, int scale)
    {
        var unscaled = 0L;
        for (var i = Math.Min(0, weight); i <= weight; i++) unscaled = (unscaled * 10_000) + At(value, i, digits);
        var group = weight + 1;
        for (; scale >= 4; scale -= 4) unscaled = (unscaled * 10_000) + At(value, group++, digits);
        return scale == 0 ? unscaled : (unscaled * Tens[scale]) + (At(value, group, digits) / Tens[4 - scale]);
    }

    private static int At(ReadOnlySpan<byte> value, int index, int digits) =>
        index >= 0 && index < digits ? BinaryPrimitives.ReadInt16BigEndian(value[(8 + (2 * index))..]) : 0;

    private static int Four(Span<byte> text, int group)
    {
        for (var i = 3; i >= 0; i--, group /= 10) text[i] = (byte)('0' + (group % 10));
        return 4;
    }
}
