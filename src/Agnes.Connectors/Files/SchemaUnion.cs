using System.Globalization;
using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Connectors.Files;

/// <summary>The columns of a table whose files do not agree: by name (case does not count, the first spelling wins), each of a type that holds all values.</summary>
internal static class SchemaUnion
{
    /// <summary>A column without any value in its file: any type will do.</summary>
    public const string Unknown = "NULL";

    private const int NamesToldMax = 10;
    private const string Text = "VARCHAR";
    private const string Json = "JSON";
    private const int DecimalDigitsMax = 38;
    private static readonly string[] Signed = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"];
    private static readonly string[] Unsigned = ["UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"];

    public static IReadOnlyList<TableColumn> Of(IEnumerable<IReadOnlyList<TableColumn>> files)
    {
        var columns = new List<TableColumn>();
        var places = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var column in files.SelectMany(file => file))
        {
            if (places.TryAdd(column.Name, columns.Count)) columns.Add(column);
            else columns[places[column.Name]] = columns[places[column.Name]] with { Type = Widen(columns[places[column.Name]].Type, column.Type) };
        }
        return [.. columns.Select(column => column with { Type = column.Type == Unknown ? Text : ParquetTypes.Storable(column.Type) })];
    }

    /// <summary>What a person should know about files that do not agree; empty when they do.</summary>
    public static string Drift(IReadOnlyList<TableColumn> unified, IReadOnlyList<TableColumn> own)
    {
        var types = own.ToDictionary(column => column.Name, column => column.Type, StringComparer.OrdinalIgnoreCase);
        var missing = unified.Where(column => !types.ContainsKey(column.Name)).Select(column => column.Name).ToList();
        var widened = unified.Where(column => types.TryGetValue(column.Name, out var type) && type != Unknown && ParquetTypes.Storable(type) != column.Type)
            .Select(column => $"{column.Name} {types[column.Name]} → {column.Type}").ToList();
        return string.Join("; ", ((string[])[missing.Count > 0 ? $"without {Named(missing)} (NULL)" : "", Named(widened)]).Where(text => text.Length > 0));
    }

    private static string Named(List<string> names) => string.Join(", ", names.Take(NamesToldMax)) + (names.Count > NamesToldMax ? $" and {names.Count - NamesToldMax} more" : "");

    public static string Widen(string one, string other)
    {
        if (one == other || other == Unknown) return one;
        if (one == Unknown) return other;
        if (IsNested(one) || IsNested(other)) return Json;
        if (IsTime(one) && IsTime(other)) return WidenTime(one, other);
        if (IsFloating(one) && IsNumber(other) || IsFloating(other) && IsNumber(one)) return "DOUBLE";
        if (IsNumber(one) && IsNumber(other)) return WidenExact(one, other);
        return Text;
    }

    private static string WidenTime(string one, string other) =>
        one == "TIMESTAMP WITH TIME ZONE" || other == "TIMESTAMP WITH TIME ZONE" ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP";

    private static string WidenExact(string one, string other)
    {
        if (Array.IndexOf(Signed, one) is >= 0 and var a && Array.IndexOf(Signed, other) is >= 0 and var b) return Signed[Math.Max(a, b)];
        if (Array.IndexOf(Unsigned, one) is >= 0 and var c && Array.IndexOf(Unsigned, other) is >= 0 and var d) return Unsigned[Math.Max(c, d)];
        var (digitsOne, scaleOne) = Digits(one);
        var (digitsOther, scaleOther) = Digits(other);
        var (whole, scale) = (Math.Max(digitsOne - scaleOne, digitsOther - scaleOther), Math.Max(scaleOne, scaleOther));
        if (scale == 0 && whole <= 18) return "BIGINT";
        return whole + scale <= DecimalDigitsMax ? string.Create(CultureInfo.InvariantCulture, $"DECIMAL({whole + scale},{scale})") : "DOUBLE";
    }

    private static (int Digits, int Scale) Digits(string type)
    {
        if (Array.IndexOf(Signed, type) is >= 0 and var signed) return ((int[])[3, 5, 10, 19])[signed] is var digits ? (digits, 0) : default;
        if (Array.IndexOf(Unsigned, type) is >= 0 and var unsigned) return (((int[])[3, 5, 10, 20])[unsigned], 0);
        if (!type.StartsWith("DECIMAL(", StringComparison.Ordinal)) return (DecimalDigitsMax, 0);
        var numbers = type["DECIMAL(".Length..^1].Split(',');
        return (int.Parse(numbers[0], CultureInfo.InvariantCulture), int.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    private static bool IsNumber(string type) => IsFloating(type) || Signed.Contains(type) || Unsigned.Contains(type) || type is "HUGEINT" or "UHUGEINT" || type.StartsWith("DECIMAL(", StringComparison.Ordinal);

    private static bool IsFloating(string type) => type is "DOUBLE" or "FLOAT";

    private static bool IsTime(string type) => type is "DATE" or "TIMESTAMP WITH TIME ZONE" || type.StartsWith("TIMESTAMP", StringComparison.Ordinal);

    private static bool IsNested(string type) => type == Json || type.EndsWith(']') || type.StartsWith("STRUCT(", StringComparison.Ordinal) || type.StartsWith("MAP(", StringComparison.Ordinal);
}
