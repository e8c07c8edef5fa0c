using System.Text.Json;

namespace Agnes.Connectors.Keboola;

/// <summary>A table of a project, as the Storage API describes it.</summary>
/// <param name="Id">With its bucket: <c>in.c-crm.orders</c>.</param>
/// <param name="Bytes">That it takes there.</param>
/// <param name="PrimaryKey">Which the project itself keeps unique; empty where there is none.</param>
/// <param name="Types">By column, where something is known: in Keboola's words, upper case, such as <c>NUMERIC</c>.</param>
public sealed record StorageTable(
    string Id, string Name, string BucketId, string BucketName, IReadOnlyList<string> Columns, long? Rows, long? Bytes,
    IReadOnlyList<string> PrimaryKey, IReadOnlyDictionary<string, string> Types)
{
    private const string BaseType = "KBC.datatype.basetype";
    private const string OwnType = "KBC.datatype.type";

    /// <summary>Whose word on a column's type counts first.</summary>
    private static readonly string[] Providers = ["user", "ai-metadata-enrichment", "keboola.snowflake-transformation", "storage"];

    public string? LastChange { get; init; }

    public string? LastImport { get; init; }

    internal static StorageTable From(TableMessage message)
    {
        var id = message.Id ?? "";
        var cut = id.LastIndexOf('.');
        var bucket = message.Bucket?.Id ?? (cut > 0 ? id[..cut] : "");
        var columns = message.Columns ?? [];
        return new StorageTable(
            id, message.Name ?? id[(cut + 1)..], bucket, message.Bucket?.Name ?? bucket, columns, message.RowsCount, message.DataSizeBytes,
            message.PrimaryKey ?? [], TypesOf(message, columns))
        {
            LastChange = message.LastChangeDate,
            LastImport = message.LastImportDate,
        };
    }

    private static Dictionary<string, string> TypesOf(TableMessage message, IReadOnlyList<string> columns)
    {
        // What an alias shows is described at its source, unless the alias has words of its own.
        var said = message.ColumnMetadata;
        if (message.IsAlias == true && !HasAny(said)) said = message.SourceTable?.ColumnMetadata;
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var column in columns)
        {
            if ((TypeSaid(said, column) ?? TypeDefined(message.Definition, column)) is { } type) types[column] = type.ToUpperInvariant();
        }

        return types;
    }

    private static bool HasAny(JsonElement? metadata) =>
        metadata is { ValueKind: JsonValueKind.Object } said && said.EnumerateObject().Any();

    private static string? TypeSaid(JsonElement? metadata, string column)
    {
        if (metadata is not { ValueKind: JsonValueKind.Object } said || !said.TryGetProperty(column, out var entries)) return null;
        if (entries.ValueKind != JsonValueKind.Array) return null;
        foreach (var provider in Providers)
        {
            var own = entries.EnumerateArray().Where(entry => Text(entry, "provider") == provider).ToList();
            if ((Value(own, BaseType) ?? Value(own, OwnType)) is { } type) return type;
        }

        return null;
    }

    /// <summary>The last of several counts, as the newest is listed last.</summary>
    private static string? Value(List<JsonElement> entries, string key) =>
        entries.Where(entry => Text(entry, "key") == key).Select(entry => Text(entry, "value")).LastOrDefault(value =>
            !string.IsNullOrEmpty(value));

    /// <summary>Of a table whose columns have types in the project itself.</summary>
    private static string? TypeDefined(JsonElement? definition, string column)
    {
        if (definition is not { ValueKind: JsonValueKind.Object } defined
            || !defined.TryGetProperty("columns", out var columns)) return null;
        if (columns.ValueKind != JsonValueKind.Array) return null;
        var own = columns.EnumerateArray().FirstOrDefault(one => Text(one, "name") == column);
        if (own.ValueKind != JsonValueKind.Object) return null;
        return Text(own, "basetype")
            ?? (own.TryGetProperty("definition", out var type) ? Text(type, "type") : null);
    }

    private static string? Text(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
