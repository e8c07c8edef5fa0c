using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Events;

/// <summary>Writes the files of runs, with an engine in memory.</summary>
/// <param name="folder">Of the runs.</param>
internal sealed class TailFiles(EventSchema schema, DuckDBConnection connection, string folder)
{
    /// <summary>Besides the columns of a table: the month of the row's document.</summary>
    public const string Month = "__month";

    private const string KeysTable = "tail_keys";
    private bool _isPrepared;

    /// <summary>Writes the rows of the documents that a batch changed.</summary>
    public async Task<TailRun?> WriteAsync(long number, Documents documents, long until, CancellationToken cancellation)
    {
        if (documents.Changed.Count == 0) return null;
        await PrepareAsync(cancellation);
        var rows = Append(documents);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < schema.Tables.Count; i++)
        {
            if (rows[i] > 0) files[schema.Tables[i].Name] = await CopyAsync($"SELECT * FROM {Of(i)}", NameOf(number, schema.Tables[i].Name), cancellation);
        }

        var keys = await CopyAsync($"SELECT * FROM {KeysTable}", NameOf(number, "keys"), cancellation);
        await ClearAsync(cancellation);
        return Run(number, files, keys, until, documents.Changed.Count);
    }

    /// <summary>Makes one run of several that follow one another.</summary>
    public async Task<TailRun> MergeAsync(long number, IReadOnlyList<TailRun> runs, CancellationToken cancellation)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var table in schema.Tables)
        {
            if (!runs.Any(run => run.Files.ContainsKey(table.Name))) continue;
            List<string> names = [.. table.Columns.Select(column => column.Name), Month];
            files[table.Name] = await CopyAsync(
                TableSource.FromRuns(names, schema.KeyColumn, [.. runs.Select(run => run.Of(table.Name, folder))]),
                NameOf(number, table.Name), cancellation);
        }

        var all = $"SELECT DISTINCT * FROM {TableSource.FilesOf(runs.Select(run => run.KeysIn(folder)))}";
        var keys = await CopyAsync(all, NameOf(number, "keys"), cancellation);
        var count = await connection.ScalarAsync<long>(
            $"SELECT count(DISTINCT {SqlText.Identifier(schema.KeyColumn)}) FROM {TableSource.FilesOf([Path.Combine(folder, keys)])}", cancellation);
        return Run(number, files, keys, runs[^1].Until, count);
    }

    private static string Of(int table) => $"tail_{table}";

    private static string NameOf(long number, string table) => $"{number:D12}-{table}.parquet";

    private async Task PrepareAsync(CancellationToken cancellation)
    {
        if (_isPrepared) return;
        for (var i = 0; i < schema.Tables.Count; i++)
        {
            var columns = string.Join(", ", schema.Tables[i].Columns.Select(column => $"{SqlText.Identifier(column.Name)} {column.Type}"));
            await connection.ExecuteAsync($"CREATE TABLE {Of(i)} ({columns}, {Month} VARCHAR)", cancellation);
        }

        await connection.ExecuteAsync($"CREATE TABLE {KeysTable} ({SqlText.Identifier(schema.KeyColumn)} VARCHAR, {Month} VARCHAR)", cancellation);
        _isPrepared = true;
    }

    private long[] Append(Documents documents)
    {
        var appenders = Enumerable.Range(0, schema.Tables.Count).Select(i => connection.CreateAppender(Of(i))).ToArray();
        var rows = new long[appenders.Length];
        try
        {
            foreach (var key in documents.Changed.Keys)
            {
                var (month, ofDocument) = RowsOf(key, documents.Find(key)!);
                foreach (var (table, values) in ofDocument)
                {
                    foreach (var value in values) Append(appenders[table], value);
                    appenders[table].Append(month).EndRow();
                    rows[table]++;
                }
            }

            foreach (var appender in appenders) appender.Close();
        }
        finally
        {
            foreach (var appender in appenders) appender.Dispose();
        }

        using var keys = connection.CreateAppender(KeysTable);
        foreach (var (key, months) in documents.Changed)
        {
            foreach (var month in months) keys.Append(key).Append(month).EndRow();
        }

        keys.Close();
        return rows;
    }

    /// <summary>A document whose rows cannot be made has none, and holds up no other.</summary>
    private (string Month, List<(int Table, object?[] Values)> Rows) RowsOf(string key, JsonObject document)
    {
        List<(int Table, object?[] Values)> rows = [];
        var month = schema.MonthOf(document);
        try
        {
            schema.Rows(document, (table, values) => rows.Add((table, values)));
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            Console.Error.WriteLine($"{key} has no rows: {fault}");
            rows.Clear();
        }

        return (month, rows);
    }

    private static void Append(DuckDBAppender appender, object? value)
    {
        switch (value)
        {
            case null: appender.AppendNull(); break;
            case string text: appender.Append(text); break;
            case long number: appender.Append(number); break;
            case double number: appender.Append(number); break;
            case bool truth: appender.Append(truth); break;
            case DateTime moment: appender.Append(new DateTimeOffset(moment, TimeSpan.Zero)); break;
            default: appender.AppendValue(value); break;
        }
    }

    private async Task ClearAsync(CancellationToken cancellation)
    {
        for (var i = 0; i < schema.Tables.Count; i++) await connection.ExecuteAsync($"DELETE FROM {Of(i)}", cancellation);
        await connection.ExecuteAsync($"DELETE FROM {KeysTable}", cancellation);
    }

    private async Task<string> CopyAsync(string select, string name, CancellationToken cancellation)
    {
        // Small and read soon: what compression saves here it costs twice.
        await connection.ExecuteAsync($"COPY ({select}) TO {SqlText.Literal(Path.Combine(folder, name))} (FORMAT parquet, COMPRESSION snappy, USE_TMP_FILE false)", cancellation);
        return name;
    }

    private TailRun Run(long number, Dictionary<string, string> files, string keys, long until, long documents) =>
        new(number, files, schema.Tables.Where(table => files.ContainsKey(table.Name)).ToDictionary(table => table.Name,
            table => (IReadOnlyList<string>)[.. table.Columns.Select(column => column.Name), Month], StringComparer.Ordinal), keys, until, documents, files.Values.Append(keys).Sum(name => new FileInfo(Path.Combine(folder, name)).Length));
}
