using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
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
                var (parts, columns) = await AnswerParts.TakeAsync(
                    table, AnswerFiles.In(answer), areOurs: false, writer, progress, cancellation);
                // Also when the rows are those of before: when it was answered last decides when it is due.
                var put = new ExtractTable(
                    table.Name, table.Description, table.QueryMode, writer.Time.GetUtcNow().UtcDateTime, columns, parts, []);
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
}
