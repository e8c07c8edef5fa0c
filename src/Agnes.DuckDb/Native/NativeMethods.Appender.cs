using System.Runtime.InteropServices;

namespace DuckDB.NET.Data.Native;

/// <summary>Bulk loading.</summary>
internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int duckdb_appender_create_ext(ConnectionHandle connection, string? catalog, string? schema, string table, out nint appender);

    [LibraryImport(Library)]
    internal static partial nint duckdb_appender_error(nint appender);

    /// <summary>The caller destroys the error.</summary>
    [LibraryImport(Library)]
    internal static partial nint duckdb_appender_error_data(nint appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_error_data_error_type(nint error);

    [LibraryImport(Library)]
    internal static partial void duckdb_destroy_error_data(ref nint error);

    [LibraryImport(Library)]
    internal static partial int duckdb_appender_flush(AppenderHandle appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_appender_close(AppenderHandle appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_appender_clear(nint appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_appender_destroy(ref nint appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_appender_end_row(AppenderHandle appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_null(AppenderHandle appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_default(AppenderHandle appender);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_bool(AppenderHandle appender, [MarshalAs(UnmanagedType.U1)] bool value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_int32(AppenderHandle appender, int value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_int64(AppenderHandle appender, long value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_uint64(AppenderHandle appender, ulong value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_hugeint(AppenderHandle appender, NativeHugeInt value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_float(AppenderHandle appender, float value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_double(AppenderHandle appender, double value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_date(AppenderHandle appender, int days);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_time(AppenderHandle appender, long micros);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_timestamp(AppenderHandle appender, long micros);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_interval(AppenderHandle appender, DuckDBInterval value);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_varchar_length(AppenderHandle appender, byte* text, ulong length);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_blob(AppenderHandle appender, byte* data, ulong length);

    [LibraryImport(Library)]
    internal static partial int duckdb_append_value(AppenderHandle appender, nint value);
}
