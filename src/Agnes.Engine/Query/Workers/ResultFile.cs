using System.Globalization;
using Agnes.Engine.Arrow;
using Agnes.Engine.Limits;
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

    /// <summary>Of the engine's memory, what a group may be: each thread has one in several forms, and some wait for their turn.</summary>
    private const int GroupShare = 12;

    private const int VectorRows = 2048; // a group is so many rows, or some times as many
    private const double FitShare = 0.9;
    private const int FitAttemptsMax = 3;
    private const int FileBufferBytes = 256 << 10;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private bool _runs; // under _gate
    private bool _isTooLarge; // under _gate
    private int _group = GroupRows;

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
        _group = Group();
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
            var form = string.Create(CultureInfo.InvariantCulture, $"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_group}");
            var head = string.Create(CultureInfo.InvariantCulture, $"COPY ({request.Sql} LIMIT {limit})");
            var rows = $"{head} TO {SqlText.Literal(request.File)} ({form})";
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

    /// <summary>Groups of wide rows have fewer of them: the engine counts rows, and its memory bytes.</summary>
    private int Group()
    {
        if (request.RowsLike.Length == 0) return GroupRows;
        var some = string.Create(CultureInfo.InvariantCulture, $"({request.RowsLike} LIMIT {VectorRows}) AS \"a row\"");
        const string width = "coalesce(avg(strlen(CAST(\"a row\" AS VARCHAR))), 0)";
        var measure = $"SELECT current_setting('memory_limit'), {width} FROM {some}";
        using var command = new DuckDBCommand(measure, connection) { IsOneStatement = true };
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return GroupRows;
        var rows = Budget.ParseBytes(reader.GetString(0)) / GroupShare / Math.Max(1, reader.GetDouble(1));
        return (int)Math.Clamp(rows / VectorRows, 1, GroupRows / VectorRows) * VectorRows;
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
