using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>
/// Loads rows into a table: one Append for each column, then <see cref="EndRow"/>; at the end <see cref="Close"/>, which writes the rest and throws what
/// went wrong. Disposed without Close it drops the rows that it still holds; what it has written already stays, unless the transaction is rolled back.
/// </summary>
public sealed unsafe class DuckDBAppender : IDisposable
{
    private const int StackBytesMax = 512;

    private readonly DuckDBConnection _connection;
    private readonly AppenderHandle _handle;
    private bool _closed;

    internal DuckDBAppender(DuckDBConnection connection, string? catalog, string? schema, string table)
    {
        connection.EnsureIdle();
        _connection = connection;
        var state = NativeMethods.duckdb_appender_create_ext(connection.Handle, catalog, schema, table, out var appender);
        _handle = new AppenderHandle(connection.Handle, appender);
        if (state != 0)
        {
            var failure = Failure();
            _handle.Dispose();
            throw failure;
        }

        connection.Track(this);
    }

    public DuckDBAppender AppendNull() => Check(NativeMethods.duckdb_append_null(_handle));

    public DuckDBAppender AppendDefault() => Check(NativeMethods.duckdb_append_default(_handle));

    public DuckDBAppender Append(bool value) => Check(NativeMethods.duckdb_append_bool(_handle, value));

    public DuckDBAppender Append(int value) => Check(NativeMethods.duckdb_append_int32(_handle, value));

    public DuckDBAppender Append(long value) => Check(NativeMethods.duckdb_append_int64(_handle, value));

    public DuckDBAppender Append(ulong value) => Check(NativeMethods.duckdb_append_uint64(_handle, value));

    public DuckDBAppender Append(Int128 value) => Check(NativeMethods.duckdb_append_hugeint(_handle, NativeHugeInt.From(value)));

    public DuckDBAppender Append(float value) => Check(NativeMethods.duckdb_append_float(_handle, (float)EngineValue.PlainNaN(value)));

    public DuckDBAppender Append(double value) => Check(NativeMethods.duckdb_append_double(_handle, EngineValue.PlainNaN(value)));

    public DuckDBAppender Append(DateOnly value) => Check(NativeMethods.duckdb_append_date(_handle, EngineTime.Days(value)));

    public DuckDBAppender Append(TimeOnly value) => Check(NativeMethods.duckdb_append_time(_handle, value.Ticks / TimeSpan.TicksPerMicrosecond));

    public DuckDBAppender Append(DateTime value) => Check(NativeMethods.duckdb_append_timestamp(_handle, EngineTime.Micros(value)));

    /// <summary>Appends a DATE as the engine counts it: days since 1970-01-01, with the infinities that a <see cref="DateOnly"/> lacks.</summary>
    public DuckDBAppender AppendDays(int days) => Check(NativeMethods.duckdb_append_date(_handle, days));

    /// <summary>Appends a TIMESTAMP, with or without time zone, as the engine counts it: microseconds since 1970-01-01 UTC.</summary>
    public DuckDBAppender AppendMicroseconds(long micros) => Check(NativeMethods.duckdb_append_timestamp(_handle, micros));

    /// <summary>Appends a TIME as the engine counts it: microseconds since midnight, 24:00 included.</summary>
    public DuckDBAppender AppendTimeOfDay(long micros) => Check(NativeMethods.duckdb_append_time(_handle, micros));

    public DuckDBAppender Append(DateTimeOffset value) => AppendValue(value);

    public DuckDBAppender Append(TimeSpan value) => Check(NativeMethods.duckdb_append_interval(_handle, DuckDBInterval.From(value)));

    public DuckDBAppender Append(decimal value) => AppendValue(value);

    public DuckDBAppender Append(Guid value) => AppendValue(value);

    public DuckDBAppender Append(string? value)
    {
        if (value is null) return AppendNull();
        var count = Utf8.Strict.GetByteCount(value);
        var bytes = count <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[count];
        return AppendChecked(bytes[..Utf8.Strict.GetBytes(value, bytes)]);
    }

    public DuckDBAppender Append(byte[]? value) => value is null ? AppendNull() : AppendBlob(value);

    /// <summary>Appends a BLOB.</summary>
    public DuckDBAppender AppendBlob(ReadOnlySpan<byte> value)
    {
        byte none = 0;
        fixed (byte* data = value) return Check(NativeMethods.duckdb_append_blob(_handle, data is null ? &none : data, (ulong)value.Length));
    }

    /// <summary>Appends a text that is UTF-8 already. That is checked here, since the engine would store any bytes.</summary>
    public DuckDBAppender AppendUtf8(ReadOnlySpan<byte> value)
    {
        if (!System.Text.Unicode.Utf8.IsValid(value)) throw new ArgumentException("The text is not valid UTF-8.", nameof(value));
        return AppendChecked(value);
    }

    /// <summary>Appends anything that can be a parameter, lists included. The engine casts it to the column's type.</summary>
    public DuckDBAppender AppendValue(object? value)
    {
        var made = EngineValue.Create(value);
        try
        {
            return Check(NativeMethods.duckdb_append_value(_handle, made));
        }
        finally
        {
            NativeMethods.duckdb_destroy_value(ref made);
        }
    }

    public void EndRow() => Check(NativeMethods.duckdb_appender_end_row(_handle));

    /// <summary>Writes what was appended so far.</summary>
    public void Flush() => Check(NativeMethods.duckdb_appender_flush(_handle));

    /// <summary>Writes the rest and ends the load.</summary>
    public void Close()
    {
        if (_closed) return;
        Check(NativeMethods.duckdb_appender_close(_handle));
        Dispose();
    }

    public void Dispose()
    {
        _closed = true;
        _connection.Untrack(this);
        _handle.Dispose();
    }

    private DuckDBAppender AppendChecked(ReadOnlySpan<byte> value)
    {
        byte none = 0;
        fixed (byte* text = value) return Check(NativeMethods.duckdb_append_varchar_length(_handle, text is null ? &none : text, (ulong)value.Length));
    }

    private DuckDBAppender Check(int state) => state == 0 ? this : throw Failure();

    private DuckDBException Failure()
    {
        var appender = _handle.DangerousGetHandle();
        var message = Utf8.Borrow(NativeMethods.duckdb_appender_error(appender)) ?? "The engine refused the row.";
        var error = NativeMethods.duckdb_appender_error_data(appender);
        var type = (DuckDBErrorType)NativeMethods.duckdb_error_data_error_type(error);
        NativeMethods.duckdb_destroy_error_data(ref error);
        return Execution.Failure(_connection, message, type);
    }
}
