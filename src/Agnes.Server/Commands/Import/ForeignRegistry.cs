using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>The other installation's registry of tables, with what its own later versions would have changed in it.</summary>
internal static class ForeignRegistry
{
    private const int QuotedQueriesUntil = 24;
    private const int KeboolaLocalUntil = 26;

    public static IEnumerable<TableRow> Tables(ForeignState state, ImportReport report, ForeignSettings settings, DateTime now)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var row in state.Rows("table_registry").OrderBy(row => row.Time("registered_at") ?? DateTime.MaxValue).ThenBy(row => row.Text("id"), StringComparer.Ordinal))
        {
            if (row.Text("id") is not { } id || row.Text("name") is not { } name) report.Leave("tables", row.Text("id") ?? "?", "without an id or a name");
            else if (!names.Add(name)) report.Leave("tables", $"{name} ({id})", "another table has the name but for case");
            else yield return Modern(Typed(Table(row, id, name, now), settings, report), state.Version, report, settings.Project);
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

    private static TableRow Typed(TableRow table, ForeignSettings settings, ImportReport report)
    {
        if (table.SourceType is not null || settings.TypeOf(null, table.QueryMode, table.SourceQuery, table.Id, table.Bucket) is not { } type) return table;
        report.Change("tables", table.Name, $"without a source type, taken as one of {type}");
        return table with { SourceType = type };
    }

    private static TableRow Modern(TableRow table, int version, ImportReport report, string? project)
    {
        if (version < KeboolaLocalUntil && table is { SourceType: "keboola", QueryMode: "local" })
        {
            report.Change("tables", table.Name, "query mode local became materialized");
            table = table with { QueryMode = "materialized" };
        }

        if (version >= QuotedQueriesUntil || table is not { SourceType: "bigquery", QueryMode: "materialized", SourceQuery: { } query }) return table;
        var rewritten = Requoted(query, project ?? "?", out var found);
        if (!found) return table;
        if (project is null)
        {
            report.Leave("queries", table.Name, "its query names tables as bq.\"dataset\".\"table\", and no project is configured to put in front (BIGQUERY_PROJECT): edit the query");
            return table;
        }

        report.Change("tables", table.Name, "bq.\"dataset\".\"table\" in its query became `project.dataset.table`");
        return table with { SourceQuery = rewritten };
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

    /// <summary>Goes over the query token by token, so that nothing within a text or a comment is taken for a table.</summary>
    internal static string Requoted(string query, string project, out bool found)
    {
        const string Prefix = "bq.\"";
        var made = new StringBuilder(query.Length);
        found = false;
        var at = 0;
        while (at < query.Length)
        {
            var end = EndOfToken(query, at);
            if (end > at + 1)
            {
                made.Append(query, at, end - at);
                at = end;
                continue;
            }

            var isStart = at == 0 || !(char.IsLetterOrDigit(query[at - 1]) || query[at - 1] is '_' or '.');
            if (isStart && query.AsSpan(at).StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && Quoted(query, at + 3) is var (dataset, next) && next < query.Length && query[next] == '.' && Quoted(query, next + 1) is var (table, after))
            {
                made.Append('`').Append(project).Append('.').Append(dataset).Append('.').Append(table).Append('`');
                found = true;
                at = after;
                continue;
            }

            made.Append(query[at++]);
        }

        return made.ToString();
    }

    /// <summary>Past a text, a quoted name or a comment that begins here; else the next character.</summary>
    private static int EndOfToken(string query, int at)
    {
        int Past(string mark, int from) => query.IndexOf(mark, from, StringComparison.Ordinal) is >= 0 and var found ? found + mark.Length : query.Length;
        if (query[at] is '\'' or '`' or '"') return Past(query[at].ToString(), at + 1);
        if (query.AsSpan(at).StartsWith("--")) return Past("\n", at);
        return query.AsSpan(at).StartsWith("/*") ? Past("*/", at + 2) : at + 1;
    }

    private static (string Name, int Next)? Quoted(string query, int at)
    {
        if (at >= query.Length || query[at] != '"') return null;
        var end = query.IndexOf('"', at + 1);
        return end > at + 1 ? (query[(at + 1)..end], end + 1) : null;
    }
}
