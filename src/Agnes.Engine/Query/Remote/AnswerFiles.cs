using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Query.Remote;

/// <summary>
/// Writes the answer of another system into Parquet files, cell by cell, in memory that does not grow with the answer: rows wait in
/// columns until they are a chunk, and an engine of its own makes a file of each chunk. The folder is there once the answer is whole, and
/// not before.
/// One cell for each column, in order, then <see cref="EndRowAsync"/>; at the end <see cref="CompleteAsync"/>, without which nothing
/// stays.
/// </summary>
public sealed class AnswerFiles : IAsyncDisposable
{
    /// <summary>Of the engine, besides what the process itself takes.</summary>
    private const long EngineBytes = 128L << 20;

    private const long ChunkRowsMax = 122_880; // the engine's own row group

    /// <summary>The engine takes up to twelve times as much while it writes a chunk, and several questions share a process.</summary>
    public const long ChunkBytesDefault = 4L << 20;

    /// <summary>
    /// What waits may take so many times as much as its values: a NULL in a column of texts takes as much as a short text.
    /// </summary>
    private const int HeldFactor = 4;

    private const int NumberCharactersMax = 64;
    private const string Suffix = ".parquet";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _folder;
    private readonly string _growing;
    private readonly long _bytesMax;
    private readonly long _chunkBytesMax;
    private readonly DuckDBConnection _engine;

    /// <summary>One is written while rows gather in the other.</summary>
    private readonly DuckDBRows?[] _chunks = new DuckDBRows?[2];

    /// <summary>Of each column that is a decimal.</summary>
    private readonly (byte Width, byte Scale)?[] _decimals;
    private readonly (string Name, string Type)[] _gathered;
    private readonly string _select;
    private DuckDBRows? _rows;
    private Task _writing = Task.CompletedTask;
    private int _chunk;
    private int _files;
    private long _chunkBytes;
    private long _bytes;

    private AnswerFiles(
        string folder, string growing, IReadOnlyList<TableColumn> columns, long bytesMax, long chunkBytesMax, DuckDBConnection engine)
    {
        (_folder, _growing, _bytesMax, _chunkBytesMax) = (folder, growing, bytesMax, chunkBytesMax);
        _engine = engine;
        var named = Named(columns);
        _decimals = [.. named.Select(column => DuckDBRows.DecimalOf(column.Type))];
        _select = string.Join(", ", named.Select(column => Selected(SqlText.Identifier(column.Name), column.Type)));
        _gathered = [.. named.Select(column => (column.Name, DuckDBRows.Holds(column.Type) ? column.Type : "VARCHAR"))];
    }

    /// <summary>
    /// Of all columns, those whose cells are given as JSON text and become what they are when a chunk is written: lists, structs, maps
    /// and JSON itself.
    /// </summary>
    public static bool IsCastOnWriting(string type) =>
        type == "JSON" || type.EndsWith(']') || type.StartsWith("STRUCT(", StringComparison.Ordinal)
            || type.StartsWith("MAP(", StringComparison.Ordinal);

    /// <param name="folder">Not there yet; made when the answer is whole.</param>
    /// <param name="columns">In the engine's types. A name that is there twice gets a number, as the engine itself gives it.</param>
    /// <param name="bytesMax">Of all files together. One more is a <see cref="RemoteException"/> that is the question's fault.</param>
    /// <param name="chunkBytesMax">Of values that wait to be written; the process needs some twenty times as much.</param>
    public static async Task<AnswerFiles> OpenAsync(
        string folder, IReadOnlyList<TableColumn> columns, long bytesMax, CancellationToken cancellation, long chunkBytesMax = ChunkBytesDefault)
    {
        var growing = $"{folder}.growing";
        Directory.CreateDirectory(growing);
        var temporary = Directory.CreateDirectory(Path.Combine(growing, "spill")).FullName;
        var share = new Share(EngineBytes, Threads: 1, TempBytes: EngineBytes);
        var answer = new AnswerFiles(folder, growing, columns, bytesMax, chunkBytesMax, WorkerDatabase.Open(share, temporary, [growing]));
        try
        {
            await Task.Run(answer.Prepare, cancellation);
            return answer;
        }
        catch
        {
            await answer.DisposeAsync();
            throw;
        }
    }

    /// <summary>The files of an answer that is whole, in the order of its rows.</summary>
    public static IReadOnlyList<string> In(string folder) =>
        [.. Directory.EnumerateFiles(folder, $"*{Suffix}").Order(StringComparer.Ordinal)];

    public void Null() => Rows.AppendNull();

    public void Boolean(bool value) => Rows.Append(value);

    public void Integer(long value)
    {
        if (Rows.NextType is DuckDBType.Varchar or DuckDBType.Decimal)
        {
            Span<byte> text = stackalloc byte[NumberCharactersMax];
            Utf8Formatter.TryFormat(value, text, out var written);
            Utf8(text[..written]);
            return;
        }

        Rows.Append(value);
        _chunkBytes += sizeof(long);
    }

    public void Float(double value)
    {
        Rows.Append(value);
        _chunkBytes += sizeof(double);
    }

    /// <summary>An integer that may be longer than 64 bits, or a decimal of any scale: rounded to the column's, never cut.</summary>
    public void Decimal(decimal value)
    {
        Span<byte> text = stackalloc byte[NumberCharactersMax];
        if (!Utf8Formatter.TryFormat(value, text, out var written)) throw new FormatException("A decimal is longer than any.");
        Utf8(text[..written]);
    }

    /// <summary>A decimal as the integer that it is without its point, where few digits follow that.</summary>
    /// <param name="scale">How many.</param>
    public void Unscaled(long value, int scale)
    {
        if (_decimals[Rows.NextColumn] is not { } type || type.Scale != scale)
        {
            Span<byte> text = stackalloc byte[NumberCharactersMax];
            Utf8(text[..DecimalText.Write(value, scale, text)]);
            return;
        }

        Rows.AppendUnscaled(value);
        _chunkBytes += sizeof(long);
    }

    /// <summary>A text, or the text of a value of any type that the engine reads (a decimal of 38 digits, a UUID).</summary>
    public void Text(string value)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Strict.GetByteCount(value));
        Utf8(bytes.AsSpan(0, Strict.GetBytes(value, bytes)));
        ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <inheritdoc cref="Text"/>
    public void Utf8(ReadOnlySpan<byte> value)
    {
        if (_decimals[Rows.NextColumn] is { } type) Rows.AppendUnscaled(DecimalText.TryRead(value, type.Scale) ?? Cast(value, type));
        else if (Rows.NextType == DuckDBType.Varchar) Rows.AppendUtf8(value);
        else Read(Strict.GetString(value), Rows.NextType, _gathered[Rows.NextColumn].Type);
        _chunkBytes += value.Length;
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Rows.AppendBlob(value);
        _chunkBytes += value.Length;
    }

    /// <param name="days">Since 1970-01-01; the largest number is infinity, its negative the other.</param>
    public void Date(int days) => Rows.AppendDays(days);

    /// <param name="micros">Microseconds since midnight.</param>
    public void Time(long micros) => Rows.AppendTimeOfDay(micros);

    /// <summary>A time stamp with or without time zone.</summary>
    /// <param name="micros">Microseconds since 1970-01-01, of UTC where there is a zone; the largest number is infinity, its negative the
    /// other.</param>
    public void Timestamp(long micros) => Rows.AppendMicroseconds(micros);

    public void Uuid(Guid value)
    {
        Span<byte> text = stackalloc byte[NumberCharactersMax];
        value.TryFormat(text, out var written);
        Utf8(text[..written]);
    }

    /// <exception cref="RemoteException">The answer is larger than allowed.</exception>
    public ValueTask EndRowAsync(CancellationToken cancellation) =>
        EndsChunk() ? new ValueTask(HandOverAsync(cancellation)) : ValueTask.CompletedTask;

    /// <summary>The same for whoever reads rows in a call that does not wait: the caller's thread writes what is full.</summary>
    /// <exception cref="RemoteException">The answer is larger than allowed.</exception>
    public void EndRow(CancellationToken cancellation)
    {
        if (!EndsChunk()) return;
        WriteChunk(_chunk, cancellation);
        StartChunk(_chunk);
    }

    /// <summary>Writes what is left, a file without rows where there were none, and makes the folder.</summary>
    /// <exception cref="RemoteException">The answer is larger than allowed.</exception>
    public async Task CompleteAsync(CancellationToken cancellation)
    {
        await _writing;
        if (Rows.Count > 0 || _files == 0) await Task.Run(() => WriteChunk(_chunk, cancellation), cancellation);
        CloseEngine();
        Directory.Delete(Path.Combine(_growing, "spill"), recursive: true);
        Directory.Move(_growing, _folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        CloseEngine();
        if (Directory.Exists(_growing)) Directory.Delete(_growing, recursive: true);
    }

    private void Prepare()
    {
        for (var i = 0; i < _chunks.Length; i++)
        {
            _chunks[i] = new DuckDBRows(_gathered);
            _engine.Register($"chunk{i}", _chunks[i]!);
        }

        _rows = _chunks[0];
    }

    private DuckDBRows Rows => _rows ?? throw new InvalidOperationException("The answer is complete.");

    private bool EndsChunk()
    {
        Rows.EndRow();
        return Rows.Count >= ChunkRowsMax || _chunkBytes >= _chunkBytesMax || Rows.Bytes >= HeldFactor * _chunkBytesMax;
    }

    private void StartChunk(int chunk)
    {
        (_chunk, _rows, _chunkBytes) = (chunk, _chunks[chunk], 0);
        Rows.Clear();
    }

    /// <summary>What is full is written while the next rows come: one chunk behind at most.</summary>
    private async Task HandOverAsync(CancellationToken cancellation)
    {
        await _writing;
        var full = _chunk;
        _writing = Task.Run(() => WriteChunk(full, cancellation), cancellation);
        StartChunk(1 - full);
    }

    private void WriteChunk(int chunk, CancellationToken cancellation)
    {
        Scratch.EnsureFree(_growing, Math.Max(_chunkBytesMax, _chunks[chunk]!.Bytes));
        var file = Path.Combine(_growing, $"{_files++.ToString("D8", CultureInfo.InvariantCulture)}{Suffix}");
        _engine.ExecuteUnprepared(
            $"COPY (SELECT {_select} FROM chunk{chunk}()) TO {SqlText.Literal(file)} (FORMAT parquet, USE_TMP_FILE false)", cancellation);
        _bytes += new FileInfo(file).Length;
        if (_bytes <= _bytesMax) return;
        throw new RemoteException(
            RemoteFault.Question, $"The answer is larger than {_bytesMax >> 20} MiB. Filter more, name fewer columns, or aggregate.")
        {
            IsTooLarge = true,
        };
    }

    /// <summary>Whatever else the engine takes for a decimal, such as <c>1e3</c>: it is asked, and it says what is none.</summary>
    private Int128 Cast(ReadOnlySpan<byte> text, (byte Width, byte Scale) type)
    {
        using var connection = _engine.Duplicate(); // the other may be writing
        using var command = new DuckDBCommand(
            $"SELECT CAST(CAST({SqlText.Literal(Strict.GetString(text))} AS DECIMAL({type.Width},{type.Scale})) AS VARCHAR)", connection);
        return DecimalText.TryRead(Strict.GetBytes((string)command.ExecuteScalar()!), type.Scale)!.Value;
    }

    /// <summary>The text of a value of whatever type, as nobody gives many of: the engine reads it.</summary>
    private void Read(string text, DuckDBType type, string name)
    {
        var form = type switch
        {
            DuckDBType.Float or DuckDBType.Double => "CAST(v AS DOUBLE)",
            DuckDBType.Blob => "v",
            DuckDBType.Date =>
                "CASE WHEN isfinite(v) THEN v - DATE '1970-01-01' WHEN v > DATE '1970-01-01' THEN 2147483647 ELSE -2147483647 END",
            DuckDBType.Time => "epoch_us(v)",
            DuckDBType.Timestamp or DuckDBType.TimestampTz =>
                "CASE WHEN isfinite(v) THEN epoch_us(v) "
                + "WHEN v > TIMESTAMP '1970-01-01' THEN 9223372036854775807 ELSE -9223372036854775807 END",
            _ => "CAST(v AS BIGINT)",
        };
        using var connection = _engine.Duplicate();
        using var command = new DuckDBCommand($"SELECT {form} FROM (SELECT CAST({SqlText.Literal(text)} AS {name}) AS v)", connection);
        var value = command.ExecuteScalar()!;
        switch (type)
        {
            case DuckDBType.Float or DuckDBType.Double: Rows.Append((double)value); break;
            case DuckDBType.Blob: Rows.AppendBlob((byte[])value); break;
            case DuckDBType.Boolean: Rows.Append(Convert.ToInt64(value, CultureInfo.InvariantCulture) != 0); break;
            case DuckDBType.Date: Rows.AppendDays(Convert.ToInt32(value, CultureInfo.InvariantCulture)); break;
            case DuckDBType.Time: Rows.AppendTimeOfDay(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case DuckDBType.Timestamp or DuckDBType.TimestampTz:
                Rows.AppendMicroseconds(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            default: Rows.Append(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private void CloseEngine()
    {
        _rows = null;
        _engine.Dispose();
        foreach (var rows in _chunks) rows?.Dispose();
    }

    /// <summary>
    /// What Parquet has no form for is written as what loses nothing, as in extracts; JSON text becomes what its type says.
    /// </summary>
    private static string Selected(string name, string type)
    {
        if (type == "JSON") return $"CAST({name} AS JSON) AS {name}";
        var storable = ParquetTypes.Storable(type);
        if (IsCastOnWriting(type)) return $"CAST(CAST({name} AS JSON) AS {storable}) AS {name}";
        if (type is "NULL" or "\"NULL\"") return name;
        if (!DuckDBRows.Holds(type)) return $"CAST(CAST({name} AS {type}) AS {storable}) AS {name}"; // it was gathered as its text
        return storable == type ? name : $"CAST({name} AS {storable}) AS {name}";
    }

    private static List<TableColumn> Named(IReadOnlyList<TableColumn> columns)
    {
        var taken = columns.Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var named = new List<TableColumn>(columns.Count);
        foreach (var column in columns)
        {
            var name = column.Name;
            for (var number = 1; !seen.Add(name); number++)
            {
                name = new StringBuilder(column.Name).Append('_').Append(number).ToString();
                if (!taken.Add(name)) name = column.Name; // somebody else is called so
            }

            named.Add(column with { Name = name });
        }

        return named;
    }
}
