using Agnes.Protocol;

namespace Agnes.Engine.Extracts;

/// <summary>Parquet has no form for some of the engine's types; left alone, the engine writes them changed (a HUGEINT as a rounded DOUBLE).</summary>
public static class ParquetTypes
{
    /// <summary>The type that a column must be cast to before it is written, so that reading yields the same type and value.</summary>
    public static string Storable(string type) => type switch
    {
        "HUGEINT" or "UHUGEINT" => "DECIMAL(38,0)",
        "BIT" or "BIGNUM" or "VARINT" or "\"NULL\"" or "NULL" => "VARCHAR",
        "TIMESTAMP_S" or "TIMESTAMP_MS" => "TIMESTAMP",
        _ when type.StartsWith("ENUM(", StringComparison.Ordinal) => "VARCHAR",
        _ => type,
    };

    public static IReadOnlyList<TableColumn> Storable(IEnumerable<TableColumn> columns) => [.. columns.Select(column => column with { Type = Storable(column.Type) })];

    /// <summary>A select list that casts what must be cast, under the columns' own names.</summary>
    public static string SelectList(IReadOnlyList<TableColumn> columns) => string.Join(", ", columns.Select(column =>
    {
        var name = SqlText.Identifier(column.Name);
        var storable = Storable(column.Type);
        return storable == column.Type ? name : $"CAST({name} AS {storable}) AS {name}";
    }));
}
