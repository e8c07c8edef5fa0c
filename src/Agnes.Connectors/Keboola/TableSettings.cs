using System.Globalization;
using System.Text.Json;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Keboola;

/// <summary>How one table is to be pulled.</summary>
/// <param name="SourceId">Of the table in the project, with its bucket.</param>
/// <param name="Filter">What of it is wanted.</param>
internal sealed record TableSettings(string SourceId, ExportMessage Filter)
{
    /// <summary>Of <see cref="TableConfig.Settings"/>; the names are those of the registry.</summary>
    public const string Known = "reconcile_every_days";

    private const string Full = "full_refresh";
    private const string Incremental = "incremental";
    private const string Partitioned = "partitioned";
    private const int WindowDaysDefault = 7;
    private const int ChunkDaysDefault = 30;
    private const int DaysMax = 36_500;
    private static readonly string[] Operators = ["eq", "ne", "gt", "ge", "lt", "le"];

    public string Strategy { get; private init; } = Full;

    /// <summary>Set by hand; empty: those of the project.</summary>
    public IReadOnlyList<string> Keys { get; private init; } = [];

    /// <summary>Overlap of an incremental pull with the one before.</summary>
    public int WindowDays { get; private init; } = WindowDaysDefault;

    /// <summary>How far back the first pull goes; null: to the beginning.</summary>
    public int? HistoryDays { get; private init; }

    public int ChunkDays { get; private init; } = ChunkDaysDefault;

    public string? PartitionBy { get; init; }

    /// <summary><c>day</c>, <c>month</c> or <c>year</c>.</summary>
    public string Granularity { get; private init; } = "month";

    /// <summary>So often the keys are compared with the project's, to find rows that are gone there; null: never.</summary>
    public int? ReconcileDays { get; private init; }

    public bool IsWhole => Strategy == Full;

    public bool IsPartitioned => Strategy == Partitioned;

    /// <summary>Columns that were asked for; empty: all.</summary>
    public IReadOnlyList<string> Columns => Filter.Columns is { Length: > 0 } list ? list.Split(',', StringSplitOptions.TrimEntries) : [];

    /// <summary>What is wrong with the settings, or null.</summary>
    public static string? Fault(TableConfig table)
    {
        try
        {
            Of(table, DateOnly.FromDateTime(DateTime.UnixEpoch));
            return null;
        }
        catch (TableException e)
        {
            return e.Message;
        }
    }

    /// <param name="today">In UTC, for the dates that filters name.</param>
    /// <exception cref="TableException">A setting cannot be so.</exception>
    public static TableSettings Of(TableConfig table, DateOnly today)
    {
        if (string.IsNullOrEmpty(table.Bucket))
            throw new TableException($"{table.Name} has no bucket: set the bucket of its table in Keboola, such as in.c-crm.");
        var name = string.IsNullOrEmpty(table.SourceTable) ? table.Name : table.SourceTable;
        var id = name.StartsWith($"{table.Bucket}.", StringComparison.Ordinal) ? name : $"{table.Bucket}.{name}";
        var given = table.Settings is { ValueKind: JsonValueKind.Object } object_ ? object_ : default;
        if (table.QueryMode == "materialized") return new TableSettings(id, FilterOf(Member(given, "source_query"), today));
        var filters = Member(given, "where_filters") is { } where ? Conditions(where, today) : null;
        var settings = new TableSettings(id, new ExportMessage(filters, null, null, null, null, null))
        {
            Strategy = Text(given, "sync_strategy") ?? Full,
            Keys = Texts(Member(given, "primary_key")),
            WindowDays = Days(given, "incremental_window_days") ?? WindowDaysDefault,
            HistoryDays = Days(given, "max_history_days"),
            ChunkDays = Days(given, "initial_load_chunk_days") is > 0 and var chunk ? chunk : ChunkDaysDefault,
            PartitionBy = Text(given, "partition_by"),
            Granularity = Text(given, "partition_granularity") ?? "month",
            ReconcileDays = Days(given, Known),
        };
        return settings.Checked();
    }

    private TableSettings Checked()
    {
        if (Strategy is not (Full or Incremental or Partitioned))
            throw new TableException($"sync_strategy must be {Full}, {Incremental} or {Partitioned}.");
        if (!IsPartitioned) return this;
        if (string.IsNullOrWhiteSpace(PartitionBy)) throw new TableException("sync_strategy 'partitioned' needs partition_by.");
        return Granularity is "day" or "month" or "year"
            ? this : throw new TableException("partition_granularity must be day, month or year.");
    }

    /// <summary>The filter of a materialized table: JSON, as text.</summary>
    private static ExportMessage FilterOf(JsonElement? query, DateOnly today)
    {
        if (query is not { ValueKind: JsonValueKind.String } text
            || string.IsNullOrWhiteSpace(text.GetString())) return new(null, null, null, null, null, "parquet");
        JsonElement given;
        try
        {
            given = JsonElement.Parse(text.GetString()!);
        }
        catch (JsonException)
        {
            throw new TableException("source_query is no JSON: it is an object such as {\"columns\":[\"id\"],\"where_filters\":[…]}.");
        }

        if (given.ValueKind != JsonValueKind.Object) throw new TableException("source_query must be a JSON object.");
        var file = Text(given, "file_type") ?? Text(given, "fileType") ?? "parquet";
        if (file is not ("csv" or "parquet")) throw new TableException("file_type must be csv or parquet.");
        var columns = Member(given, "columns") is { ValueKind: JsonValueKind.String } list
            ? list.GetString() : string.Join(',', Texts(Member(given, "columns")));
        var filters = Member(given, "where_filters") is { } where ? Conditions(where, today) : null;
        return new ExportMessage(
            filters, string.IsNullOrWhiteSpace(columns) ? null : columns, Scalar(given, "changed_since", today),
            Scalar(given, "changed_until", today),
            Limit(given), file == "csv" ? null : file);
    }

    private static List<WhereFilter>? Conditions(JsonElement where, DateOnly today)
    {
        if (where.ValueKind != JsonValueKind.Array) throw new TableException("where_filters: must be a list.");
        var conditions = where.EnumerateArray().Select(entry => ConditionOf(entry, today)).ToList();
        return conditions.Count == 0 ? null : conditions;
    }

    private static WhereFilter ConditionOf(JsonElement entry, DateOnly today)
    {
        if (Text(entry, "column") is not { Length: > 0 } column) throw new TableException("where_filters: each needs a column.");
        var comparison = Text(entry, "operator") ?? "eq";
        if (!Operators.Contains(comparison, StringComparer.Ordinal))
            throw new TableException($"where_filters: operator must be one of {string.Join(", ", Operators)}.");
        if (Member(entry, "values") is not { ValueKind: JsonValueKind.Array } values || values.GetArrayLength() == 0)
            throw new TableException("where_filters: values must be a list that is not empty.");
        try
        {
            return new WhereFilter(column, comparison,
                [.. values.EnumerateArray().Select(value => DatePlaceholders.Resolve(value.ToString(), today))]);
        }
        catch (FormatException unknown)
        {
            throw new TableException($"where_filters: {unknown.Message}");
        }
    }

    private static long? Limit(JsonElement given) => Member(given, "limit") switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } limit when limit.TryGetInt64(out var rows) && rows > 0 => rows,
        _ => throw new TableException("limit must be a number above 0."),
    };

    private static string? Scalar(JsonElement given, string name, DateOnly today) => Member(given, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String or JsonValueKind.Number } value => DatePlaceholders.Resolve(value.ToString(), today),
        _ => throw new TableException($"{name} must be a date or seconds since 1970."),
    };

    private static int? Days(JsonElement given, string name) => Member(given, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } days when days.TryGetInt32(out var count) && count is >= 0 and <= DaysMax => count,
        _ => throw new TableException(string.Create(CultureInfo.InvariantCulture, $"{name} must be a number of days from 0 to {DaysMax}.")),
    };

    private static List<string> Texts(JsonElement? list) =>
        list is { ValueKind: JsonValueKind.Array } given ? [.. given.EnumerateArray().Select(one => one.ToString())] : [];

    private static string? Text(JsonElement of, string name) =>
        Member(of, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static JsonElement? Member(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value : null;
}
