using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Metrics;

/// <summary>The file format of definitions: one mapping, or a list of them; any <c>sql_by_x</c> is a variant.</summary>
internal static class MetricYaml
{
    private const string VariantPrefix = "sql_";
    private const string Source = "yaml_import";

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "id", "name", "display_name", "category", "type", "unit", "grain", "time_column", "table", "table_name", "tables", "expression", "description", "dimensions", "filters",
        "synonyms", "notes", "sql", "validation",
    };

    /// <param name="category">Of entries that name none: the folder of the file.</param>
    /// <param name="faults">What is wrong, one line each, with the entry it is about.</param>
    public static IReadOnlyList<MetricRow> Read(JsonNode document, string? category, List<string> faults)
    {
        var entries = document is JsonArray list ? list.ToArray() : [document];
        var rows = new List<MetricRow>();
        foreach (var (index, entry) in entries.Index())
        {
            if (entry is not JsonObject mapping)
            {
                faults.Add($"entry {index + 1}: it is not a mapping");
                continue;
            }
            var own = new List<string>();
            var row = Row(mapping, category, own);
            own.AddRange(MetricRules.Faults(row));
            if (own.Count == 0) rows.Add(row);
            var label = row.Name.Length > 0 ? MetricRules.Short(row.Id) : $"entry {index + 1}";
            faults.AddRange(own.Select(fault => $"{label}: {fault}"));
        }
        foreach (var twice in rows.GroupBy(row => row.Id, StringComparer.Ordinal).Where(group => group.Count() > 1)) faults.Add($"{twice.Key}: it is defined {twice.Count()} times");
        return rows;
    }

    /// <summary>The same as a file; what has no value is left out.</summary>
    public static string Write(MetricRow metric)
    {
        var yaml = new YamlWriter();
        yaml.Text("name", metric.Name);
        yaml.Text("display_name", metric.DisplayName);
        yaml.Text("category", metric.Category);
        yaml.Text("type", metric.Type);
        yaml.Text("unit", metric.Unit);
        yaml.Text("grain", metric.Grain);
        yaml.Text("table", metric.TableName);
        yaml.List("tables", MetricJson.Strings(metric.Tables));
        yaml.Text("time_column", metric.TimeColumn);
        yaml.Text("expression", metric.Expression);
        yaml.Text("description", metric.Description);
        yaml.List("dimensions", MetricJson.Strings(metric.Dimensions));
        yaml.List("filters", MetricJson.Strings(metric.Filters));
        yaml.List("synonyms", MetricJson.Strings(metric.Synonyms));
        yaml.List("notes", MetricJson.Strings(metric.Notes));
        foreach (var (key, sql) in metric.Statements()) yaml.Text(key, sql);
        if (metric.Validation is { } validation) yaml.Json("validation", validation);
        return yaml.ToString();
    }

    private static MetricRow Row(JsonObject entry, string? folder, List<string> faults)
    {
        var fields = new YamlFields(entry, faults);
        var name = fields.Text("name") ?? "";
        var category = fields.Text("category") ?? folder ?? "";
        if (name.Length == 0) faults.Add("'name' is missing");
        if (category.Length == 0) faults.Add("'category' is missing");
        if (fields.Text("id") is { } id && id != $"{category}/{name}") faults.Add($"'id' is '{MetricRules.Short(id)}', but category and name say '{MetricRules.Short($"{category}/{name}")}'");
        foreach (var key in entry.Select(field => field.Key).Where(key => !Known.Contains(key) && !IsVariant(key))) faults.Add($"'{MetricRules.Short(key)}' is not a field of a metric");
        var variants = new JsonObject();
        foreach (var key in entry.Select(field => field.Key).Where(IsVariant)) variants[key[VariantPrefix.Length..]] = fields.Text(key) ?? "";
        return new MetricRow
        {
            Id = $"{category}/{name}",
            Name = name,
            DisplayName = fields.Text("display_name") ?? name,
            Category = category,
            Description = fields.Text("description"),
            Type = fields.Text("type") ?? MetricRow.TypeDefault,
            Unit = fields.Text("unit"),
            Grain = fields.Text("grain") ?? MetricRow.GrainDefault,
            TableName = fields.Text("table") ?? fields.Text("table_name"),
            Tables = MetricJson.WriteOrNull(fields.List("tables")),
            Expression = fields.Text("expression"),
            TimeColumn = fields.Text("time_column"),
            Dimensions = MetricJson.WriteOrNull(fields.List("dimensions")),
            Filters = MetricJson.WriteOrNull(fields.List("filters")),
            Synonyms = MetricJson.WriteOrNull(fields.List("synonyms")),
            Notes = MetricJson.WriteOrNull(fields.List("notes")),
            Sql = fields.Text("sql") ?? "",
            SqlVariants = variants.Count == 0 ? null : variants.ToJsonString(),
            Validation = fields.Mapping("validation")?.ToJsonString(),
            Source = Source,
        };
    }

    private static bool IsVariant(string key) => key.StartsWith(VariantPrefix, StringComparison.Ordinal) && MetricRules.IsVariant(key[VariantPrefix.Length..]);
}

/// <summary>Reads fields of a mapping; what has the wrong shape becomes a fault.</summary>
internal sealed class YamlFields(JsonObject entry, List<string> faults)
{
    public string? Text(string key)
    {
        switch (entry[key])
        {
            case null: return null;
            case JsonValue value: return value.TryGetValue<string>(out var text) ? text : value.ToJsonString();
            default:
                faults.Add($"'{key}' must be a text");
                return null;
        }
    }

    public IReadOnlyList<string> List(string key)
    {
        switch (entry[key])
        {
            case null: return [];
            case JsonArray list when list.All(item => item is JsonValue): return [.. list.Select(item => item!.GetValueKind() == System.Text.Json.JsonValueKind.String ? item.GetValue<string>() : item.ToJsonString())];
            default:
                faults.Add($"'{key}' must be a list of texts");
                return [];
        }
    }

    public JsonObject? Mapping(string key)
    {
        switch (entry[key])
        {
            case null: return null;
            case JsonObject mapping: return mapping;
            default:
                faults.Add($"'{key}' must be a mapping");
                return null;
        }
    }
}

/// <summary>Writes the little YAML that <see cref="YamlText"/> reads: every text in double quotes or, with several lines, as a block.</summary>
internal sealed class YamlWriter
{
    private readonly StringBuilder _text = new();

    public void Text(string key, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        _text.Append(key).Append(": ");
        Value(value);
        _text.Append('\n');
    }

    public void List(string key, IReadOnlyList<string> items)
    {
        if (items.Count == 0) return;
        _text.Append(key).Append(":\n");
        foreach (var item in items) _text.Append("  - ").Append(Quoted(item)).Append('\n');
    }

    /// <summary>JSON is YAML.</summary>
    public void Json(string key, string json) => _text.Append(key).Append(": ").Append(json).Append('\n');

    public override string ToString() => _text.ToString();

    private void Value(string value)
    {
        // A block keeps SQL readable, but only where the text survives it unchanged.
        var isBlock = value.Contains('\n') && value[0] is not (' ' or '\t' or '\n') && value.Split('\n').All(line => !line.Any(char.IsControl) && line.TrimEnd() == line);
        if (!isBlock)
        {
            _text.Append(Quoted(value));
            return;
        }
        var body = value.TrimEnd('\n');
        _text.Append((value.Length - body.Length) switch { 0 => "|-", 1 => "|", _ => "|+" });
        foreach (var line in value[..^Math.Min(1, value.Length - body.Length)].Split('\n')) _text.Append('\n').Append(line.Length == 0 ? "" : "  ").Append(line);
    }

    private static string Quoted(string value) => System.Text.Json.JsonSerializer.Serialize(value, TextJson.Default.String);
}
