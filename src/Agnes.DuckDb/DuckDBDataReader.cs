using System.Collections;
using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using DuckDB.NET.Data.Native;
using DuckDB.NET.Data.Vectors;

namespace DuckDB.NET.Data;

/// <summary>
/// Reads results by chunks of up to 2,048 rows, straight from the engine's memory. Rows come one by one with <see cref="Read()"/>, or whole chunks
/// with <see cref="ReadChunk"/> and <see cref="Columns"/>. A value that .NET's type cannot hold (an infinite timestamp, a DECIMAL of 38 digits) is
/// its text from <see cref="GetValue"/>, and an OverflowException from the typed getter.
/// </summary>
public sealed class DuckDBDataReader : DbDataReader
{
    private static readonly Task<bool> HasRow = Task.FromResult(true);

    private readonly DuckDBConnection _connection;
    private readonly Queue<ResultHandle> _results;
    private readonly bool _closesConnection;
    private readonly TimeBudget _budget;
    private readonly CancellationToken _cancellation;
    private ResultHandle? _result;
    private DuckDBColumn[] _columns = [];
    private ColumnVector[] _vectors = [];
    private Dictionary<string, int>? _ordinals;
    private nint _chunk;
    private int _rows;
    private int _row = -1;
    private bool _hasRows;
    private bool _chunkIsNew; // fetched, but not yet handed to ReadChunk or Read
    private bool _closed;

    internal DuckDBDataReader(
        DuckDBConnection connection, Queue<ResultHandle> results, int recordsAffected, bool closesConnection, TimeBudget budget, CancellationToken cancellation)
    {
        _connection = connection;
        _results = results;
        _closesConnection = closesConnection;
        _budget = budget;
        _cancellation = cancellation;
        RecordsAffected = recordsAffected;
        connection.Track(this);
        try
        {
            NextResult();
        }
        catch
        {
            Close();
            throw;
        }
    }

    public override int Depth => 0;

    public override int FieldCount => _columns.Length;

    public override bool HasRows => _hasRows;

    public override bool IsClosed => _closed;

    /// <summary>Rows changed by the statements without a result; -1 when there was none.</summary>
    public override int RecordsAffected { get; }

    public override object this[int ordinal] => GetValue(ordinal);

    public override object this[string name] => GetValue(GetOrdinal(name));

    /// <summary>The columns of the result. Their values are those of the current chunk.</summary>
    public IReadOnlyList<DuckDBColumn> Columns => _columns;

    /// <summary>Rows of the current chunk.</summary>
    public int ChunkRows => _rows;

    /// <summary>Moves to the next chunk whose rows were not read yet. False: there is none.</summary>
    public bool ReadChunk() => ReadChunk(CancellationToken.None);

    /// <summary>Moves to the next chunk whose rows were not read yet. False: there is none.</summary>
    public bool ReadChunk(CancellationToken cancellationToken)
    {
        if (!_chunkIsNew && !FetchChunk(cancellationToken)) return false;
        _chunkIsNew = false;
        _row = _rows; // Read goes on behind this chunk
        return true;
    }

    public override bool Read() => Read(CancellationToken.None);

    public override Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_row + 1 >= _rows) return Task.Run(() => Read(cancellationToken), cancellationToken);
        Read(cancellationToken);
        return HasRow;
    }

    public override bool NextResult()
    {
        CloseResult();
        if (!_results.TryDequeue(out var result))
        {
            _columns = [];
            _vectors = [];
            return false;
        }

        _result = result;
        if (Execution.IsStreaming(result)) _connection.StreamingReader = this;
        DescribeColumns(result);
        // Errors of a streamed statement show with its first chunk, and belong to Execute.
        _hasRows = FetchChunk(CancellationToken.None);
        return true;
    }

    public override Task<bool> NextResultAsync(CancellationToken cancellationToken) => Task.Run(NextResult, cancellationToken);

    public override void Close()
    {
        if (_closed) return;
        _closed = true;
        CloseResult();
        foreach (var result in _results) result.Dispose();
        _results.Clear();
        _connection.Untrack(this);
        if (_closesConnection) _connection.Close();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Close();
        base.Dispose(disposing);
    }

    public override string GetName(int ordinal) => Column(ordinal).Name;

    public override int GetOrdinal(string name)
    {
        if (_ordinals is null)
        {
            _ordinals = new Dictionary<string, int>(_columns.Length, StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < _columns.Length; i++) _ordinals.TryAdd(_columns[i].Name, i);
        }

        return _ordinals.TryGetValue(name, out var ordinal) ? ordinal : throw new IndexOutOfRangeException($"The result has no column '{name}'.");
    }

    public override string GetDataTypeName(int ordinal) => Column(ordinal).LogicalType.Name;

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicFields)]
    [UnconditionalSuppressMessage("Trimming", "IL2073", Justification = "The types are those that the vectors name, and are used by them.")]
    public override Type GetFieldType(int ordinal) => _vectors[CheckOrdinal(ordinal)].ClrType;

    public override bool IsDBNull(int ordinal) => Column(ordinal).IsNull(CurrentRow);

    public override object GetValue(int ordinal) => Column(ordinal).IsNull(CurrentRow) ? DBNull.Value : _vectors[ordinal].GetValue(_row);

    public override int GetValues(object[] values)
    {
        var count = Math.Min(values.Length, FieldCount);
        for (var i = 0; i < count; i++) values[i] = GetValue(i);
        return count;
    }

    public override T GetFieldValue<T>(int ordinal)
    {
        if (!Column(ordinal).IsNull(CurrentRow)) return _vectors[ordinal].Get<T>(_row);
        if (typeof(T) == typeof(object) || typeof(T) == typeof(DBNull)) return (T)(object)DBNull.Value;
        if (Nullable.GetUnderlyingType(typeof(T)) is not null) return default!;
        throw NullValue(ordinal);
    }

    public override bool GetBoolean(int ordinal) => Vector(ordinal).GetBoolean(_row);

    public override byte GetByte(int ordinal) => checked((byte)Vector(ordinal).GetInt64(_row));

    public override short GetInt16(int ordinal) => checked((short)Vector(ordinal).GetInt64(_row));

    public override int GetInt32(int ordinal) => checked((int)Vector(ordinal).GetInt64(_row));

    public override long GetInt64(int ordinal) => Vector(ordinal).GetInt64(_row);

    public override float GetFloat(int ordinal) => (float)Vector(ordinal).GetDouble(_row);

    public override double GetDouble(int ordinal) => Vector(ordinal).GetDouble(_row);

    public override decimal GetDecimal(int ordinal) => Vector(ordinal).GetDecimal(_row);

    public override DateTime GetDateTime(int ordinal) => Vector(ordinal).GetDateTime(_row);

    public override Guid GetGuid(int ordinal) => Vector(ordinal).GetGuid(_row);

    public override string GetString(int ordinal) => Vector(ordinal).GetString(_row);

    public override char GetChar(int ordinal) => GetString(ordinal) is [var only] ? only : throw new InvalidCastException("The text is not one character.");

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length)
    {
        var bytes = Vector(ordinal).GetBytes(_row);
        if (buffer is null) return bytes.Length;
        var part = bytes[(int)Math.Min(dataOffset, bytes.Length)..];
        part = part[..Math.Min(part.Length, length)];
        part.CopyTo(buffer.AsSpan(bufferOffset));
        return part.Length;
    }

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length)
    {
        var text = GetString(ordinal).AsSpan();
        if (buffer is null) return text.Length;
        var part = text[(int)Math.Min(dataOffset, text.Length)..];
        part = part[..Math.Min(part.Length, length)];
        part.CopyTo(buffer.AsSpan(bufferOffset));
        return part.Length;
    }

    public override Stream GetStream(int ordinal) => new MemoryStream(Vector(ordinal).GetBytes(_row).ToArray(), writable: false);

    public override IEnumerator GetEnumerator() => new DbEnumerator(this, closeReader: false);

    private int CurrentRow
    {
        get
        {
            if ((uint)_row >= (uint)_rows) ThrowNoRow();
            return _row;
        }
    }

    private static void ThrowNoRow() => throw new InvalidOperationException("The reader stands on no row: call Read first.");

    internal bool Read(CancellationToken cancellationToken)
    {
        if (_row + 1 < _rows)
        {
            _row++;
            _chunkIsNew = false;
            return true;
        }

        if (!FetchChunk(cancellationToken)) return false;
        _row = 0;
        _chunkIsNew = false;
        return true;
    }

    /// <summary>Brings the next chunk that has rows.</summary>
    private unsafe bool FetchChunk(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        ReleaseChunk();
        if (_result is null) return false;
        try
        {
            var started = Stopwatch.GetTimestamp();
            using var interruption = new Interruption(_connection, _budget, cancellationToken.CanBeCanceled ? cancellationToken : _cancellation);
            do
            {
                ReleaseChunk();
                _chunk = Execution.Fetch(_connection, _result, interruption);
                _rows = _chunk == 0 ? 0 : (int)NativeMethods.duckdb_data_chunk_get_size(_chunk);
            }
            while (_chunk != 0 && _rows == 0);
            _budget.Spend(started);
        }
        catch
        {
            CloseResult(); // nothing more will come, and the connection is free again
            throw;
        }

        if (_chunk == 0)
        {
            CloseResult();
            return false;
        }

        for (var i = 0; i < _columns.Length; i++) _columns[i].Bind(NativeMethods.duckdb_data_chunk_get_vector(_chunk, (ulong)i), _rows);
        _chunkIsNew = true;
        return true;
    }

    private unsafe void DescribeColumns(ResultHandle result)
    {
        var count = (int)NativeMethods.duckdb_column_count(result.Pointer);
        _columns = new DuckDBColumn[count];
        _vectors = new ColumnVector[count];
        _ordinals = null;
        for (var i = 0; i < count; i++)
        {
            var name = Utf8.Borrow(NativeMethods.duckdb_column_name(result.Pointer, (ulong)i)) ?? "";
            _columns[i] = new DuckDBColumn(name, DuckDBLogicalType.Take(NativeMethods.duckdb_column_logical_type(result.Pointer, (ulong)i)));
            _vectors[i] = ColumnVector.Create(_columns[i]);
        }
    }

    /// <summary>Gives the result back to the engine; names and types of its columns stay readable.</summary>
    private void CloseResult()
    {
        ReleaseChunk();
        _result?.Dispose();
        _result = null;
        if (_connection.StreamingReader == this) _connection.StreamingReader = null;
    }

    private void ReleaseChunk()
    {
        _rows = 0;
        _row = -1;
        _chunkIsNew = false;
        if (_chunk == 0) return;
        foreach (var column in _columns) column.Unbind();
        NativeMethods.duckdb_destroy_data_chunk(ref _chunk);
    }

    private int CheckOrdinal(int ordinal) =>
        (uint)ordinal < (uint)_columns.Length ? ordinal : throw new IndexOutOfRangeException($"The result has no column {ordinal}.");

    private DuckDBColumn Column(int ordinal) => _columns[CheckOrdinal(ordinal)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ColumnVector Vector(int ordinal)
    {
        if (Column(ordinal).IsNull(CurrentRow)) throw NullValue(ordinal);
        return _vectors[ordinal];
    }

    private InvalidCastException NullValue(int ordinal) => new($"Column '{_columns[ordinal].Name}' is null in this row.");
}
