using System.Buffers;
using System.Text.Json;

namespace Agnes.Connectors.BigQuery;

/// <summary>
/// Reads a page of rows while it arrives: one row is in memory, never the page. The order of the page's properties does not matter, since
/// the columns are known before.
/// </summary>
/// <param name="rowBytesMax">For a row, and for anything else that is read whole.</param>
internal sealed class PageReader(int rowBytesMax) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _start;
    private int _end;
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = 128 });
    private Place _place = Place.Before;

    private enum Place
    {
        Before,
        InPage,
        InRows,
        After,
    }

    /// <summary>Takes one row's JSON.</summary>
    public delegate void TakeRow(ReadOnlySpan<byte> json);

    /// <summary>Where the next page is; null: this is the last.</summary>
    public string? PageToken { get; private set; }

    /// <summary>Null when the page does not say.</summary>
    public bool? IsComplete { get; private set; }

    public long Rows { get; private set; }

    /// <param name="read">Reads more of the answer; bounds the time of each read. 0 at its end.</param>
    /// <exception cref="BigQueryException">The answer ends before the page does, or is none.</exception>
    public async Task ReadAsync(Func<Memory<byte>, ValueTask<int>> read, TakeRow take)
    {
        while (true)
        {
            try
            {
                if (Advance(take)) return;
            }
            catch (JsonException malformed)
            {
                throw BigQueryErrors.NotUnderstood("a page of rows", malformed);
            }

            MakeRoom();
            var count = await read(_buffer.AsMemory(_end));
            if (count == 0) throw BigQueryErrors.Unreachable(new EndOfStreamException("The page has no end."));
            _end += count;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <returns>Whether the page is whole.</returns>
    private bool Advance(TakeRow take)
    {
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), isFinalBlock: false, _state);
        while (_place != Place.After)
        {
            var before = reader;
            if (Step(ref reader, take)) continue;
            reader = before; // as if it had not been begun
            break;
        }

        _start += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
        return _place == Place.After;
    }

    /// <returns>False: more of the answer has to come first.</returns>
    private bool Step(ref Utf8JsonReader reader, TakeRow take)
    {
        if (!reader.Read()) return false;
        switch (_place)
        {
            case Place.Before:
                if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("A page is an object.");
                _place = Place.InPage;
                return true;
            case Place.InPage when reader.TokenType == JsonTokenType.EndObject:
                _place = Place.After;
                return true;
            case Place.InPage:
                return Property(ref reader);
            case Place.InRows when reader.TokenType == JsonTokenType.EndArray:
                _place = Place.InPage;
                return true;
            default:
                var start = (int)reader.TokenStartIndex;
                if (!reader.TrySkip()) return false;
                Rows++;
                take(_buffer.AsSpan(_start + start, (int)reader.BytesConsumed - start));
                return true;
        }
    }

    private bool Property(ref Utf8JsonReader reader)
    {
        var isRows = reader.ValueTextEquals("rows"u8);
        var isToken = reader.ValueTextEquals("pageToken"u8);
        var isComplete = reader.ValueTextEquals("jobComplete"u8);
        if (!reader.Read()) return false;
        if (isRows && reader.TokenType == JsonTokenType.StartArray)
        {
            _place = Place.InRows;
            return true;
        }

        if (isToken && reader.TokenType == JsonTokenType.String) PageToken = reader.GetString();
        if (isComplete && reader.TokenType is JsonTokenType.True or JsonTokenType.False) IsComplete = reader.GetBoolean();
        return reader.TrySkip();
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end < _buffer.Length) return;
        if (_buffer.Length >= rowBytesMax) throw BigQueryErrors.NotUnderstood($"a row is larger than {rowBytesMax >> 20} MiB");
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(_buffer.Length * 2, rowBytesMax));
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
