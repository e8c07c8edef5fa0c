using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Answers;

/// <summary>
/// Tables that are the answers of queries. The server has had the queries answered before, each into a folder of Parquet files; here
/// the files
/// become parts as they are.
/// </summary>
public sealed class AnswersConnector : Connector
{
    public const string ConnectorName = "answers";

    /// <summary>Below it lies a folder for each requested table, under the table's name.</summary>
    public const string FolderOption = "answers";

    /// <summary>For an answer of one file.</summary>
    public const string OnlyFile = "0.parquet";

    public override string Name => ConnectorName;

    public override IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) =>
        request.Option(FolderOption) is { } answers ? [answers] : [];

    public override async Task RunAsync(
        ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        foreach (var table in request.Tables)
        {
            try
            {
                var answers = request.Option(FolderOption) ?? throw new InvalidDataException("No answers were given.");
                var answer = Path.Combine(answers, table.Name);
                var put = await TakeAsync(table, AnswerFiles.In(answer), writer, progress, cancellation);
                writer.Put(put);
                progress.Report(new ExtractEvent("table_done", table.Name, put.Rows, put.Bytes));
            }
            catch (Exception e) when (
                e is IOException or InvalidDataException or DuckDBException { IsFatal: false } && !cancellation.IsCancellationRequested)
            {
                var message = e is InvalidDataException ? e.Message : Engine.Publishing.Wording.Of(e, writer.Folder.Root);
                writer.Fail(table.Name, message);
                progress.Report(new ExtractEvent("table_failed", table.Name, Message: message));
            }
        }
    }

    private static async Task<ExtractTable> TakeAsync(
        TableConfig table, IReadOnlyList<string> files, ExtractWriter writer, IProgress<ExtractEvent> progress,
        CancellationToken cancellation)
    {
        if (files.Count == 0) throw new InvalidDataException("The answer has no file.");
        IReadOnlyList<TableColumn>? columns = null;
        var (parts, rows) = (new List<ExtractPart>(files.Count), 0L);
        foreach (var (i, file) in files.Index())
        {
            var name = files.Count == 1 ? $"{table.Name}.parquet" : $"{i:D8}.parquet";
            var written = await writer.TakePartAsync(file, name, md5: files.Count == 1, cancellation);
            parts.Add(await written.Storing);
            columns ??= written.Columns;
            if (!columns.SequenceEqual(written.Columns)) throw new InvalidDataException("The files of the answer have different columns.");
            progress.Report(new ExtractEvent("table_progress", table.Name, rows += written.Rows, Phase: "storing"));
        }

        // Also when the rows are those of before: when it was answered last decides when it is due.
        return new ExtractTable(table.Name, table.Description, table.QueryMode, writer.Time.GetUtcNow().UtcDateTime, columns!, parts, []);
    }
}
