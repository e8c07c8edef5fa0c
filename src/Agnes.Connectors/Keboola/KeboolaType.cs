using Agnes.Protocol;

namespace Agnes.Connectors.Keboola;

/// <summary>
/// What a column's cells become. The project keeps text; its metadata says what the text means. An empty cell of anything but text is no
/// value, and so is one that does not mean what the metadata says: that is told.
/// </summary>
/// <param name="Name">Of the engine's type, as it is stored.</param>
internal sealed record KeboolaType(string Name)
{
    private const string BigInt = "BIGINT";
    private const string Double = "DOUBLE";
    private const string Boolean = "BOOLEAN";
    private const string Date = "DATE";
    private const string Timestamp = "TIMESTAMP";
    private const string TimestampWithZone = "TIMESTAMP WITH TIME ZONE";

    public static readonly KeboolaType Text = new("VARCHAR");

    public bool IsText => Name == Text.Name;

    /// <param name="type">In Keboola's words; null where nothing is known.</param>
    public static KeboolaType Of(string? type) => type switch
    {
        "INTEGER" or "BIGINT" => new(BigInt),
        "NUMERIC" or "DECIMAL" or "FLOAT" or "DOUBLE" => new(Double),
        "BOOLEAN" => new(Boolean),
        "DATE" => new(Date),
        "TIMESTAMP" or "TIMESTAMP_NTZ" => new(Timestamp),
        "TIMESTAMP_TZ" => new(TimestampWithZone),
        _ => Text,
    };

    /// <summary>SQL that makes a value of a cell; NULL where it is none.</summary>
    /// <param name="cell">SQL of the cell.</param>
    /// <param name="stored">The type that the file itself gives the cell.</param>
    public string ValueOf(string cell, string stored)
    {
        if (stored == Name) return cell;
        if (stored != Text.Name) return $"TRY_CAST({cell} AS {Name})";
        return Name switch
        {
            // The engine would round what has decimals.
            BigInt => $"TRY_CAST(CASE WHEN NOT contains({cell}, '.') OR regexp_full_match({cell}, '\\s*[+-]?[0-9]+\\.0*\\s*') "
                + $"THEN {cell} END AS {Name})",
            Boolean => $"CASE WHEN {cell} IN ('true', 'True', 'TRUE', '1', 'yes', 'Yes', 'YES') THEN true "
                + $"WHEN {cell} IN ('false', 'False', 'FALSE', '0', 'no', 'No', 'NO') THEN false END",
            Date => $"coalesce(TRY_CAST({cell} AS {Name}), CAST(TRY_CAST({cell} AS {Timestamp}) AS {Name}))",
            // What has an offset is moved to UTC before the zone is forgotten; the engine would drop the offset.
            Timestamp => $"CAST(TRY_CAST({cell} AS {TimestampWithZone}) AS {Name})",
            _ => $"TRY_CAST({cell} AS {Name})",
        };
    }
}

/// <summary>A column of a table as it is pulled.</summary>
internal sealed record KeboolaColumn(string Name, KeboolaType Type)
{
    public TableColumn Stored => new(Name, Type.Name);
}
