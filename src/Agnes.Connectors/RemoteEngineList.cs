using Agnes.Connectors.Attached;
using Agnes.Connectors.BigQuery;
using Agnes.Connectors.Postgres;
using Agnes.Engine.Query.Remote.Brokers;

namespace Agnes.Connectors;

/// <summary>All kinds of systems that brokers ask, one line each.</summary>
public static class RemoteEngineList
{
    public static IReadOnlyList<RemoteEngine> All { get; } =
    [
        PostgresTables.Engine,
        BigQueryTables.Engine,
        AttachedTables.Engine,
    ];
}
