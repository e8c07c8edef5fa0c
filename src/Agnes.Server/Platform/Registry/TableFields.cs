using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>Reads the body of a registration over a row: what is absent keeps, what is null clears.</summary>
internal static partial class TableFields
{
    /// <param name="row">The stored row, or a new one with the defaults.</param>
    /// <returns>The row with the body laid over it, and the names of the fields that the body named.</returns>
    /// <exception cref="ProblemException">422: a field has the wrong type, or breaks a rule of the body alone.</exception>
    public static (TableRow Row, IReadOnlyList<string> Fields) Read(RequestBody body, TableRow row, SourceKinds kinds)
    {
        var before = row;
        var fields = new List<string>();
        void Take(string name, Func<TableRow> read)
        {
            if (!body.Has(name)) return;
            fields.Add(name);
            row = read();
        }

        Take("name", () => row with { Name = body.String("name").Trim(' ') });
        Take("source_type", () => row with { SourceType = ReadSourceType(body, kinds) });
        Take("connection", () => row with { Connection = Blank(body.OptionalString("connection")) });
        Take("bucket", () => row with { Bucket = Blank(body.OptionalString("bucket")) });
        Take("source_table", () => row with { SourceTable = Blank(body.OptionalString("source_table")) });
        Take("folder", () => row with { Folder = Blank(body.OptionalString("folder")) });
        Take("description", () => row with { Description = Unescape(body.OptionalString("description")) });
        Take("query_mode", () => row with { QueryMode = body.OptionalString("query_mode") ?? TableRules.ModeLocal });
        Take("source_query", () => row with { SourceQuery = ReadQuery(body.OptionalString("source_query")) });
        Take("sync_schedule", () => row with { SyncSchedule = body.OptionalString("sync_schedule") is { Length: > 0 } schedule ? schedule : null });
        Take("sync_strategy", () => row with { SyncStrategy = body.OptionalString("sync_strategy") });
        Take("primary_key", () => row with { PrimaryKey = ReadKey(body) });
        Take("incremental_window_days", () => row with { IncrementalWindowDays = body.OptionalInteger("incremental_window_days") });
        Take("max_history_days", () => row with { MaxHistoryDays = body.OptionalInteger("max_history_days") });
        Take("initial_load_chunk_days", () => row with { InitialLoadChunkDays = body.OptionalInteger("initial_load_chunk_days") });
        Take("incremental_column", () => row with { IncrementalColumn = Blank(body.OptionalString("incremental_column")) });
        Take("partition_by", () => row with { PartitionBy = Blank(body.OptionalString("partition_by")) });
        Take("partition_granularity", () => row with { PartitionGranularity = Blank(body.OptionalString("partition_granularity")) });
        Take("where_filters", () => row with { WhereFilters = ReadFilters(body) });
        Take("schema_contract", () => row with { SchemaContract = Blank(body.OptionalString("schema_contract")) });
        Take("settings", () => row with { Settings = ReadSettings(body) });
        Take("profile_after_sync", () => row with { ProfileAfterSync = body.OptionalBoolean("profile_after_sync") ?? true });

        CheckQuery(body, row, before);
        body.ThrowIfInvalid();
        return (row, fields);
    }

    private static string? ReadSourceType(RequestBody body, SourceKinds kinds)
    {
        if (body.OptionalString("source_type") is not { } given) return null;
        if (kinds.Named(given) is { OfferedAs: not null } known) return known.Name;
        body.Refuse("source_type", $"source_type must be one of {string.Join(", ", kinds.Offered)}");
        return null;
    }

    private static string? ReadKey(RequestBody body)
    {
        var columns = body.Element("primary_key").ValueKind == JsonValueKind.String ? [body.String("primary_key")] : body.Strings("primary_key");
        var named = columns.Where(column => !string.IsNullOrWhiteSpace(column)).Select(column => (JsonNode)JsonValue.Create(column)).ToArray();
        return named.Length == 0 ? null : new JsonArray(named).ToJsonString();
    }

    private static string? ReadFilters(RequestBody body)
    {
        if (WhereFilters.TryNormalise(body.Element("where_filters"), out var stored) is { } problem) body.Refuse("where_filters", problem);
        return stored;
    }

    private static string? ReadSettings(RequestBody body)
    {
        var given = body.Element("settings");
        if (given.ValueKind == JsonValueKind.Null || given.ValueKind == JsonValueKind.Object && given.GetPropertyCount() == 0) return null;
        if (given.ValueKind == JsonValueKind.Object) return given.GetRawText();
        body.Refuse("settings", "settings must be an object");
        return null;
    }

    /// <summary>A query that only spells out the whole table counts as none.</summary>
    private static string? ReadQuery(string? given)
    {
        var query = Blank(given?.Trim());
        return query is null || WholeTable().IsMatch(query) ? null : query;
    }

    private static void CheckQuery(RequestBody body, TableRow row, TableRow before)
    {
        var isBlank = before.Name.Length > 0 && body.OptionalString("source_query") is { } given && string.IsNullOrWhiteSpace(given);
        if (isBlank && body.Has("query_mode") && row.QueryMode == TableRules.ModeMaterialized)
            body.Refuse("source_query", "source_query must not be empty with query_mode 'materialized'; null takes the whole table");
        if (!body.Has("source_query") || row.SourceQuery is null) return;
        // A query belongs to a mode that runs it; saying so in the same body guards against one that is stored and never used.
        var mode = body.Has("query_mode") || before.Name.Length == 0 ? row.QueryMode : null;
        if (mode != TableRules.ModeMaterialized) body.Refuse("source_query", "source_query needs query_mode 'materialized'");
    }

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    /// <summary>Two characters that stand for one, as shells leave them in a description, become that one.</summary>
    private static string? Unescape(string? text) => text is null ? null : Escape().Replace(text, match => match.ValueSpan[1] switch
    {
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        var other => other.ToString(),
    });

    [GeneratedRegex(@"\\[\\nrt'""]", RegexOptions.CultureInvariant)]
    private static partial Regex Escape();

    [GeneratedRegex(@"\Aselect\s+\*\s+from\s+(bq|kbc)\.""[^""]+""\.""[^""]+""\s*;?\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex WholeTable();
}
