using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.BigQuery;

/// <summary>
/// A table, or what looks like one: its type is TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL or SNAPSHOT, as <c>tables.list</c> writes it.
/// </summary>
public sealed record Table(string Project, string Dataset, string Name, string Type, IReadOnlyList<Field> Fields)
{
    /// <summary>A view's query.</summary>
    public string? Query { get; init; }

    /// <summary>The column by which days are parts, or null.</summary>
    public string? PartitionField { get; init; }

    public IReadOnlyList<string> Clustering { get; init; } = [];

    public string? Description { get; init; }

    public DateTimeOffset Created { get; init; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Modified { get; init; } = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    /// <summary>What the engine calls it; empty for a view, which is put into the query.</summary>
    internal string Physical { get; init; } = "";

    internal long Rows { get; init; }

    /// <summary>Logical bytes of each column, or of each part of a struct (<c>home.city</c>), as BigQuery counts them.</summary>
    internal IReadOnlyDictionary<string, long> Bytes { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    public long TotalBytes => Bytes.Values.Sum();

    public bool HasRows => Type != "VIEW";

    /// <summary>As a message calls it.</summary>
    internal string Id => $"{Project}:{Dataset}.{Name}";

    internal JsonObject Reference => new() { ["projectId"] = Project, ["datasetId"] = Dataset, ["tableId"] = Name };

    /// <summary>Bytes of a column, or of a part of one, as the engine names what it reads.</summary>
    internal long BytesOf(string path) => Bytes
        .Where(entry =>
            entry.Key.Equals(path, StringComparison.OrdinalIgnoreCase)
            || entry.Key.StartsWith(path + ".", StringComparison.OrdinalIgnoreCase))
        .Sum(entry => entry.Value);

    internal JsonObject ToListEntry()
    {
        var json = new JsonObject
        {
            ["kind"] = "bigquery#table",
            ["id"] = Id,
            ["tableReference"] = Reference,
            ["type"] = Type,
            ["creationTime"] = Millis(Created),
        };
        Layout(json);
        if (Type == "VIEW") json["view"] = new JsonObject { ["useLegacySql"] = false };
        return json;
    }

    internal JsonObject ToJson(string location)
    {
        var json = ToListEntry();
        json["etag"] = "\"emulated\"";
        json["selfLink"] = $"https://bigquery.example.com/bigquery/v2/projects/{Project}/datasets/{Dataset}/tables/{Name}";
        json["schema"] = new JsonObject { ["fields"] = new JsonArray([.. Fields.Select(field => (JsonNode)field.ToJson())]) };
        json["numBytes"] = Text(HasRows ? TotalBytes : 0);
        json["numLongTermBytes"] = "0";
        json["numRows"] = Text(HasRows ? Rows : 0);
        json["lastModifiedTime"] = Millis(Modified);
        json["location"] = location;
        if (Description is not null) json["description"] = Description;
        if (Type == "VIEW") json["view"] = new JsonObject { ["query"] = Query, ["useLegacySql"] = false };
        if (Type == "MATERIALIZED_VIEW") json["materializedView"] = new JsonObject { ["query"] = Query, ["enableRefresh"] = true };
        if (Type == "EXTERNAL") json["externalDataConfiguration"] = new JsonObject { ["sourceFormat"] = "PARQUET" };
        return json;
    }

    private void Layout(JsonObject json)
    {
        if (PartitionField is not null) json["timePartitioning"] = new JsonObject { ["type"] = "DAY", ["field"] = PartitionField };
        if (Clustering.Count > 0)
        {
            json["clustering"] = new JsonObject { ["fields"] = new JsonArray([.. Clustering.Select(name => (JsonNode)name)]) };
        }
    }

    private static string Millis(DateTimeOffset instant) => Text(instant.ToUnixTimeMilliseconds());

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
