using System.Globalization;
using Agnes.Protocol;

namespace Agnes.Server.Features.Profiles;

/// <summary>What the profile calls the type of a column.</summary>
internal enum TypeCategory
{
    String,
    Numeric,
    Date,
    Timestamp,
    Boolean,
}

/// <summary>A column of the table, and its place in the statements about it.</summary>
internal sealed record ProfiledColumn(string Name, string Type, int Index)
{
    private static readonly string[] Numbers = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "REAL"];

    public TypeCategory Category { get; } = CategoryOf(Type.ToUpperInvariant());

    public string Quoted { get; } = SqlText.Identifier(Name);

    private static TypeCategory CategoryOf(string type)
    {
        if (type.EndsWith(']') || (type.Contains('(', StringComparison.Ordinal) && !type.StartsWith("DECIMAL", StringComparison.Ordinal))) return TypeCategory.String; // lists, structs, maps, enums
        if (type == "BOOLEAN") return TypeCategory.Boolean;
        if (type == "DATE") return TypeCategory.Date;
        if (type.Contains("TIMESTAMP", StringComparison.Ordinal)) return TypeCategory.Timestamp;
        return type.StartsWith("DECIMAL", StringComparison.Ordinal) || Numbers.Contains(type, StringComparer.Ordinal) ? TypeCategory.Numeric : TypeCategory.String;
    }
}

/// <summary>The statements that a profile is made of, each about a batch of columns. All but the first rows look at the same rows: all of them, or a sample.</summary>
/// <param name="sample">Rows to draw, or null for all.</param>
internal sealed class ProfileSql(string table, int? sample)
{
    public const int Bins = 15;
    public const int RowsLooked = 100;

    /// <summary>Of a value as text.</summary>
    public const int TextCharactersMax = 200;

    /// <summary>Squares of larger numbers do not add up to one that the engine can hold.</summary>
    public const double SquareMax = 1e150;

    private const string SquareLimit = "1e150";

    /// <summary>The sample is the same for every statement of a profile, as far as the engine's threads allow.</summary>
    private const int Seed = 15;

    private readonly string _table = SqlText.Identifier(table);

    /// <summary>One row: the number of rows, then of each column what <see cref="MeasuresOf"/> lists.</summary>
    public string Measures(IReadOnlyList<ProfiledColumn> columns) => $"SELECT count(*), {string.Join(", ", columns.SelectMany(MeasuresOf))} FROM {Rows(columns.Select(Measured))}";

    /// <summary>One row: of each column its values, or the numbers of its bins, with their counts.</summary>
    public string Counts(IReadOnlyList<(ProfiledColumn Column, string Counted)> columns) =>
        $"SELECT {string.Join(", ", columns.Select((_, place) => $"histogram(v{place})"))} FROM {Rows(columns.Select((entry, place) => $"{entry.Counted} AS v{place}"))}";

    /// <summary>The first rows, as texts.</summary>
    public string FirstRows(IReadOnlyList<ProfiledColumn> columns) => $"SELECT {string.Join(", ", columns.Select(column => $"{Text(column)} AS v{column.Index}"))} FROM {_table} LIMIT {RowsLooked}";

    /// <summary>How many rows have a key that another row has too.</summary>
    public string Duplicates(IReadOnlyList<ProfiledColumn> key) => $"SELECT (SELECT count(*) FROM {_table}) - count(*) FROM (SELECT DISTINCT {string.Join(", ", key.Select(column => column.Quoted))} FROM {_table})";

    public static string Text(ProfiledColumn column) => $"left(CAST({column.Quoted} AS VARCHAR), {TextCharactersMax})";

    /// <summary>The bin of a finite number, from 0; the largest number belongs to the last one. Null for the others, which <c>least</c> alone would put there too.</summary>
    public static string BinOf(ProfiledColumn column, double min, double width) =>
        $"CASE WHEN isfinite(CAST({column.Quoted} AS DOUBLE)) THEN least({Bins - 1}, floor((CAST({column.Quoted} AS DOUBLE) - {Number(min)}) / {Number(width)})) END";

    /// <summary>The quarter, counted from year 0, or the year.</summary>
    public static string PeriodOf(ProfiledColumn column, bool isYear) => isYear ? $"year({Time(column)})" : $"year({Time(column)}) * 4 + quarter({Time(column)}) - 1";

    private static string Finite(ProfiledColumn column) => $"CASE WHEN isfinite(CAST({column.Quoted} AS DOUBLE)) THEN CAST({column.Quoted} AS DOUBLE) END";

    private static string Time(ProfiledColumn column) => $"CASE WHEN isfinite(TRY_CAST({column.Quoted} AS TIMESTAMP)) THEN TRY_CAST({column.Quoted} AS TIMESTAMP) END";

    private static string Number(double value) => $"CAST('{value.ToString("R", CultureInfo.InvariantCulture)}' AS DOUBLE)";

    /// <summary>What the measures need of a value. Distinct values are counted by their hash, which is short whatever the value is.</summary>
    private static string Measured(ProfiledColumn column)
    {
        var value = column.Category switch
        {
            TypeCategory.Numeric => Finite(column),
            TypeCategory.Boolean => column.Quoted,
            TypeCategory.Date or TypeCategory.Timestamp => Time(column),
            _ => $"length(CAST({column.Quoted} AS VARCHAR))",
        };
        return $"CASE WHEN {column.Quoted} IS NOT NULL THEN hash({column.Quoted}) END AS h{column.Index}, {value} AS v{column.Index}";
    }

    private static IEnumerable<string> MeasuresOf(ProfiledColumn column)
    {
        var value = $"v{column.Index}";
        string[] measures = column.Category switch
        {
            TypeCategory.Numeric =>
            [
                $"min({value})", $"max({value})", $"avg({value}) FILTER (WHERE abs({value}) < {SquareLimit})", $"stddev_samp({value}) FILTER (WHERE abs({value}) < {SquareLimit})",
                $"quantile_cont({value}, [0.05, 0.25, 0.5, 0.75, 0.95])", $"count(*) FILTER (WHERE {value} = 0)", $"count(*) FILTER (WHERE {value} < 0)",
            ],
            TypeCategory.Boolean => [$"count(*) FILTER (WHERE {value})", $"count(*) FILTER (WHERE NOT {value})"],
            TypeCategory.Date or TypeCategory.Timestamp =>
            [
                Moment($"min({value})", column.Category), Moment($"max({value})", column.Category),
                $"date_diff('day', DATE '1970-01-01', CAST(min({value}) AS DATE))", $"date_diff('day', DATE '1970-01-01', CAST(max({value}) AS DATE))",
            ],
            _ => [$"min({value})", $"max({value})", $"avg({value})"],
        };
        return [$"count(h{column.Index})", $"count(DISTINCT h{column.Index})", .. measures];
    }

    private static string Moment(string value, TypeCategory category) => category == TypeCategory.Date ? $"CAST(CAST({value} AS DATE) AS VARCHAR)" : $"CAST({value} AS VARCHAR)";

    private string Rows(IEnumerable<string> values)
    {
        var rows = $"SELECT {string.Join(", ", values)} FROM {_table}";
        return sample is { } size ? $"(SELECT * FROM ({rows}) USING SAMPLE reservoir({size} ROWS) REPEATABLE ({Seed}))" : $"({rows})";
    }
}
