using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.VerifiedQueries;

/// <summary>The file format: one mapping or a list of them, with <c>name</c>, <c>category</c>, <c>question</c>, <c>description</c>, <c>parameters</c> and <c>sql</c>.</summary>
internal static class VerifiedQueryYaml
{
    private const int ParametersMax = 20;
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal) { "name", "category", "question", "description", "parameters", "sql" };

    public static IReadOnlyList<VerifiedQueryRow> Read(JsonNode document, string? folder, List<string> faults)
    {
        var rows = new List<VerifiedQueryRow>();
        foreach (var (index, entry) in (document is JsonArray list ? list.ToArray() : [document]).Index())
        {
            var own = new List<string>();
            if (entry is not JsonObject mapping)
            {
                faults.Add($"entry {index + 1}: it is not a mapping");
                continue;
            }
            var row = Row(mapping, folder, own);
            if (own.Count == 0) rows.Add(row);
            faults.AddRange(own.Select(fault => $"{(MetricRules.IsId(row.Id) ? row.Id : $"entry {index + 1}")}: {fault}"));
        }
        return rows;
    }

    private static VerifiedQueryRow Row(JsonObject entry, string? folder, List<string> faults)
    {
        var fields = new YamlFields(entry, faults);
        var id = $"{fields.Text("category") ?? folder}/{fields.Text("name")}";
        if (!MetricRules.IsId(id)) faults.Add("'category' and 'name' must be words of lower-case letters, digits and '_'");
        foreach (var key in entry.Select(field => field.Key).Where(key => !Known.Contains(key))) faults.Add($"'{MetricRules.Short(key)}' is not a field of a verified query");
        var row = new VerifiedQueryRow
        {
            Id = id,
            Question = fields.Text("question") ?? "",
            Description = fields.Text("description"),
            Sql = MetricCheck.Bare(fields.Text("sql") ?? ""),
            Parameters = VerifiedQueryRow.Write(Parameters(entry["parameters"], faults)),
        };
        if (row.Question.Length is 0 or > MetricRules.ItemCharsMax) faults.Add($"'question' must have 1 to {MetricRules.ItemCharsMax} characters");
        if (row.Description is { Length: > MetricRules.TextCharsMax }) faults.Add($"'description' may have {MetricRules.TextCharsMax} characters at most");
        if (row.Sql.Length is 0 or > MetricRules.SqlCharsMax) faults.Add($"'sql' must have 1 to {MetricRules.SqlCharsMax} characters");
        return row;
    }

    private static List<QueryParameter> Parameters(JsonNode? given, List<string> faults)
    {
        var parameters = new List<QueryParameter>();
        if (given is null) return parameters;
        if (given is not JsonArray list || list.Count > ParametersMax || !list.All(item => item is JsonObject))
        {
            faults.Add($"'parameters' must be a list of at most {ParametersMax} mappings");
            return parameters;
        }
        foreach (var item in list.OfType<JsonObject>())
        {
            var fields = new YamlFields(item, faults);
            var parameter = new QueryParameter(fields.Text("name") ?? "", fields.Text("type") ?? "text", fields.Text("default"), fields.Text("description"));
            if (!Identifiers.IsColumn(parameter.Name)) faults.Add("a parameter's 'name' must be a word of letters, digits and '_'");
            else if (parameters.Any(other => other.Name.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase))) faults.Add($"the parameter '{parameter.Name}' is there twice");
            else if (!QueryParameters.Types.Contains(parameter.Type)) faults.Add($"the parameter '{parameter.Name}' must have one of the types {string.Join(", ", QueryParameters.Types)}");
            else if (parameter.Default is { } value && !QueryParameters.Fits(parameter.Type, value)) faults.Add($"the default of '{parameter.Name}' is not of its type, {parameter.Type}");
            else parameters.Add(parameter);
        }
        return parameters;
    }
}
