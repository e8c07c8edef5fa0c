using System.Globalization;
using Agnes.Engine.Arrow;
using Agnes.Protocol;
using DuckDB.NET.Data;
using DuckDB.NET.Data.Native;

namespace Agnes.Engine.Query.Workers;

/// <summary>Writes a statement's rows into a file. A result that is larger than allowed is cut to as many of its first rows as fit.</summary>
internal sealed class ResultFile(DuckDBConnection connection, RunRequest request)
{
    /// <summary>What the engine writes at a time: the first of them tells how large a row is.</summary>
    private const int GroupRows = 122_880;
    private const int SampleStep = 8;
    private const double FitShare = 0.9;
    private const int FitAttemptsMax = 3;
    private const int FileBufferBytes = 256 << 10;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private bool _runs; // under _gate
    private bool _isTooLarge; // under _gate

    /// <exception cref="ResultTooLargeException">Not even the first rows fit.</exception>
    public (long Rows, bool Truncated) Write() => request.Form == RowsForm.Arrow ? WriteArrow() : WriteParquet();

    private unsafe (long Rows, bool Truncated) WriteArrow()
    {
        using var file = new FileStream(request.File, FileMode.Create, FileAccess.Write, FileShare.None, FileBufferBytes);
        using var interruption = new Interruption(connection, TimeBudget.Unlimited, CancellationToken.None);
        using var text = new StatementText(connection, string.Create(CultureInfo.InvariantCulture, $"{request.Sql} LIMIT {request.Limit}"));
        using var statement = text.Prepare(connection, 0);
        using var result = Execution.Run(connection, statement.Handle, streaming: true, interruption);
        using var arrow = new ArrowStream(result, file);
        var rows = 0L;
        var isCut = false;
        for (var chunk = Execution.Fetch(connection, result, interruption); chunk != 0; chunk = isCut ? 0 : Execution.Fetch(connection, result, interruption))
        {
            try
            {
                isCut = !arrow.TryWrite(chunk, request.ResultBytesMax);
                if (!isCut) rows += (long)NativeMethods.duckdb_data_chunk_get_size(chunk);
            }
            finally
            {
                NativeMethods.duckdb_destroy_data_chunk(ref chunk);
            }
        }

        arrow.End();
        return (rows, isCut);
    }

    private (long Rows, bool Truncated) WriteParquet()
    {
        if (Copy(request.Limit) is { } whole) return (whole, false);
        long? sample = null;
        for (var rows = GroupRows; sample is null && rows > 0; rows /= SampleStep) sample = Copy(Math.Min(request.Limit, rows));
        if (sample is not { } first) throw new ResultTooLargeException();
        var fitting = Math.Min(request.Limit, (int)Math.Min(int.MaxValue, first * FitShare * request.ResultBytesMax / Math.Max(1, Length())));
        for (var attempt = 0; attempt < FitAttemptsMax && fitting > first; attempt++, fitting /= 2)
        {
            if (Copy(fitting) is { } rows) return (rows, true);
        }

        return Copy((int)first) is { } head ? (head, true) : throw new ResultTooLargeException();
    }

    /// <returns>The rows; null where the file became larger than allowed and was given up.</returns>
    private long? Copy(int limit)
    {
        File.Delete(request.File);
        lock (_gate) (_runs, _isTooLarge) = (true, false);
        using var watch = new Timer(_ => Look(), null, LookEvery, LookEvery);
        try
        {
            var rows = string.Create(CultureInfo.InvariantCulture, $"COPY ({request.Sql} LIMIT {limit}) TO {SqlText.Literal(request.File)} (FORMAT parquet, COMPRESSION zstd)");
            using var command = new DuckDBCommand(rows, connection) { IsOneStatement = true };
            var written = command.ExecuteNonQuery();
            return Length() > request.ResultBytesMax ? null : written;
        }
        catch (DuckDBException error) when (error.ErrorType == DuckDBErrorType.Interrupt && IsTooLarge())
        {
            return null;
        }
        finally
        {
            lock (_gate) _runs = false; // a look that comes late must not end the next statement
        }
    }

    private void Look()
    {
        lock (_gate)
        {
            if (!_runs || Length() <= request.ResultBytesMax) return;
            _isTooLarge = true;
            connection.Interrupt();
        }
    }

    private bool IsTooLarge()
    {
        lock (_gate) return _isTooLarge;
    }

    private long Length() => new FileInfo(request.File) is { Exists: true } file ? file.Length : 0;
}
