using Agnes.Protocol;

namespace Agnes.Connectors.BigQuery;

/// <summary>A column of a result or a table, or a field of a struct.</summary>
/// <param name="Type">BigQuery's standard name: INT64, STRING, STRUCT …</param>
/// <param name="IsRepeated">An array of it.</param>
/// <param name="Fields">Of a struct.</param>
public sealed record BigQueryField(
    string Name, string Type, bool IsRepeated, bool IsRequired, IReadOnlyList<BigQueryField> Fields, string? Description = null)
{
    private const int DepthMax = 16; // BigQuery has 15 levels of structs

    /// <summary>A value of it is given as JSON, which is turned into <see cref="EngineType"/> where it is written.</summary>
    public bool IsNested => IsRepeated || Type == "STRUCT";

    /// <summary>As BigQuery's SQL writes it, e.g. <c>ARRAY&lt;STRUCT&lt;a INT64&gt;&gt;</c>.</summary>
    public string StandardType
    {
        get
        {
            var one = Type == "STRUCT" ? $"STRUCT<{string.Join(", ", Fields.Select(part => $"{part.Name} {part.StandardType}"))}>" : Type;
            return IsRepeated ? $"ARRAY<{one}>" : one;
        }
    }

    /// <summary>
    /// The engine's type. What the engine has no equal of is text: BIGNUMERIC has 76 digits, an INTERVAL of BigQuery has its own form.
    /// Bytes within arrays and structs stay
    /// BigQuery's base64, since JSON carries no bytes.
    /// </summary>
    public string EngineType => TypeOf(isWithin: false);

    public TableColumn ToColumn() => new(Name, EngineType, !IsRequired);

    private string TypeOf(bool isWithin)
    {
        var one = Type switch
        {
            "INT64" => "BIGINT",
            "FLOAT64" => "DOUBLE",
            "NUMERIC" => "DECIMAL(38,9)",
            "BOOL" => "BOOLEAN",
            "BYTES" when !isWithin && !IsRepeated => "BLOB",
            "DATE" => "DATE",
            "TIME" => "TIME",
            "DATETIME" => "TIMESTAMP",
            "TIMESTAMP" => "TIMESTAMP WITH TIME ZONE",
            "JSON" => "JSON",
            "STRUCT" =>
                $"STRUCT({string.Join(", ", Fields.Select(part => $"{SqlText.Identifier(part.Name)} {part.TypeOf(isWithin: true)}"))})",
            _ => "VARCHAR",
        };
        return IsRepeated ? $"{one}[]" : one;
    }

    /// <exception cref="BigQueryException">A struct without fields, or deeper than BigQuery has them.</exception>
    internal static IReadOnlyList<BigQueryField> From(SchemaMessage? schema, int depth = 0)
    {
        if (depth > DepthMax) throw BigQueryErrors.NotUnderstood("a schema is nested too deeply");
        return [.. (schema?.Fields ?? []).Select(field =>
        {
            var type = Standard(field.Type);
            var parts = type == "STRUCT" ? From(new SchemaMessage(field.Fields), depth + 1) : [];
            if (type == "STRUCT" && parts.Count == 0) throw BigQueryErrors.NotUnderstood("a struct has no fields");
            return new BigQueryField(field.Name, type, field.Mode == "REPEATED", field.Mode == "REQUIRED", parts, field.Description);
        })];
    }

    /// <summary>Schemas have older names for some types.</summary>
    private static string Standard(string type) => type switch
    {
        "INTEGER" => "INT64",
        "FLOAT" => "FLOAT64",
        "BOOLEAN" => "BOOL",
        "RECORD" => "STRUCT",
        "DECIMAL" => "NUMERIC",
        "BIGDECIMAL" => "BIGNUMERIC",
        _ => type,
    };
}
