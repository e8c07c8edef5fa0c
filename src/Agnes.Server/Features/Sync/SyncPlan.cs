using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>What a run is to do, decided on one snapshot.</summary>
/// <param name="Pulls">By connection of our own, which tables to pull.</param>
/// <param name="NoConnector">Registered tables that this server has no connector for.</param>
internal sealed record SyncPlan(IReadOnlyList<(Connection Own, IReadOnlyList<TableRow> Rows)> Pulls, IReadOnlyList<TableRow> NoConnector)
{
    /// <param name="targets">Ids of registered tables, whatever their schedule; null for all that are due.</param>
    /// <param name="isAsked">Somebody asked for it, so what failed lately is tried all the same.</param>
    /// <param name="connection">The one connection that the run is for; null: all.</param>
    public static SyncPlan Of(
        Snapshot snapshot, SourceKinds kinds, IReadOnlyCollection<string>? targets, DateTime now, bool isAsked, string? connection = null)
    {
        var wanted = targets?.ToHashSet(StringComparer.Ordinal);
        bool IsWanted(TableRow row) => wanted?.Contains(row.Id) ?? (IsDue(snapshot, row, now) && (isAsked || !IsPutOff(snapshot, row, now)));

        var pulls = new List<(Connection, IReadOnlyList<TableRow>)>();
        var registered = kinds.RegisteredByConnection(snapshot);
        foreach (var own in kinds.Pulled(snapshot).Where(own => connection is null || own.Name == connection))
        {
            var rows = registered[own.Name].Where(IsWanted).ToList();
            if (rows.Count > 0) pulls.Add((own, rows));
        }
        var others = snapshot.TablesById.Values
            .Where(row => kinds.PulledBy(snapshot, row) is null && row.QueryMode != TableRules.ModeRemote && snapshot.PublishedTable(row.Name) is null && IsWanted(row))
            .OrderBy(row => row.Name, StringComparer.Ordinal);
        return new SyncPlan(pulls, [.. others]);
    }

    /// <summary>
    /// A schedule that cannot be read, from an older installation, does not keep a table from being pulled; but one that runs a query
    /// is not run
    /// at every opportunity.
    /// </summary>
    private static bool IsDue(Snapshot snapshot, TableRow row, DateTime now)
    {
        var last = snapshot.Pulls.GetValueOrDefault(row.Name)?.PulledAt ?? snapshot.SyncStates.GetValueOrDefault(row.Name)?.LastSync;
        if (ScheduleOf(row) is not { } schedule) return row.QueryMode != TableRules.ModeMaterialized;
        return schedule.IsDue(last, now) || (schedule.IsOnChange && snapshot.Pulls.GetValueOrDefault(row.Name) is { Failures: > 0 });
    }

    private static bool IsPutOff(Snapshot snapshot, TableRow row, DateTime now) => snapshot.Pulls.GetValueOrDefault(row.Name)?.RetryAt > now;

    /// <summary>Null: none, or none that can be read.</summary>
    public static SyncSchedule? ScheduleOf(TableRow row)
    {
        var text = row.QueryMode == TableRules.ModeMaterialized ? row.SyncSchedule ?? SyncSchedule.OfMaterialized : row.SyncSchedule;
        return SyncSchedule.TryParse(text, out var schedule) ? schedule : null;
    }
}
