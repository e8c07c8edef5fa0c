using System.Globalization;
using System.Text.Json;
using Agnes.Connectors.Files;
using Agnes.Connectors.Keboola;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Databases;

/// <summary>How a table of a database is pulled, as it is registered.</summary>
internal sealed record TableSettings
{
    public const string Incremental = "incremental";
    public const string Partitioned = "partitioned";

    /// <summary>Of a table's own settings: how late a row may appear, by the column that says how far was read: <c>30s</c>, <c>15m</c>, <c>2h</c>, <c>1d</c>.</summary>
    public const string LagSetting = "lag";

    /// <summary>Of a table's own settings: so often, in days, it is looked which rows are gone there; 0: at each run.</summary>
    public const string ReconcileSetting = "reconcile_every_days";

    private const int DaysMax = 36_500;

    /// <summary>Transactions that wrote their time early and were committed late.</summary>
    private static readonly TimeSpan LagDefault = TimeSpan.FromMinutes(15);

    public string? Schema { get; private init; }

    public required string Table { get; init; }

    public string Strategy { get; private init; } = "full_refresh";

    /// <summary>Empty: the table's own primary key.</summary>
    public IReadOnlyList<string> Keys { get; private init; } = [];

    public string? IncrementalColumn { get; private init; }

    public TimeSpan Lag { get; private init; } = LagDefault;

    /// <summary>Days of recent partitions that are read anew, where nothing tells which rows changed.</summary>
    public int WindowDays { get; private init; } = 7;

    /// <summary>How far back the first pull goes; null: to the beginning.</summary>
    public int? HistoryDays { get; private init; }

    public string? PartitionBy { get; private init; }

    /// <summary><c>day</c>, <c>month</c> or <c>year</c>.</summary>
    public string Granularity { get; private init; } = "month";

    /// <summary>0: at each run. Null: never.</summary>
    public int? ReconcileDays { get; private init; }

    public IReadOnlyList<(string Column, string Operator, IReadOnlyList<string> Values)> Filters { get; private init; } = [];

    public bool IsWhole => Strategy is not (Incremental or Partitioned);

    public bool IsPartitioned => Strategy == Partitioned;

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
        var given = new GivenSettings(table.Settings);
        var days = given.Days("incremental_window_days", DaysMax);
        var settings = new TableSettings
        {
            Schema = string.IsNullOrEmpty(table.Bucket) ? null : table.Bucket,
            Table = string.IsNullOrEmpty(table.SourceTable) ? table.Name : table.SourceTable,
            Strategy = given.Text("sync_strategy") ?? "full_refresh",
            Keys = given.Texts("primary_key"),
            IncrementalColumn = given.Text("incremental_column"),
            Lag = given.Text(LagSetting) is { } lag ? Duration(lag) : days is { } window ? TimeSpan.FromDays(window) : LagDefault,
            WindowDays = days ?? 7,
            HistoryDays = given.Days("max_history_days", DaysMax),
            PartitionBy = given.Text("partition_by"),
            Granularity = given.Text("partition_granularity") ?? "month",
            ReconcileDays = given.Days(ReconcileSetting, DaysMax),
            Filters = given.Filters("where_filters", today),
        };
        if (settings.Granularity is not ("day" or "month" or "year")) throw new TableException("partition_granularity must be day, month or year.");
        if (settings is { Strategy: Incremental, IncrementalColumn: null })
            throw new TableException("sync_strategy 'incremental' needs incremental_column: the column by which changed rows are found, such as updated_at.");
        return settings is { IsPartitioned: true, PartitionBy: null } ? throw new TableException("sync_strategy 'partitioned' needs partition_by.") : settings;
    }

    private static TimeSpan Duration(string text)
    {
        var unit = text.Length > 1 ? text[^1] : ' ';
        var seconds = unit switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 0 };
        return seconds > 0 && int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count * (long)seconds <= DaysMax * 86_400L
            ? TimeSpan.FromSeconds(count * (long)seconds)
            : throw new TableException($"{LagSetting} must be a time such as 30s, 15m, 2h or 1d.");
    }
}

/// <summary>The settings of a table as they came, a JSON object.</summary>
internal readonly struct GivenSettings(JsonElement? settings)
{
    private static readonly string[] Operators = ["eq", "ne", "gt", "ge", "lt", "le"];
    private readonly JsonElement _settings = settings is { ValueKind: JsonValueKind.Object } given ? given : default;

    public string? Text(string name) => Member(name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } value ? value : null;

    public IReadOnlyList<string> Texts(string name) =>
        Member(name) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(one => one.ToString())] : [];

    /// <exception cref="TableException">It is no such number.</exception>
    public int? Days(string name, int max) => Member(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } days when days.TryGetInt32(out var count) && count >= 0 && count <= max => count,
        _ => throw new TableException(string.Create(CultureInfo.InvariantCulture, $"{name} must be a number of days from 0 to {max}.")),
    };

    /// <exception cref="TableException">They are no filters.</exception>
    public IReadOnlyList<(string Column, string Operator, IReadOnlyList<string> Values)> Filters(string name, DateOnly today)
    {
        if (Member(name) is not { ValueKind: JsonValueKind.Array } list) return [];
        var filters = new List<(string, string, IReadOnlyList<string>)>();
        foreach (var entry in list.EnumerateArray())
        {
            var given = new GivenSettings(entry);
            var comparison = given.Text("operator") ?? "eq";
            if (given.Text("column") is not { } column || !Operators.Contains(comparison, StringComparer.Ordinal) || given.Texts("values") is not { Count: > 0 } values)
                throw new TableException($"{name}: each needs a column, an operator ({string.Join(", ", Operators)}) and values.");
            try
            {
                filters.Add((column, comparison, [.. values.Select(value => DatePlaceholders.Resolve(value, today))]));
            }
            catch (FormatException unknown)
            {
                throw new TableException($"{name}: {unknown.Message}", unknown);
            }
        }

        return filters;
    }

    private JsonElement? Member(string name) =>
        _settings.ValueKind == JsonValueKind.Object && _settings.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
