using System.Globalization;
using System.Text.RegularExpressions;
using Agnes.Connectors.Postgres.Rendering;
using Agnes.Protocol;

namespace Agnes.Connectors.Postgres;

/// <summary>
/// What a column is to the engine. A type that the engine has loses nothing; every other one is its text, as PostgreSQL writes it, and
/// lists and JSON are JSON. A numeric without a fixed number of digits is a text, since no decimal of the engine's holds all of its
/// values.
/// </summary>
internal static partial class PostgresTypes
{
    /// <summary>Digits of the engine's largest decimal.</summary>
    private const int DigitsMax = 38;

    /// <summary>Stands for the table's alias in a column's text; no name holds it.</summary>
    public const char Alias = '\0';

    /// <param name="type">As <c>format_type</c> writes it; of a domain, what it is made of.</param>
    /// <param name="isPlain">Equal texts are of equal bytes, by the column's rule for sorting.</param>
    public static (TableColumn Column, RenderColumn Rendered) Of(string name, string type, bool isNullable, bool isPlain)
    {
        var value = $"{Alias}.{SqlText.Identifier(name)}";
        var (engine, sql) = Mapped(type, value, isPlain);
        return (new TableColumn(name, engine, isNullable), new RenderColumn(name, EngineTypes.KindOf(engine) ?? ValueKind.Opaque, sql));
    }

    private static (string Engine, string Sql) Mapped(string type, string value, bool isPlain)
    {
        if (DigitsShape().Match(type) is { Success: true } digits)
        {
            var width = int.Parse(digits.Groups["width"].Value, CultureInfo.InvariantCulture);
            var scale = int.Parse(digits.Groups["scale"].Value, CultureInfo.InvariantCulture);
            return width <= DigitsMax && scale >= 0 && scale <= width ? ($"DECIMAL({width},{scale})", value) : ("VARCHAR", Written(value));
        }

        if (type.EndsWith("[]", StringComparison.Ordinal)) return ("JSON", $"CAST(to_json({value}) AS text)");
        return PrecisionShape().Replace(type, "") switch
        {
            "boolean" => ("BOOLEAN", value),
            "smallint" => ("SMALLINT", value),
            "integer" => ("INTEGER", value),
            "bigint" => ("BIGINT", value),
            "real" => ("FLOAT", value),
            "double precision" => ("DOUBLE", value),
            "text" or "character varying" => ("VARCHAR", isPlain ? value : $"({value} COLLATE \"C\")"),
            "date" => ("DATE", value),
            "time without time zone" => ("TIME", value),
            "timestamp without time zone" => ("TIMESTAMP", value),
            "timestamp with time zone" => ("TIMESTAMP WITH TIME ZONE", value),
            "uuid" => ("UUID", value),
            "bytea" => ("BLOB", value),
            "json" or "jsonb" => ("JSON", Written(value)),
            _ => ("VARCHAR", Written(value)),
        };
    }

    private static string Written(string value) => $"CAST({value} AS text)";

    [GeneratedRegex(@"\Anumeric\((?<width>[0-9]+),(?<scale>-?[0-9]+)\)\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigitsShape();

    [GeneratedRegex(@"\([0-9]+\)", RegexOptions.CultureInvariant)]
    private static partial Regex PrecisionShape();
}
