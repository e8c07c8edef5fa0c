using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>The registry as it was before there was a state: <c>table_registry.json</c>, or fenced <c>yaml</c> blocks in a document, each with a list <c>tables</c>.</summary>
internal static class RegistryFile
{
    private const string By = "migration";
    private const int BytesMax = 16 << 20;

    /// <exception cref="ImportException">It is no such file.</exception>
    public static IReadOnlyList<TableRow> Read(string path, string? sourceType, SourceKinds kinds, ForeignSettings settings, ImportReport report, DateTime now)
    {
        if (!Installation.IsPlain(path) || new FileInfo(path).Length > BytesMax) throw new ImportException($"{path} is no plain file that can be read, or larger than {BytesMax >> 20} MiB.");
        var text = File.ReadAllText(path);
        var items = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? Items(path, () => JsonNode.Parse(text)) : Blocks(text).SelectMany(block => Items(path, () => YamlText.Read(block)));
        var tables = new Dictionary<string, TableRow>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var row = new ForeignRow(item);
            if ((row.Text("id") ?? row.Text("name")) is not { } id)
            {
                report.Leave("tables of the registry file", "?", "without an id");
                continue;
            }

            var table = Table(row, id, sourceType, kinds, settings, now);
            if (table.SourceType is null) report.Leave("tables of the registry file", id, "it says no source type: give --source-type");
            else tables.TryAdd(id, table);
        }

        return [.. tables.Values];
    }

    /// <summary>What stands before the last dot of an id is the bucket, what stands behind it the table.</summary>
    private static TableRow Table(ForeignRow row, string id, string? sourceType, SourceKinds kinds, ForeignSettings settings, DateTime now)
    {
        var dot = id.LastIndexOf('.');
        var table = ForeignRegistry.Table(row, id, row.Text("name") ?? id[(dot + 1)..], now);
        return table with
        {
            Bucket = table.Bucket ?? (dot > 0 ? id[..dot] : null),
            SourceTable = table.SourceTable ?? id[(dot + 1)..],
            SourceType = sourceType ?? settings.TypeOf(table, kinds),
            RegisteredBy = By,
        };
    }

    private static List<JsonObject> Items(string path, Func<JsonNode?> parse)
    {
        try
        {
            return parse() is JsonObject root && root["tables"] is JsonArray tables ? [.. tables.OfType<JsonObject>()] : [];
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            throw new ImportException($"{path} cannot be read: {fault.Message}");
        }
    }

    private static IEnumerable<string> Blocks(string text)
    {
        List<string>? block = null;
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r')))
        {
            if (block is null)
            {
                if (line.Trim() is "```yaml" or "```yml") block = [];
            }
            else if (line.Trim() == "```")
            {
                yield return string.Join('\n', block);
                block = null;
            }
            else
            {
                block.Add(line);
            }
        }
    }
}
