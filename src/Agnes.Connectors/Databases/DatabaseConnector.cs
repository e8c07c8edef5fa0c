using Agnes.Connectors.Answers;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Workers;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Databases;

/// <summary>
/// Tables of a database, whole or what changed in them. Its tables of mode <c>materialized</c> are answers that the server has fetched.
/// </summary>
/// <param name="open">Of one product; the options are those of the connection, with its secrets.</param>
public sealed class DatabaseConnector : Connector
{
    /// <summary>Hosts that may be in this machine's own network, separated by commas: the operator's word.</summary>
    public const string AllowedHostsOption = "allowed_private_hosts";

    /// <summary>What can be set for a table besides what all kinds of sources have.</summary>
    public static readonly IReadOnlyList<string> OwnSettings = [TableSettings.LagSetting, TableSettings.ReconcileSetting];

    private readonly Func<ExtractRequest, OutboundGuard, IDatabase> _open;

    internal DatabaseConnector(string name, Func<ExtractRequest, OutboundGuard, IDatabase> open) => (Name, _open) = (name, open);

    public override string Name { get; }

    public override bool UsesNetwork => true;

    public override bool CanPreview => true;

    /// <summary>What is wrong with the settings of a table, or null.</summary>
    public static string? SettingsFault(TableConfig table) => TableSettings.Fault(table);

    public override IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) =>
        request.Option(AnswersConnector.FolderOption) is { } answers ? [answers] : [];

    public override async Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        var answered = request.Tables.Where(IsAnswer).ToList();
        if (answered.Count > 0) await new AnswersConnector().RunAsync(request with { Tables = answered }, writer, progress, cancellation);
        if (answered.Count == request.Tables.Count) return;
        await using var database = Open(request);
        foreach (var table in request.Tables.Where(table => !IsAnswer(table)))
        {
            try
            {
                var put = await new TablePull(database, table, writer, progress).RunAsync(cancellation);
                if (writer.Wrote(table.Name)) throw new TableException($"Another table of this run is called '{table.Name}' (case does not count).");
                writer.Put(put); // also when the rows are those of before: when it was read last decides when it is due
                progress.Report(new ExtractEvent("table_done", table.Name, put.Rows, put.Bytes));
            }
            catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
            {
                var message = Told(e, writer.Folder.Root);
                writer.Fail(table.Name, message);
                progress.Report(new ExtractEvent("table_failed", table.Name, Message: message));
            }
        }
    }

    public override async Task<TablePreview> PreviewAsync(
        ExtractRequest request, DataFolder folder, DuckDBConnection connection, string tempFolder, CancellationToken cancellation)
    {
        await using var database = Open(request);
        try
        {
            var settings = TableSettings.Of(request.Tables[0], DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));
            var there = await database.DescribeAsync(new(settings.Schema ?? database.SchemaDefault, settings.Table), cancellation);
            var plan = PullPlan.Of(settings, there);
            string[] remarks = plan.Keys.Count > 0 && plan.Settings.ReconcileDays is null
                ? [$"Rows that are deleted there stay here: set {TableSettings.ReconcileSetting}, so that all keys are compared now and then."]
                : [];
            return new TablePreview(plan.Stored, plan.Stored.Count, there.Rows, there.Bytes ?? 0, 0, [], [], 0, remarks);
        }
        catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException(Told(e, folder.Root));
        }
    }

    public override async Task<SourceCheck> CheckAsync(ExtractRequest request, CancellationToken cancellation)
    {
        await using var database = Open(request);
        try
        {
            return new SourceCheck(await database.CountReadableAsync(SourceCheck.CountedMax, cancellation));
        }
        catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException(Told(e, request.Source));
        }
    }

    public override bool CanForecast => true;

    public override async Task<IReadOnlyList<TableForecast>> ForecastAsync(
        ExtractRequest request, IReadOnlyDictionary<string, ExtractTable> previous, DataFolder folder, CancellationToken cancellation)
    {
        await using var database = Open(request);
        var found = new List<TableForecast>(request.Tables.Count);
        foreach (var table in request.Tables)
        {
            try
            {
                if (IsAnswer(table))
                {
                    found.Add(new TableForecast(table.Name, "full") { Note = "the answer of its query" });
                    continue;
                }

                var settings = TableSettings.Of(table, DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));
                var there = await database.DescribeAsync(new(settings.Schema ?? database.SchemaDefault, settings.Table), cancellation);
                found.Add(PullForecast.Of(table, PullPlan.Of(settings, there), previous.GetValueOrDefault(table.Name)));
            }
            catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
            {
                found.Add(new TableForecast(table.Name, "full") { Fault = Told(e, folder.Root) });
            }
        }

        return found;
    }

    private static bool IsAnswer(TableConfig table) => table.QueryMode == "materialized";

    private IDatabase Open(ExtractRequest request)
    {
        try
        {
            var hosts = request.Option(AllowedHostsOption)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
            return _open(request, new OutboundGuard(hosts));
        }
        catch (FormatException fault)
        {
            throw new WorkerFailedException($"'{request.Source}' cannot be opened as it is set: {fault.Message}.");
        }
    }

    private static bool IsOfTable(Exception e) =>
        e is TableException or RemoteException or InvalidDataException or IOException or UnauthorizedAccessException or DuckDBException { IsFatal: false };

    private static string Told(Exception e, string root) =>
        e is TableException or RemoteException or InvalidDataException or Engine.Limits.DiskSpaceException ? e.Message : Wording.Of(e, root);
}
