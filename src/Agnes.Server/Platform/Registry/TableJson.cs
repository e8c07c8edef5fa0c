using System.Text.Json.Nodes;
using Agnes.Engine.Publishing;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>A row of the registry as the API and the audit show it.</summary>
internal static class TableJson
{
    public static JsonObject Of(TableRow row) => new()
    {
        ["id"] = row.Id,
        ["name"] = row.Name,
        ["source_type"] = row.SourceType,
        ["bucket"] = row.Bucket,
        ["source_table"] = row.SourceTable,
        ["source_query"] = row.SourceQuery,
        ["sync_strategy"] = row.SyncStrategy,
        ["query_mode"] = row.QueryMode,
        ["sync_schedule"] = row.SyncSchedule,
        ["profile_after_sync"] = row.ProfileAfterSync,
        ["primary_key"] = PrimaryKey.Columns(row.PrimaryKey) is { } columns ? new JsonArray([.. columns.Select(c => (JsonNode)JsonValue.Create(c))]) : null,
        ["folder"] = row.Folder,
        ["description"] = row.Description,
        ["registered_by"] = row.RegisteredBy,
        ["registered_at"] = row.RegisteredAt == default ? null : Timestamps.Naive(row.RegisteredAt),
        ["incremental_window_days"] = row.IncrementalWindowDays,
        ["max_history_days"] = row.MaxHistoryDays,
        ["incremental_column"] = row.IncrementalColumn,
        ["where_filters"] = WhereFilters.Read(row.WhereFilters),
        ["partition_by"] = row.PartitionBy,
        ["partition_granularity"] = row.PartitionGranularity,
        ["initial_load_chunk_days"] = row.InitialLoadChunkDays,
        ["schema_contract"] = row.SchemaContract ?? SchemaContract.Evolve,
        ["settings"] = row.Settings is null ? null : JsonNode.Parse(row.Settings),
        ["connection"] = row.Connection,
        ["reads_tables"] = row.ReadsTables is null ? null : JsonNode.Parse(row.ReadsTables),
    };
}
