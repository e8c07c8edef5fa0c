using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Protocol;

namespace Agnes.Connectors.Events;

/// <summary>
/// Folds runs of a tail into monthly parts: only months that the runs name are written anew, and of these only the tables that have rows there. The server, which knows
/// the runs, hands them over.
/// </summary>
/// <param name="open">Knows the schemas.</param>
public sealed class EventsConnector(OpenEventSchema open) : Connector
{
    public const string ConnectorName = "events";

    /// <summary>A JSON list of <see cref="TailRun"/>.</summary>
    public const string RunsOption = "runs";

    /// <summary>The name of the schema.</summary>
    public const string SchemaOption = "schema";

    private const string Tail = "tail_rows";
    private const string Keys = "tail_keys";

    public override string Name => ConnectorName;

    public override IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) => [folder.TailsOf(request.Source)];

    public override async Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        var options = request.Options ?? throw new WorkerFailedException("Nothing was handed over.");
        var schema = open(options[SchemaOption], options, writer.Folder.Source(request.Source));
        var runs = JsonSerializer.Deserialize(options[RunsOption], EventWorkerJson.Default.IReadOnlyListTailRun) ?? [];
        var folder = writer.Folder.TailsOf(request.Source);
        var months = await KeysAsync(writer, schema, runs, folder, cancellation);
        foreach (var table in schema.Tables)
        {
            progress.Report(new ExtractEvent("table_started", table.Name));
            await TailAsync(writer, schema, table, runs, folder, cancellation);
            var previous = writer.Previous.GetValueOrDefault(table.Name);
            var parts = await FoldAsync(writer, schema, table, previous, months, cancellation);
            var folded = new ExtractTable(table.Name, table.Description, "local", writer.Time.GetUtcNow().UtcDateTime, table.Columns, parts, []);
            if (previous is not null && previous.Parts.SequenceEqual(parts)) writer.Keep(previous);
            else writer.Put(folded);
        }
    }

    private static async Task<IReadOnlyList<string>> KeysAsync(ExtractWriter writer, EventSchema schema, IReadOnlyList<TailRun> runs, string folder, CancellationToken cancellation)
    {
        var rows = runs.Count == 0 ? "SELECT NULL::VARCHAR AS k, NULL::VARCHAR AS m WHERE false"
            : $"SELECT DISTINCT {SqlText.Identifier(schema.KeyColumn)} AS k, {TailFiles.Month} AS m FROM {TableSource.FilesOf(runs.Select(run => run.KeysIn(folder)))}";
        await writer.Connection.ExecuteAsync($"CREATE OR REPLACE TEMP TABLE {Keys} AS {rows}", cancellation);
        return await writer.Connection.QueryAsync($"SELECT DISTINCT m FROM {Keys} ORDER BY m", row => row.GetString(0), cancellation);
    }

    private static async Task<IReadOnlyList<ExtractPart>> FoldAsync(
        ExtractWriter writer, EventSchema schema, EventTable table, ExtractTable? previous, IReadOnlyList<string> months, CancellationToken cancellation)
    {
        var before = (previous?.Parts ?? []).ToLookup(part => part.Key ?? "", StringComparer.Ordinal);
        var isOther = previous is not null && !previous.Columns.SequenceEqual(table.Columns); // then every part is written anew
        var parts = before.Where(month => month.Key.Length > 0 && !months.Contains(month.Key) && !isOther).SelectMany(month => month).ToList();
        foreach (var month in isOther ? before.Select(month => month.Key).Where(month => month.Length > 0).Union(months, StringComparer.Ordinal) : months)
        {
            List<ExtractPart> old = [.. before[month]];
            if (!isOther && !await IsTouchedAsync(writer, schema, old, month, cancellation))
            {
                parts.AddRange(old);
                continue;
            }

            var written = await writer.WritePartAsync(RowsOf(writer, schema, table, old, previous, month), $"{month}.parquet", md5: false, cancellation);
            var stored = await written.Storing;
            if (written.Rows > 0) parts.Add(stored with { Key = month });
        }

        if (parts.Count > 0) return await WithMd5Async(writer, [.. parts.OrderBy(part => part.Key, StringComparer.Ordinal)], cancellation);
        if (!isOther && before[""].SingleOrDefault() is { } nothing) return [nothing];
        var empty = await writer.WritePartAsync($"SELECT {Names(table)} FROM {Tail} WHERE false", "empty.parquet", md5: true, cancellation);
        return [await empty.Storing];
    }

    private static async Task TailAsync(ExtractWriter writer, EventSchema schema, EventTable table, IReadOnlyList<TailRun> runs, string folder, CancellationToken cancellation)
    {
        var columns = string.Join(", ", table.Columns.Select(column => $"{SqlText.Identifier(column.Name)} {column.Type}"));
        await writer.Connection.ExecuteAsync($"CREATE OR REPLACE TEMP TABLE {Tail} ({columns}, {TailFiles.Month} VARCHAR)", cancellation);
        List<TailPaths> paths = [.. runs.Select(run => run.Of(table.Name, folder))];
        if (paths.TrueForAll(run => run.Rows is null)) return;
        List<string> names = [.. table.Columns.Select(column => column.Name), TailFiles.Month];
        await writer.Connection.ExecuteAsync($"INSERT INTO {Tail} {TableSource.FromRuns(names, schema.KeyColumn, paths)}", cancellation);
    }

    private static async Task<bool> IsTouchedAsync(ExtractWriter writer, EventSchema schema, List<ExtractPart> old, string month, CancellationToken cancellation) =>
        await writer.Connection.ScalarAsync<bool>($"SELECT count(*) > 0 FROM (SELECT 1 FROM {Tail} WHERE {TailFiles.Month} = {SqlText.Literal(month)} LIMIT 1)", cancellation)
        || (old.Count > 0 && await writer.Connection.ScalarAsync<bool>(
            $"SELECT count(*) > 0 FROM (SELECT 1 FROM {writer.Read(old)} AS part SEMI JOIN {Keys} ON part.{SqlText.Identifier(schema.KeyColumn)} = k LIMIT 1)", cancellation));

    private static string RowsOf(ExtractWriter writer, EventSchema schema, EventTable table, List<ExtractPart> old, ExtractTable? previous, string month)
    {
        var (names, key) = (Names(table), SqlText.Identifier(schema.KeyColumn));
        var rows = $"SELECT {names} FROM {Tail} WHERE {TailFiles.Month} = {SqlText.Literal(month)}";
        if (old.Count > 0)
        {
            var held = TableSource.Cells([.. table.Columns.Select(column => column.Name)], [.. previous!.Columns.Select(column => column.Name)]);
            rows = $"{rows} UNION ALL SELECT {held} FROM {writer.Read(old)} AS part ANTI JOIN {Keys} ON part.{key} = k";
        }

        return $"SELECT * FROM ({rows}) ORDER BY {key}";
    }

    private static string Names(EventTable table) => string.Join(", ", table.Columns.Select(column => SqlText.Identifier(column.Name)));

    /// <summary>The wire format asks for it where a table has one part.</summary>
    private static async Task<IReadOnlyList<ExtractPart>> WithMd5Async(ExtractWriter writer, ExtractPart[] parts, CancellationToken cancellation) =>
        parts is [{ Md5: null } only] ? [only with { Md5 = await ContentHash.Md5Async(writer.Store.PathOf(only.Part.Sha256), cancellation) }] : parts;
}
