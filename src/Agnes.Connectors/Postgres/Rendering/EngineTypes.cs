namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>The engine's names of types.</summary>
internal static class EngineTypes
{
    /// <returns>Null: a type that is none of those that both engines know alike.</returns>
    public static ValueKind? KindOf(string type) => type switch
    {
        "BOOLEAN" => ValueKind.Boolean,
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT" or "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT"
            or "UHUGEINT" => ValueKind.Integer,
        "FLOAT" => ValueKind.Real,
        "DOUBLE" => ValueKind.Float,
        "VARCHAR" => ValueKind.Text,
        "BLOB" => ValueKind.Bytes,
        "DATE" => ValueKind.Date,
        "TIME" => ValueKind.Time,
        "TIMESTAMP" => ValueKind.Timestamp,
        "TIMESTAMP WITH TIME ZONE" => ValueKind.Instant,
        "INTERVAL" => ValueKind.Interval,
        "UUID" => ValueKind.Uuid,
        "JSON" => ValueKind.Opaque,
        _ => type.StartsWith("DECIMAL(", StringComparison.Ordinal) ? ValueKind.Decimal : null,
    };
}
