using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>
/// Tables from CSV, TSV, JSON and Parquet files below one folder (option <c>root</c>, else <c>DATA_DIR/csv</c>): <c>bucket</c> is a sub-folder,
/// <c>source_table</c> a file, a folder or a glob. Every file becomes a part; files that did not change are not read again.
/// </summary>
public sealed class FilesConnector : Connector
{
    public const string ConnectorName = "files";

    public override string Name => ConnectorName;

    public override IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) => [Root(folder, request)];

    public override async Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        var root = Root(writer.Folder, request);
        ReadLike.RemoveOthers(writer, request.Registered);
        foreach (var table in request.Tables)
        {
            cancellation.ThrowIfCancellationRequested();
            progress.Report(new ExtractEvent("table_started", table.Name));
            try
            {
                if (writer.Wrote(table.Name)) throw new TableException($"Another table of this run is called '{table.Name}' (case does not count).");
                await new TableLoad(root, table, writer, progress).RunAsync(cancellation);
            }
            catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
            {
                var message = Told(e, root);
                writer.Fail(table.Name, message);
                progress.Report(new ExtractEvent("table_failed", table.Name, Message: message));
            }
        }
    }

    public override bool CanPreview => true;

    public override async Task<TablePreview> PreviewAsync(ExtractRequest request, DataFolder folder, DuckDBConnection connection, string tempFolder, CancellationToken cancellation)
    {
        var root = Root(folder, request);
        try
        {
            return await new FilePreview(root, request.Tables[0], connection, tempFolder).RunAsync(cancellation);
        }
        catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException(Told(e, root));
        }
    }

    public override bool CanForecast => true;

    public override Task<IReadOnlyList<TableForecast>> ForecastAsync(
        ExtractRequest request, IReadOnlyDictionary<string, ExtractTable> previous, DataFolder folder, CancellationToken cancellation)
    {
        var root = Root(folder, request);
        return Task.FromResult<IReadOnlyList<TableForecast>>([.. request.Tables.Select(table =>
        {
            try
            {
                return FileForecast.Of(root, table, previous.GetValueOrDefault(table.Name));
            }
            catch (Exception e) when (IsOfTable(e))
            {
                return new TableForecast(table.Name, "full") { Fault = Told(e, root) };
            }
        })]);
    }

    /// <summary>The files that a table is read from, without opening one.</summary>
    public static FoundFiles Find(string root, TableConfig table)
    {
        try
        {
            return new FoundFiles([.. FileSet.Resolve(root, table).Select(file => file.Path)], null, IsAmbiguous: false);
        }
        catch (TableException e)
        {
            return new FoundFiles([], e.Message, e is SeveralFilesException);
        }
        catch (IOException)
        {
            return new FoundFiles([], "The files cannot be looked at.", IsAmbiguous: false);
        }
    }

    /// <summary>What is wrong with the settings of a table's files, or null.</summary>
    public static string? SettingsFault(System.Text.Json.JsonElement? settings)
    {
        try
        {
            FileSettings.Of(settings);
            return null;
        }
        catch (TableException e)
        {
            return e.Message;
        }
    }

    private static bool IsOfTable(Exception e) => e is TableException or IOException or UnauthorizedAccessException or DuckDBException { IsFatal: false };

    private static string Told(Exception e, string root) => e is DiskSpaceException or TableException ? e.Message : Engine.Publishing.Wording.Of(e, root);

    private static string Root(DataFolder folder, ExtractRequest request) => Path.GetFullPath(request.Option("root") ?? folder.Csv);
}

/// <param name="Files">Relative to the root.</param>
/// <param name="Fault">Why there are none.</param>
/// <param name="IsAmbiguous">Several unrelated files bear the table's name; one of them must be named.</param>
public sealed record FoundFiles(IReadOnlyList<string> Files, string? Fault, bool IsAmbiguous);
