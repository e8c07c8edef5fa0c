using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>What a row of the registry says of how its table is pulled, and its own settings, as connectors read them.</summary>
internal static class PullSettings
{
    public static JsonObject Of(TableRow row)
    {
        var settings = new JsonObject
        {
            ["sync_strategy"] = row.SyncStrategy,
            ["primary_key"] = new JsonArray([.. (PrimaryKey.Columns(row.PrimaryKey) ?? []).Select(column => (JsonNode)column)]),
            ["incremental_column"] = row.IncrementalColumn,
            ["incremental_window_days"] = row.IncrementalWindowDays,
            ["max_history_days"] = row.MaxHistoryDays,
            ["initial_load_chunk_days"] = row.InitialLoadChunkDays,
            ["partition_by"] = row.PartitionBy,
            ["partition_granularity"] = row.PartitionGranularity,
            ["where_filters"] = WhereFilters.Read(row.WhereFilters),
        };
        foreach (var (name, value) in OwnOf(row)) settings[name] = value?.DeepClone();
        return settings;
    }

    /// <summary>The first of a row's own settings that its kind does not know, or null.</summary>
    public static RuleViolation? UnknownOf(TableRow row, string kind, IReadOnlyList<string> known) =>
        OwnOf(row).FirstOrDefault(setting => !known.Contains(setting.Key, StringComparer.Ordinal)) is { Key: { } unknown }
            ? new RuleViolation("settings", $"'{unknown}' is no setting of a table of {kind}. There is {string.Join(", ", known)}.")
            : null;

    public static JsonElement Element(this JsonObject settings) => JsonElement.Parse(settings.ToJsonString());

    private static JsonObject OwnOf(TableRow row) => row.Settings is not null && JsonNode.Parse(row.Settings) is JsonObject own ? own : [];
}
