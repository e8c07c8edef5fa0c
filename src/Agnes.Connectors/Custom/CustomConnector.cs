using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Custom;

/// <summary>Tables that a program of the operator's brings as files. The program runs beside this worker, in walls of its own; here its files become parts.</summary>
public sealed class CustomConnector : Connector
{
    public const string ConnectorName = "custom";

    public override string Name => ConnectorName;

    public override IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) => request.Tables.Count > 0 ? [Handed(request)] : [];

    public override async Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        if (request.Tables.Count == 0) return; // only what is not registered any more is to go
        foreach (var table in request.Tables) progress.Report(new ExtractEvent("table_started", table.Name));
        var outcome = await writer.RunProgramAsync(new ProgramRequest([.. request.Tables.Select(table => Asked(table, writer))]), cancellation);
        foreach (var table in request.Tables)
        {
            try
            {
                if (outcome.Failed.FirstOrDefault(one => one.Name == table.Name) is { } failed) throw new TableException(failed.Error);
                if (outcome.Done.FirstOrDefault(one => one.Table == table.Name) is not { } handed) throw new TableException(outcome.Error ?? "The program ended without a word about this table.");
                var rows = await TakeAsync(request, table, handed, writer, cancellation);
                progress.Report(new ExtractEvent("table_done", table.Name, rows));
            }
            catch (Exception e) when (e is TableException or IOException or InvalidDataException or UnauthorizedAccessException or DuckDBException { IsFatal: false } && !cancellation.IsCancellationRequested)
            {
                var message = e is TableException or InvalidDataException ? e.Message : Engine.Publishing.Wording.Of(e, Handed(request));
                writer.Fail(table.Name, message);
                progress.Report(new ExtractEvent("table_failed", table.Name, Message: message));
            }
        }
    }

    private static string Handed(ExtractRequest request) =>
        request.Option(ExtractProgram.HandedOption) ?? throw new ArgumentException("A custom connector has a program; none was given.");

    private static ProgramTable Asked(TableConfig table, ExtractWriter writer) => new(
        table.Name, table.Bucket, table.SourceTable, table.Settings, writer.Previous.GetValueOrDefault(table.Name)?.Cursor, writer.Checkpoints.GetValueOrDefault(table.Name));

    private static async Task<long> TakeAsync(ExtractRequest request, TableConfig table, HandedTable handed, ExtractWriter writer, CancellationToken cancellation)
    {
        var previous = writer.Previous.GetValueOrDefault(table.Name);
        if (handed.Files is not { Count: > 0 })
        {
            if (previous is null) throw new TableException("The program brought no file, and there is nothing of before.");
            writer.Keep(previous with { Cursor = handed.Cursor ?? previous.Cursor });
            return previous.Rows;
        }

        var readers = new List<SourceReader>();
        foreach (var file in handed.Files) readers.AddRange(await OpenAsync(Handed(request), table, file, writer, cancellation));
        var isMerged = handed.MergeBy is { Count: > 0 };
        var columns = SchemaUnion.Of([.. isMerged && previous is not null ? (IReadOnlyList<TableColumn>[])[previous.Columns] : [], .. readers.Select(reader => reader.Columns)]);
        var rows = string.Join(" UNION ALL ", readers.Select(reader => $"({reader.Select(columns)})"));
        var parts = isMerged
            ? await new PartMerge(Existing(handed.MergeBy!, columns), PartitionOf(handed, columns)).RunAsync(writer, previous, rows, columns, cancellation)
            : [await (await writer.WritePartAsync(rows, $"{table.Name}.parquet", md5: true, cancellation)).Storing];
        var put = new ExtractTable(table.Name, table.Description, "local", writer.Time.GetUtcNow().UtcDateTime, columns, parts, []) { Cursor = handed.Cursor };
        writer.Put(put);
        return put.Rows;
    }

    private static string? PartitionOf(HandedTable handed, IReadOnlyList<TableColumn> columns) =>
        handed.PartitionBy is { } column ? SqlText.Identifier(Existing([column], columns)[0]) : null;

    private static IReadOnlyList<string> Existing(IReadOnlyList<string> names, IReadOnlyList<TableColumn> columns) =>
        [.. names.Select(name => columns.FirstOrDefault(column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase))?.Name
            ?? throw new TableException($"The program merges by '{name}', and the table has no such column."))];

    /// <summary>Each file is looked at whole: nobody comes back to a sample that lied.</summary>
    private static async Task<IReadOnlyList<SourceReader>> OpenAsync(string folder, TableConfig table, string path, ExtractWriter writer, CancellationToken cancellation)
    {
        var readers = new List<SourceReader>();
        foreach (var file in FileSet.Resolve(folder, table with { Bucket = null, SourceTable = path }))
        {
            try
            {
                var settings = file.Format.IsDelimited ? FileSettings.Of(table.Settings) : FileSettings.None;
                var reader = await SourceReader.OfAsync(file, settings, like: null, writer.Connection, writer.TempFolder, cancellation);
                if (reader.IsSampled) await reader.LookAtAllAsync(cancellation);
                readers.Add(reader);
            }
            catch (DuckDBException e) when (e.ErrorType != DuckDBErrorType.Interrupt)
            {
                throw new TableException(FileErrors.Describe(file.Path, file.FullPath, e));
            }
        }

        return readers;
    }
}
