using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>The other installation's registry of tables, with what its own later versions would have changed in it.</summary>
internal static class ForeignRegistry
{
    public static IEnumerable<TableRow> Tables(ForeignState state, ImportReport report, SourceKinds kinds, ForeignSettings settings, DateTime now)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var row in state.Rows("table_registry").OrderBy(row => row.Time("registered_at") ?? DateTime.MaxValue).ThenBy(row => row.Text("id"), StringComparer.Ordinal))
        {
            if (row.Text("id") is not { } id || row.Text("name") is not { } name) report.Leave("tables", row.Text("id") ?? "?", "without an id or a name");
            else if (!names.Add(name)) report.Leave("tables", $"{name} ({id})", "another table has the name but for case");
            else yield return Modern(Typed(Table(row, id, name, now), kinds, settings, report), state.Version, report, kinds, settings.Find);
        }
    }

    public static TableRow Table(ForeignRow row, string id, string name, DateTime now) => new()
    {
        Id = id,
        Name = name,
        SourceType = row.Text("source_type"),
        Bucket = row.Text("bucket"),
        SourceTable = row.Text("source_table"),
        SourceQuery = row.Text("source_query"),
        SyncStrategy = row.Text("sync_strategy") ?? "full_refresh",
        QueryMode = row.Text("query_mode") ?? "local",
        SyncSchedule = row.Text("sync_schedule"),
        ProfileAfterSync = row.Flag("profile_after_sync") ?? true,
        PrimaryKey = PrimaryKey(row.Text("primary_key")),
        Folder = row.Text("folder"),
        Description = row.Text("description"),
        RegisteredBy = row.Text("registered_by"),
        RegisteredAt = row.Time("registered_at") ?? now,
        IncrementalWindowDays = row.Integer("incremental_window_days"),
        MaxHistoryDays = row.Integer("max_history_days"),
        InitialLoadChunkDays = row.Integer("initial_load_chunk_days"),
        IncrementalColumn = row.Text("incremental_column"),
        PartitionBy = row.Text("partition_by"),
        PartitionGranularity = row.Text("partition_granularity"),
        WhereFilters = row.Text("where_filters"),
    };

    private static TableRow Typed(TableRow table, SourceKinds kinds, ForeignSettings settings, ImportReport report)
    {
        if (table.SourceType is not null || settings.TypeOf(table, kinds) is not { } type) return table;
        report.Change("tables", table.Name, $"without a source type, taken as one of {type}");
        return table with { SourceType = type };
    }

    private static TableRow Modern(TableRow table, int version, ImportReport report, SourceKinds kinds, Func<string, string?> find)
    {
        if (kinds.OfType(table.SourceType) is not { } kind) return table;
        var imported = kind.Modernised(table, version, find);
        if (imported.Changed is { } changed) report.Change("tables", table.Name, changed);
        if (imported.Left is { } left) report.Leave("queries", table.Name, left);
        return imported.Row;
    }

    /// <summary>Known forms: a JSON list, a list in single quotes, names with commas between.</summary>
    internal static string? PrimaryKey(string? written)
    {
        if (string.IsNullOrWhiteSpace(written)) return null;
        var text = written.Trim();
        if (text[0] == '[')
        {
            try
            {
                if (JsonNode.Parse(text) is JsonArray) return text;
            }
            catch (JsonException)
            {
                // The form with single quotes, below.
            }

            text = text.Trim('[', ']');
        }

        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name => name.Trim('\'', '"')).Where(name => name.Length > 0);
        return new JsonArray([.. names.Select(name => (JsonNode)name)]).ToJsonString();
    }
}
