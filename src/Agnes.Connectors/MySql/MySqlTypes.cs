using System.Globalization;
using Agnes.Connectors.Databases;
using Agnes.Protocol;

namespace Agnes.Connectors.MySql;

/// <summary>
/// What a column is to the engine. A type that the engine has loses nothing; every other one is its text, as the database writes it.
/// </summary>
internal static class MySqlTypes
{
    /// <summary>Digits of the engine's largest decimal.</summary>
    private const int DigitsMax = 38;

    /// <param name="type">The bare name, such as <c>int</c>.</param>
    /// <param name="whole">With width and sign, such as <c>int(10) unsigned</c>.</param>
    /// <param name="precision">Digits of a decimal.</param>
    /// <param name="scale">Digits after its point.</param>
    public static DatabaseColumn Of(string name, string type, string whole, long? precision, long? scale, bool isNullable)
    {
        var value = MySqlText.Quote(name);
        var (engine, expression) = Mapped(type.ToLowerInvariant(), whole.ToLowerInvariant(), precision ?? 0, scale ?? 0, value);
        return new DatabaseColumn(new TableColumn(name, engine, true), expression, isNullable);
    }

    private static (string Engine, string Expression) Mapped(string type, string whole, long precision, long scale, string value)
    {
        var isUnsigned = whole.Contains("unsigned", StringComparison.Ordinal);
        return type switch
        {
            "tinyint" => (isUnsigned ? "UTINYINT" : "TINYINT", value), // of tinyint(1) too: it holds 2 as well
            "smallint" => (isUnsigned ? "USMALLINT" : "SMALLINT", value),
            "mediumint" => (isUnsigned ? "UINTEGER" : "INTEGER", value),
            "int" or "integer" => (isUnsigned ? "UINTEGER" : "INTEGER", value),
            "bigint" => (isUnsigned ? "UBIGINT" : "BIGINT", value),
            "year" => ("SMALLINT", $"CAST({value} AS SIGNED)"),
            "bit" when whole == "bit(1)" => ("BOOLEAN", $"CAST({value} AS UNSIGNED)"),
            "bit" => ("UBIGINT", $"CAST({value} AS UNSIGNED)"),
            "decimal" or "numeric" => precision <= DigitsMax
                ? (string.Create(CultureInfo.InvariantCulture, $"DECIMAL({precision},{scale})"), Written(value))
                : ("VARCHAR", Written(value)),
            "float" => ("FLOAT", value),
            "double" => ("DOUBLE", value),
            "date" => ("DATE", value),
            "datetime" => ("TIMESTAMP", value),
            "timestamp" => ("TIMESTAMP WITH TIME ZONE", value),
            "char" or "varchar" or "tinytext" or "text" or "mediumtext" or "longtext" or "enum" or "set" => ("VARCHAR", value),
            "binary" or "varbinary" or "tinyblob" or "blob" or "mediumblob" or "longblob" => ("BLOB", value),
            "json" => ("JSON", Written(value)),
            "geometry" or "point" or "linestring" or "polygon" or "multipoint" or "multilinestring" or "multipolygon" or "geometrycollection"
                or "geomcollection" => ("VARCHAR", $"ST_AsText({value})"),
            _ => ("VARCHAR", Written(value)), // times of more than a day, UUIDs, addresses
        };
    }

    private static string Written(string value) => $"CAST({value} AS CHAR)";
}

/// <summary>How names and texts stand in statements; the sessions take a backslash for itself.</summary>
internal static class MySqlText
{
    public static string Quote(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    public static string Literal(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
}
