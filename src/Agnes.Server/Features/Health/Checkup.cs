using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Health;

/// <param name="Word"><c>ok</c> or <c>unreachable</c>.</param>
internal sealed record SchemaHealth(bool IsOk, string Word, int Current, int Expected, string? Detail);

/// <summary>Looks at the parts of the server. Reads memory and asks the file system for free space, nothing else.</summary>
internal sealed class Checkup(
    StateDb state, SourcePublisher publisher, DiskReserve reserve, ProxyNotice proxies, ServerOptions options, WorkerProgram program, TimeProvider time)
{
    private const long FreeBytesLow = 5L << 30;
    private const double FreeShareLow = 0.10;
    private const double FreeShareOut = 0.01;
    private const int NamesMax = 50;
    private static readonly TimeSpan StaleAfter = TimeSpan.FromHours(24);

    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    public SchemaHealth Schema()
    {
        var count = Migrations.All.Count; // a state with others does not open
        if (state.Failure is { } failure) return new(false, "unreachable", count, count, failure.Message);
        return state.IsConfirmed ? new(true, "ok", count, count, null) : new(false, "unreachable", count, count, "The shared state does not answer.");
    }

    public string? NotReadyBecause() => Schema().Detail;

    /// <summary>As admins see them.</summary>
    public JsonObject Services(bool withSchema)
    {
        var services = Store(withSchema);
        services["data"] = Data();
        services["users"] = new JsonObject { ["status"] = "ok", ["count"] = state.Snapshot.UsersById.Count };
        services["disk"] = Disk();
        services["sources"] = SourcesHealth();
        services["walls"] = new JsonObject { ["status"] = program.MissingWalls.Count > 0 ? "warning" : "ok", ["missing"] = Names(program.MissingWalls) };
        if (proxies.IsSeen) services["proxy"] = new JsonObject { ["status"] = "warning", ["detail"] = ProxyNotice.Text };
        return services;
    }

    /// <summary>As somebody sees them who may not see everything: how it stands with the tables that they may read, and neither names nor counts. Grows with those tables.</summary>
    public JsonObject ServicesOf(Snapshot snapshot, Caller caller, bool withSchema)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var tables = Scopes.Tables(snapshot, caller).Select(table => table.Published).OfType<PublishedVersion>().ToList();
        var isStale = tables.Any(version => version.QueryMode != TableRules.ModeRemote && IsStale(snapshot, version, now));
        var isTroubled = publisher.Troubles.Any(trouble => tables.Any(version => IsAbout(trouble, version)));
        var services = Store(withSchema);
        (string, string)[] others =
        [
            ("data", isStale ? "warning" : "ok"), ("users", "ok"), ("disk", Disk()["status"]!.GetValue<string>()), ("sources", isTroubled ? "warning" : "ok"),
            ("walls", program.MissingWalls.Count > 0 ? "warning" : "ok"),
        ];
        foreach (var (name, status) in others) services[name] = new JsonObject { ["status"] = status };
        return services;
    }

    private static bool IsAbout(SourceTrouble trouble, PublishedVersion version) =>
        (trouble.Problem is not null && trouble.Source == version.Source)
        || trouble.Skipped.Any(skipped => skipped.Name.Equals(version.Name, StringComparison.OrdinalIgnoreCase)) || trouble.Collided.Contains(version.Name, StringComparer.OrdinalIgnoreCase);

    private JsonObject Store(bool withSchema)
    {
        var schema = Schema();
        var services = new JsonObject { ["duckdb_state"] = new JsonObject { ["status"] = schema.IsOk ? "ok" : "error", ["engine"] = state.Engine == StateEngine.DuckDb ? "duckdb" : "postgres" } };
        if (withSchema) services["db_schema"] = new JsonObject { ["status"] = schema.IsOk ? "ok" : "error", ["current"] = schema.Current, ["expected"] = schema.Expected };
        return services;
    }

    /// <summary>A table is stale when its own schedule is overdue; without one, a day after it was extracted. Grows with the number of tables, in memory.</summary>
    private JsonObject Data()
    {
        var snapshot = state.Snapshot;
        var now = time.GetUtcNow().UtcDateTime;
        var stale = snapshot.Published.Values.Where(version => version.QueryMode != TableRules.ModeRemote && IsStale(snapshot, version, now))
            .Select(version => version.Name).Order(StringComparer.Ordinal).ToList();
        var failing = snapshot.Pulls.Values.Where(pull => pull.Failures > 0).Select(pull => pull.TableName).Order(StringComparer.Ordinal).ToList();
        return new JsonObject
        {
            ["status"] = stale.Count > 0 ? "warning" : "ok",
            ["tables"] = snapshot.Published.Count,
            ["total_rows"] = snapshot.Published.Values.Sum(version => version.Rows),
            ["stale_tables"] = Names(stale),
            ["failing_tables"] = Names(failing),
        };
    }

    private static bool IsStale(Snapshot snapshot, PublishedVersion version, DateTime now)
    {
        var last = snapshot.Pulls.GetValueOrDefault(version.Name)?.PulledAt ?? snapshot.SyncStates.GetValueOrDefault(version.Name)?.LastSync
            ?? version.ExtractedAt;
        var scheduled = SyncSchedule.TryParse(snapshot.TableByName(version.Name)?.SyncSchedule, out var schedule);
        return scheduled ? schedule.IsDue(last + (schedule.Interval ?? TimeSpan.FromHours(1)), now) : now - last > StaleAfter;
    }

    private JsonObject Disk()
    {
        var (data, dataTotal) = Space(options.DataDir);
        var (own, ownTotal) = Space(options.StateDir);
        var status = new[] { Grade(data, dataTotal), Grade(own, ownTotal) }.Max() switch { 0 => "ok", 1 => "warning", _ => "error" };
        var disk = new JsonObject { ["status"] = status, ["data_free_bytes"] = data, ["state_free_bytes"] = own, ["reserve_bytes"] = reserve.Of(options.DataDir) };
        if (!reserve.IsLow) return disk;
        disk["status"] = "error";
        disk["detail"] = "Less than the reserve (AGNES_DISK_RESERVE) is free: uploads, scans and syncs are refused, reads go on. Make space.";
        return disk;
    }

    private static int Grade(long free, long total) => free < total * FreeShareOut ? 2 : free < total * FreeShareLow || free < FreeBytesLow ? 1 : 0;

    private static (long Free, long Total) Space(string folder)
    {
        var drive = new DriveInfo(Path.GetFullPath(folder));
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    private JsonObject SourcesHealth()
    {
        var troubles = publisher.Troubles;
        var listed = troubles.Take(NamesMax).Select(trouble => (JsonNode)new JsonObject
        {
            ["source"] = trouble.Source,
            ["problem"] = trouble.Problem,
            ["skipped"] = new JsonArray([.. trouble.Skipped.Take(NamesMax).Select(s => (JsonNode)new JsonObject { ["table"] = s.Name, ["reason"] = s.Reason })]),
            ["collided"] = Names(trouble.Collided),
        });
        return new JsonObject { ["status"] = troubles.Count > 0 ? "warning" : "ok", ["skipped"] = new JsonArray([.. listed]) };
    }

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Take(NamesMax).Select(name => (JsonNode)JsonValue.Create(name))]);
}
