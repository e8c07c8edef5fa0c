using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>What a run would do now: which tables it would pull, how, how much that is where the source says so, and what is in the way.</summary>
internal sealed class SyncForecasts(
    SourceKinds kinds, SourcePublisher publisher, ExtractRunner runner, PublishingGate gate, DataFolder folder, SecretStore secrets, ServerOptions options,
    DiskReserve disk, TimeProvider time)
{
    /// <summary>Of one connection that are asked about; a source answers for each by itself.</summary>
    private const int AskedMax = 200;

    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(30);

    /// <param name="targets">Ids; null: all tables, those first that are due.</param>
    public async Task<IReadOnlyList<JsonNode>> OfAsync(Snapshot snapshot, IReadOnlySet<string>? targets, CancellationToken stop)
    {
        var plan = SyncPlan.Of(snapshot, kinds, null, time.GetUtcNow().UtcDateTime, isAsked: true);
        var due = plan.Pulls.SelectMany(pull => pull.Rows).Concat(plan.NoConnector).Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
        var pulled = SyncPlan.Of(snapshot, kinds, targets ?? due, time.GetUtcNow().UtcDateTime, isAsked: true);
        var tables = new List<JsonNode>();
        foreach (var (own, rows) in pulled.Pulls)
        {
            var known = publisher.Known(own.Name);
            var said = await AskAsync(own, rows, stop);
            foreach (var row in rows)
            {
                var published = known.FirstOrDefault(table => string.Equals(table.Name, row.Name, StringComparison.OrdinalIgnoreCase));
                tables.Add(Pulled(row, own, due.Contains(row.Id), said.GetValueOrDefault(row.Name), published));
            }
        }

        var there = pulled.Pulls.SelectMany(pull => pull.Rows).Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
        var others = snapshot.TablesById.Values.Where(row => !there.Contains(row.Id) && targets?.Contains(row.Id) != false).OrderBy(row => row.Name, StringComparer.Ordinal);
        var lacking = pulled.NoConnector.Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
        tables.AddRange(others.Select(row => Left(snapshot, row, lacking.Contains(row.Id), due.Contains(row.Id))));
        return tables;
    }

    /// <returns>By table; empty for a kind whose connector cannot say it.</returns>
    private async Task<Dictionary<string, TableForecast>> AskAsync(Connection own, IReadOnlyList<TableRow> rows, CancellationToken stop)
    {
        if (own.Kind.Connector is not { } connector || !runner.CanForecast(connector)) return [];
        var asked = rows.Take(AskedMax).ToList();
        try
        {
            using var entered = await gate.AskAsync(stop);
            var request = new ExtractRequest(
                "forecast", own.Name, connector, [.. asked.Select(own.Kind.ConfigOf)], Options: ConnectionSecrets.OptionsOf(secrets, own, folder, options));
            return (await runner.ForecastAsync(request, TimeMax, stop)).ToDictionary(said => said.Table, StringComparer.Ordinal);
        }
        catch (WorkerFailedException failure)
        {
            return asked.ToDictionary(row => row.Name, row => new TableForecast(row.Name, "full") { Fault = failure.Message }, StringComparer.Ordinal);
        }
    }

    private JsonObject Pulled(TableRow row, Connection own, bool isDue, TableForecast? said, PublishedTable? published)
    {
        var table = Of(row, own.Name);
        var (fault, doubt) = said?.Columns is { } columns && published is not null ? SchemaContract.Foresee(published, columns) : (null, null);
        string?[] blocks = [said?.Fault, fault, Full(said?.Bytes)];
        var note = string.Join("; ", new[] { said is null ? "its source is not asked beforehand" : said.Note, doubt }.OfType<string>());
        (table["pulled"], table["due"]) = (true, isDue);
        table["why"] = isDue ? "due" : "named, though it is not due";
        table["how"] = said?.How ?? (row.SyncStrategy == TableRules.StrategyFullRefresh ? "full" : row.SyncStrategy);
        (table["since"], table["rows"], table["bytes"]) = (said?.Since, said?.Rows, said?.Bytes);
        table["note"] = note.Length == 0 ? null : note;
        table["blocked_by"] = new JsonArray([.. blocks.OfType<string>().Select(text => (JsonNode)JsonValue.Create(text))]);
        return table;
    }

    /// <summary>A table that the run would leave alone.</summary>
    private JsonObject Left(Snapshot snapshot, TableRow row, bool lacksConnector, bool isDue)
    {
        var own = kinds.PulledBy(snapshot, row);
        var table = Of(row, own?.Name ?? row.Connection ?? row.SourceType);
        (table["pulled"], table["due"]) = (false, isDue);
        table["why"] = kinds.IsAsked(row) ? "it stays at its source"
            : lacksConnector ? "nothing on this server brings it"
            : own is null || snapshot.IsServedByOther(row.Name, own.Name) ? "another program brings it"
            : NotDue(snapshot, row);
        (table["how"], table["since"], table["rows"], table["bytes"], table["note"]) = (null, null, null, null, null);
        var blocked = lacksConnector ? kinds.OfType(row.SourceType)?.HowToSetUp ?? $"This server has no connector for source_type '{row.SourceType}'" : null;
        table["blocked_by"] = blocked is null ? [] : new JsonArray(blocked);
        return table;
    }

    private static JsonObject Of(TableRow row, string? connection) => new()
    {
        ["id"] = row.Id,
        ["name"] = row.Name,
        ["connection"] = connection,
        ["schema_contract"] = row.SchemaContract ?? SchemaContract.Evolve,
    };

    private static string NotDue(Snapshot snapshot, TableRow row)
    {
        var last = snapshot.Pulls.GetValueOrDefault(row.Name)?.PulledAt ?? snapshot.SyncStates.GetValueOrDefault(row.Name)?.LastSync;
        var when = last is { } at ? $"; it was last brought at {at.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC" : "";
        return $"not due by '{row.SyncSchedule ?? SyncSchedule.OfMaterialized}'{when}";
    }

    private string? Full(long? bytes)
    {
        if (disk.IsLow) return DiskReserve.Refused;
        var room = disk.RoomIn(options.DataDir);
        return bytes > room ? $"The server's disk has room for {room >> 20} MiB, and the source says {bytes >> 20} MiB." : null;
    }
}
