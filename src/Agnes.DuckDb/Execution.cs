using System.Diagnostics;
using DuckDB.NET.Data.Native;

namespace DuckDB.NET.Data;

/// <summary>Time that a command may spend inside the engine, over all its calls. What the caller does between two rows does not count.</summary>
internal sealed class TimeBudget(TimeSpan limit)
{
    internal static readonly TimeBudget Unlimited = new(TimeSpan.Zero);

    private readonly TimeSpan _limit = limit;
    private TimeSpan _spent;

    internal TimeSpan Limit => _limit;

    /// <summary>Zero: there is no limit.</summary>
    internal TimeSpan Left => _limit <= TimeSpan.Zero ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Max((_limit - _spent).Ticks, TimeSpan.TicksPerMillisecond));

    internal void Spend(long startedAt) => _spent += Stopwatch.GetElapsedTime(startedAt);
}

/// <summary>Runs statements and turns the engine's failures into exceptions.</summary>
internal static unsafe class Execution
{
    internal static ResultHandle Query(DuckDBConnection connection, string sql, Interruption interruption)
    {
        var result = new ResultHandle(connection.Handle);
        try
        {
            int state;
            fixed (byte* text = Utf8.SqlBytes(sql)) state = NativeMethods.duckdb_query(connection.Handle, text, result.Pointer);
            if (state != 0) throw Failure(connection, result, interruption);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    internal static ResultHandle Run(DuckDBConnection connection, PreparedHandle prepared, bool streaming, Interruption interruption)
    {
        var result = new ResultHandle(connection.Handle);
        try
        {
            var state = streaming
                ? NativeMethods.duckdb_execute_prepared_streaming(prepared, result.Pointer)
                : NativeMethods.duckdb_execute_prepared(prepared, result.Pointer);
            if (state != 0) throw Failure(connection, result, interruption);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>The next chunk, or zero after the last one.</summary>
    internal static nint Fetch(DuckDBConnection connection, ResultHandle result, Interruption interruption)
    {
        var chunk = NativeMethods.duckdb_fetch_chunk(*result.Pointer);
        if (chunk == 0 && NativeMethods.duckdb_result_error(result.Pointer) != 0) throw Failure(connection, result, interruption);
        return chunk;
    }

    internal static int RowsChanged(ResultHandle result) =>
        KindOf(result) == ResultKind.ChangedRows ? (int)Math.Min(NativeMethods.duckdb_rows_changed(result.Pointer), int.MaxValue) : 0;

    internal static ResultKind KindOf(ResultHandle result) => (ResultKind)NativeMethods.duckdb_result_return_type(*result.Pointer);

    internal static bool IsStreaming(ResultHandle result) => NativeMethods.duckdb_result_is_streaming(*result.Pointer);

    internal static DuckDBException Failure(DuckDBConnection connection, string message, DuckDBErrorType type = DuckDBErrorType.Invalid)
    {
        if (connection.Transaction is { } transaction) transaction.SawError = true;
        return type == DuckDBErrorType.Invalid ? new DuckDBException(message) : new DuckDBException(message, type);
    }

    private static Exception Failure(DuckDBConnection connection, ResultHandle result, Interruption interruption)
    {
        var message = Utf8.Borrow(NativeMethods.duckdb_result_error(result.Pointer)) ?? "The engine reported an error without a message.";
        var type = (DuckDBErrorType)NativeMethods.duckdb_result_error_type(result.Pointer);
        return interruption.Translate(Failure(connection, message, type));
    }
}
