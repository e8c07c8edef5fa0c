using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>Whether a caller may know of something that was made over tables. It exists for whoever may read all of them, and for nobody else.</summary>
internal static class MetricScope
{
    public static bool Holds(Snapshot snapshot, Caller caller, MetricRow metric)
    {
        if (caller.IsAdmin) return true;
        if (metric.TableName is { } main && !CanRead(snapshot, caller, main)) return false;
        return Holds(snapshot, caller, MetricJson.Strings(metric.Tables)) && Holds(snapshot, caller, MetricJson.Strings(metric.SqlTables));
    }

    public static bool Holds(Snapshot snapshot, Caller caller, IEnumerable<string> tables) => caller.IsAdmin || tables.All(table => CanRead(snapshot, caller, table));

    private static bool CanRead(Snapshot snapshot, Caller caller, string name) => NamedTable.ByName(snapshot, name) is { } table && Access.CanRead(snapshot, caller, table);
}
