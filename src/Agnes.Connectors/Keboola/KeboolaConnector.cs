using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Keboola;

/// <summary>Tables of a Keboola project, by exports of its Storage API: whole, or what has changed since.</summary>
public sealed class KeboolaConnector : Connector
{
    /// <summary>Of a table's own settings: so often, in days, it is looked which rows are gone in the project.</summary>
    public const string ReconcileSetting = TableSettings.Known;

    public override string Name => KeboolaSettings.Kind;

    public override bool UsesNetwork => true;

    public override bool CanPreview => true;

    /// <summary>What is wrong with the settings of a table, or null.</summary>
    public static string? SettingsFault(TableConfig table) => TableSettings.Fault(table);

    public override async Task RunAsync(
        ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation)
    {
        if (request.Tables.Count == 0) return; // only what is not registered any more is to go
        var settings = SettingsOf(request);
        var guard = new OutboundGuard(settings.AllowedPrivateHosts);
        using var storage = new StorageClient(settings, guard, writer.Time);
        using var download = new FileDownload(storage, settings, guard, writer.Time);
        using var engine = new SemaphoreSlim(1, 1);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = settings.Parallel, CancellationToken = cancellation };
        await Parallel.ForEachAsync(request.Tables, parallel, async (table, stop) =>
        {
            try
            {
                await new TablePull(storage, download, settings, table, writer, progress, engine).RunAsync(stop);
            }
            catch (Exception e) when (IsOfTable(e) && !stop.IsCancellationRequested)
            {
                var message = Told(e, writer.Folder.Root, settings);
                await engine.WaitAsync(stop);
                writer.Fail(table.Name, message);
                engine.Release();
                progress.Report(new ExtractEvent("table_failed", table.Name, Message: message));
            }
        });
    }

    public override async Task<TablePreview> PreviewAsync(
        ExtractRequest request, DataFolder folder, DuckDBConnection connection, string tempFolder, CancellationToken cancellation)
    {
        var settings = SettingsOf(request);
        try
        {
            var how = TableSettings.Of(request.Tables[0], DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));
            using var storage = new StorageClient(settings, new OutboundGuard(settings.AllowedPrivateHosts), TimeProvider.System);
            var there = await storage.TableAsync(how.SourceId, cancellation);
            var shape = PullShape.Of(how, there);
            string[] remarks =
            [
                .. shape is { Keys.Count: 0, Settings.IsWhole: false }
                    ? ["It has no primary key: it would be read whole each time. Set primary_key."] : (string[])[],
                .. there.Types.Count == 0 ? ["Nothing is known of its columns' types: all are text."] : (string[])[],
            ];
            return new TablePreview(shape.Stored, shape.Stored.Count, there.Rows, there.Bytes ?? 0, 0, [], [], 0, remarks);
        }
        catch (Exception e) when (IsOfTable(e) && !cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException(Told(e, folder.Root, settings));
        }
    }

    public override bool CanForecast => true;

    public override async Task<IReadOnlyList<TableForecast>> ForecastAsync(
        ExtractRequest request, IReadOnlyDictionary<string, ExtractTable> previous, DataFolder folder, CancellationToken cancellation)
    {
        var settings = SettingsOf(request);
        using var storage = new StorageClient(settings, new OutboundGuard(settings.AllowedPrivateHosts), TimeProvider.System);
        var found = new TableForecast[request.Tables.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = settings.Parallel, CancellationToken = cancellation };
        await Parallel.ForEachAsync(request.Tables.Index(), parallel, async (one, stop) =>
        {
            var (i, table) = one;
            try
            {
                var how = TableSettings.Of(table, DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime));
                var there = await storage.TableAsync(how.SourceId, stop);
                found[i] = ExportForecast.Of(table, PullShape.Of(how, there), there, previous.GetValueOrDefault(table.Name));
            }
            catch (Exception e) when (IsOfTable(e) && !stop.IsCancellationRequested)
            {
                found[i] = new TableForecast(table.Name, "full") { Fault = Told(e, folder.Root, settings) };
            }
        });
        return found;
    }

    private static KeboolaSettings SettingsOf(ExtractRequest request)
    {
        try
        {
            return KeboolaSettings.From(request.Options ?? new Dictionary<string, string>());
        }
        catch (FormatException fault)
        {
            throw new WorkerFailedException(fault.Message);
        }
    }

    private static bool IsOfTable(Exception e) =>
        e is TableException or StorageException or InvalidDataException or IOException or HttpRequestException
            or UnauthorizedAccessException
            or DuckDBException { IsFatal: false };

    private static string Told(Exception e, string root, KeboolaSettings settings)
    {
        var text = e is TableException or StorageException or InvalidDataException or Engine.Limits.DiskSpaceException
            ? e.Message : Wording.Of(e, root);
        return text.Replace(settings.Token, Redactor.Mask, StringComparison.Ordinal);
    }
}
