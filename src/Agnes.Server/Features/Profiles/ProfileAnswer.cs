using System.Text.Json;

namespace Agnes.Server.Features.Profiles;

/// <summary>For the description, as are the records below: made by <see cref="ProfileRun"/> and <see cref="ColumnProfile"/>.</summary>
/// <param name="PrimaryKey">Its columns with commas between.</param>
/// <param name="VariableTypes">How many columns there are of each type.</param>
/// <param name="SampleRows">By column, a text or null.</param>
internal sealed record ProfileAnswer(
    string TableId, string Description, string PrimaryKey, string SyncStrategy, long RowCount, int ColumnCount, double? FileSizeMb,
    double? AvgCompleteness, long MissingCells, double? MissingCellsPct, long? DuplicateRows,
    IReadOnlyDictionary<string, int> VariableTypes, ProfiledRange? DateRange, IReadOnlyList<ProfileAlert> Alerts, bool Sampled,
    long? SampledRows, string? LastSync, IReadOnlyList<string> RelatedTables, IReadOnlyList<ProfileMetric> UsedByMetrics,
    IReadOnlyList<ColumnProfileAnswer> Columns, IReadOnlyList<IReadOnlyDictionary<string, JsonElement>> SampleRows, string ProfiledAt);

internal sealed record ProfiledRange(string? Earliest, string? Latest, long SpanDays);

internal sealed record ProfileAlert(string Column, string Type, string Message);

internal sealed record ProfileMetric(string Name, string File);

/// <summary>Of the last four the one that fits the column's type.</summary>
internal sealed record ColumnProfileAnswer(
    string Name, string Type, string TypeCategory, double? CompletenessPct, long NullCount, long UniqueCount, double? UniquePct,
    IReadOnlyList<string> SampleValues, bool IsPrimaryKey, IReadOnlyList<string> Alerts, NumericStats? NumericStats = null,
    BooleanStats? BooleanStats = null, DateStats? DateStats = null, StringStats? StringStats = null);

internal sealed record NumericStats(
    double? Min, double? Max, double? Mean, double? Median, double? Stddev, double? P5, double? P25, double? P75, double? P95, long Zeros,
    double? ZerosPct, long Negative, double? NegativePct, HistogramAnswer? Histogram = null);

internal sealed record BooleanStats(long TrueCount, long FalseCount, double? TruePct);

internal sealed record DateStats(string? Earliest, string? Latest, long SpanDays, HistogramAnswer? Histogram = null);

internal sealed record StringStats(long MinLength, long MaxLength, double? AvgLength, IReadOnlyList<ValueCount>? TopValues = null);

internal sealed record ValueCount(string Value, long Count, double? Pct);

internal sealed record HistogramAnswer(IReadOnlyList<string> Bins, IReadOnlyList<long> Counts);
