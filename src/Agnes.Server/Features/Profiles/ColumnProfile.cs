using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.Profiles;

/// <summary>What was found out about a column.</summary>
internal sealed class ColumnProfile
{
    private const int CategoricalMax = 50;
    private const int TopValuesMax = 10;
    private const int PeriodsMax = 100;
    private const double DaysPerQuarter = 92;
    private const double DaysPerYear = 366;
    private const double HighMissingPercent = 30;
    private const double MissingPercent = 5;
    private const double ImbalancePercent = 60;
    private const double ZerosPercent = 50;

    private readonly JsonObject _stats = [];
    private readonly string _everyRow;
    private string? _statsName;
    private Func<JsonElement, JsonNode>? _readCounts;
    private string? _countsName;
    private double? _topPercent;
    private double _zerosPercent;
    private (long First, long Last)? _days;

    private ColumnProfile(ProfiledColumn column, long rows, bool isSampled, long values, long unique)
    {
        _everyRow = isSampled ? "Every row of the sample" : "Every row";
        Column = column;
        Rows = rows;
        Nulls = rows - values;
        Unique = unique;
    }

    public ProfiledColumn Column { get; }

    /// <summary>That were looked at: all, or the sample's.</summary>
    public long Rows { get; }

    public long Nulls { get; }

    /// <summary>Distinct values, nulls not counted.</summary>
    public long Unique { get; }

    public bool IsKey { get; set; }

    /// <summary>A few values, as text.</summary>
    public IReadOnlyList<string> Values { get; set; } = [];

    /// <summary>The expression whose values are to be counted for <see cref="ReadCounts"/>, or null.</summary>
    public string? Counted { get; private set; }

    public double Completeness => 100 - Percent(Nulls);

    /// <summary>Takes the column's measures off the cells, in the order in which <see cref="ProfileSql"/> asked for them.</summary>
    public static ColumnProfile Read(ProfiledColumn column, long rows, bool isSampled, ref JsonElement.ArrayEnumerator cells)
    {
        var profile = new ColumnProfile(column, rows, isSampled, Next(ref cells).GetInt64(), Next(ref cells).GetInt64());
        switch (column.Category)
        {
            case TypeCategory.Numeric: profile.ReadNumbers(ref cells); break;
            case TypeCategory.Boolean: profile.ReadBooleans(ref cells); break;
            case TypeCategory.Date or TypeCategory.Timestamp: profile.ReadTimes(ref cells); break;
            default: profile.ReadTexts(ref cells); break;
        }

        return profile;
    }

    public void ReadCounts(JsonElement cell)
    {
        using var counts = JsonDocument.Parse(cell.ValueKind == JsonValueKind.String ? cell.GetString()! : "{}"); // a nested value is JSON as text
        _stats[_countsName!] = _readCounts!(counts.RootElement);
    }

    /// <summary>What somebody who works with the column should know first.</summary>
    public IEnumerable<(string Type, string Message)> Alerts()
    {
        if (Rows == 0) yield break;
        var isConstant = Unique == 1 && Nulls == 0;
        var isUnique = Unique == Rows && !isConstant;
        var missing = Percent(Nulls);
        if (isConstant) yield return ("constant", $"{_everyRow} has the same value.");
        if (isUnique) yield return ("unique", $"{_everyRow} has a value of its own.");
        if (missing > HighMissingPercent) yield return ("high_missing", $"{Shown(missing)} % of the values are missing.");
        else if (missing > MissingPercent) yield return ("missing", $"{Shown(missing)} % of the values are missing.");
        if (_zerosPercent > ZerosPercent) yield return ("zeros", $"{Shown(_zerosPercent)} % of the values are zero.");
        if (_topPercent > ImbalancePercent && !isConstant) yield return ("imbalance", $"One value makes up {Shown(_topPercent.Value)} % of the rows.");
        if (Column.Category == TypeCategory.String && Unique > CategoricalMax && !isUnique) yield return ("high_cardinality", $"{Unique.ToString(CultureInfo.InvariantCulture)} different values.");
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["name"] = Column.Name,
            ["type"] = Column.Type,
            ["type_category"] = NameOf(Column.Category),
            ["completeness_pct"] = Rounded(Completeness),
            ["null_count"] = Nulls,
            ["unique_count"] = Unique,
            ["unique_pct"] = Rounded(Percent(Unique)),
            ["sample_values"] = new JsonArray([.. Values.Select(value => (JsonNode)value)]),
            ["is_primary_key"] = IsKey,
            ["alerts"] = new JsonArray([.. Alerts().Select(alert => (JsonNode)alert.Type)]),
        };
        if (_statsName is not null) json[_statsName] = _stats;
        return json;
    }

    public static string NameOf(TypeCategory category) => category.ToString().ToUpperInvariant();

    /// <summary>To two decimals; null for what is no number, or infinite.</summary>
    public static JsonNode? Rounded(double? number) => number is { } value && double.IsFinite(value) ? JsonValue.Create(Math.Round(value, 2)) : null;

    /// <summary>From the earliest to the latest day of all columns, or null.</summary>
    public static JsonObject? RangeOf(IEnumerable<ColumnProfile> profiles)
    {
        var days = profiles.Select(profile => profile._days).OfType<(long First, long Last)>().ToList();
        if (days.Count == 0) return null;
        var (first, last) = (days.Min(range => range.First), days.Max(range => range.Last));
        return new JsonObject { ["earliest"] = Day(first), ["latest"] = Day(last), ["span_days"] = last - first };
    }

    /// <summary>Null outside of the years 1 to 9999.</summary>
    private static string? Day(long day)
    {
        var number = day + DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;
        return number >= 0 && number <= DateOnly.MaxValue.DayNumber ? DateOnly.FromDayNumber((int)number).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null;
    }

    private void ReadNumbers(ref JsonElement.ArrayEnumerator cells)
    {
        var (min, max, mean, deviation) = (Number(Next(ref cells)), Number(Next(ref cells)), Number(Next(ref cells)), Number(Next(ref cells)));
        var quantiles = Next(ref cells);
        var (zeros, negative) = (Next(ref cells).GetInt64(), Next(ref cells).GetInt64());
        if (min is null || max is null) return; // no value, or none that is finite
        var isAddable = Math.Max(Math.Abs(min.Value), Math.Abs(max.Value)) < ProfileSql.SquareMax;
        using var list = JsonDocument.Parse(quantiles.GetString()!);
        var parts = list.RootElement.EnumerateArray().Select(Number).ToArray();
        _statsName = "numeric_stats";
        _zerosPercent = Percent(zeros);
        foreach (var (name, value) in (IEnumerable<(string, double?)>)
        [
            ("min", min), ("max", max), ("mean", isAddable ? mean : null), ("median", parts[2]), ("stddev", isAddable ? deviation : null),
            ("p5", parts[0]), ("p25", parts[1]), ("p75", parts[3]), ("p95", parts[4]),
        ]) _stats[name] = Rounded(value);
        _stats["zeros"] = zeros;
        _stats["zeros_pct"] = Rounded(_zerosPercent);
        _stats["negative"] = negative;
        _stats["negative_pct"] = Rounded(Percent(negative));
        var width = (max.Value - min.Value) / ProfileSql.Bins;
        if (!double.IsNormal(width)) return; // a single value, or a range that is no number
        Count("histogram", ProfileSql.BinOf(Column, min.Value, width), counts => Histogram.OfNumbers(counts, min.Value, width));
    }

    private void ReadBooleans(ref JsonElement.ArrayEnumerator cells)
    {
        var (yes, no) = (Next(ref cells).GetInt64(), Next(ref cells).GetInt64());
        if (yes + no == 0) return;
        _statsName = "boolean_stats";
        _stats["true_count"] = yes;
        _stats["false_count"] = no;
        _stats["true_pct"] = Rounded(100.0 * yes / (yes + no));
    }

    private void ReadTimes(ref JsonElement.ArrayEnumerator cells)
    {
        var (earliest, latest, first, last) = (Next(ref cells), Next(ref cells), Next(ref cells), Next(ref cells));
        if (first.ValueKind == JsonValueKind.Null) return;
        _days = (first.GetInt64(), last.GetInt64());
        var span = _days.Value.Last - _days.Value.First;
        _statsName = "date_stats";
        _stats["earliest"] = earliest.GetString();
        _stats["latest"] = latest.GetString();
        _stats["span_days"] = span;
        var isYear = span > PeriodsMax * DaysPerQuarter;
        if (isYear && span > PeriodsMax * DaysPerYear) return; // more bars than anybody could look at
        Count("histogram", ProfileSql.PeriodOf(Column, isYear), counts => Histogram.OfPeriods(counts, isYear));
    }

    private void ReadTexts(ref JsonElement.ArrayEnumerator cells)
    {
        var (min, max, mean) = (Next(ref cells), Next(ref cells), Number(Next(ref cells)));
        if (min.ValueKind == JsonValueKind.Null) return;
        _statsName = "string_stats";
        _stats["min_length"] = min.GetInt64();
        _stats["max_length"] = max.GetInt64();
        _stats["avg_length"] = Rounded(mean);
        if (Unique <= CategoricalMax) Count("top_values", ProfileSql.Text(Column), TopValues);
    }

    private JsonArray TopValues(JsonElement counts)
    {
        var values = counts.EnumerateObject().Select(entry => (entry.Name, Count: entry.Value.GetInt64())).OrderByDescending(entry => entry.Count).ThenBy(entry => entry.Name, StringComparer.Ordinal).Take(TopValuesMax).ToList();
        _topPercent = values.Count == 0 ? null : Percent(values[0].Count);
        return new JsonArray([.. values.Select(entry => (JsonNode)new JsonObject { ["value"] = entry.Name, ["count"] = entry.Count, ["pct"] = Rounded(Percent(entry.Count)) })]);
    }

    private void Count(string name, string expression, Func<JsonElement, JsonNode> read)
    {
        Counted = expression;
        _countsName = name;
        _readCounts = read;
    }

    private double Percent(long count) => Rows == 0 ? 0 : 100.0 * count / Rows;

    private static JsonElement Next(ref JsonElement.ArrayEnumerator cells) => cells.MoveNext() ? cells.Current : throw new JsonException("A measure is missing.");

    private static double? Number(JsonElement cell) => cell.ValueKind == JsonValueKind.Number ? cell.GetDouble() : null;

    private static string Shown(double percent) => Math.Round(percent, 1).ToString(CultureInfo.InvariantCulture);
}
