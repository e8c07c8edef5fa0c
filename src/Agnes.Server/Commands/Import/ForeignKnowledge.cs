using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Features.Prompts;
using Agnes.Server.Features.Prompts.Templates;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>What people of the other installation wrote about their data: metric definitions, what is known of columns, and texts for agents.</summary>
internal static class ForeignKnowledge
{
    public const string Metrics = "metric_definitions";
    public const string Columns = "column_metadata";
    public const string Templates = "instance_templates";

    /// <summary>Before version 29 each text had a table of its own.</summary>
    public static readonly (string Table, string Key)[] SingleTemplates = [("welcome_template", "welcome"), ("claude_md_template", "claude_md")];

    private static readonly string[] TemplateKeys = ["welcome", "claude_md"];

    /// <summary>Unbound: the server binds each to its tables once these are there.</summary>
    public static IEnumerable<MetricRow> MetricsOf(ForeignState state, ImportReport report, DateTime now)
    {
        foreach (var row in state.Rows(Metrics))
        {
            if (row.Text("id") is not { } id || row.Text("sql") is not { } sql || id.Split('/') is not [var category, var name])
            {
                report.Leave("metric definitions", row.Text("id") ?? "?", "without SQL, or without an id of the form category/name");
                continue;
            }

            var metric = new MetricRow
            {
                Id = id,
                Name = row.Text("name") ?? name,
                DisplayName = row.Text("display_name") ?? name,
                Category = row.Text("category") ?? category,
                Description = row.Text("description"),
                Type = row.Text("type") ?? MetricRow.TypeDefault,
                Unit = row.Text("unit"),
                Grain = row.Text("grain") ?? MetricRow.GrainDefault,
                TableName = row.Text("table_name"),
                Tables = MetricJson.WriteOrNull(row.List("tables")),
                Expression = row.Text("expression"),
                TimeColumn = row.Text("time_column"),
                Dimensions = MetricJson.WriteOrNull(row.List("dimensions")),
                Filters = MetricJson.WriteOrNull(row.List("filters")),
                Synonyms = MetricJson.WriteOrNull(row.List("synonyms")),
                Notes = MetricJson.WriteOrNull(row.List("notes")),
                Sql = sql,
                SqlVariants = Mapping(row.Text("sql_variants")),
                Validation = Mapping(row.Text("validation")),
                Source = row.Text("source") ?? MetricRow.SourceDefault,
                CreatedAt = row.Time("created_at") ?? now,
                UpdatedAt = row.Time("updated_at") ?? now,
            };
            var faults = MetricRules.Faults(metric).ToList();
            if (faults.Count > 0) report.Leave("metric definitions", id, string.Join("; ", faults));
            else yield return metric;
        }
    }

    public static IEnumerable<ColumnMetadataRow> ColumnsOf(ForeignState state, ImportReport report, DateTime now)
    {
        foreach (var row in state.Rows(Columns))
        {
            if (row.Text("table_id") is not { } table || row.Text("column_name") is not { } column) report.Leave("column descriptions", row.Text("table_id") ?? "?", "without a table or a column");
            else
                yield return new ColumnMetadataRow
                {
                    TableId = table,
                    ColumnName = column,
                    Basetype = row.Text("basetype"),
                    Description = row.Text("description"),
                    Confidence = row.Text("confidence") ?? ColumnMetadataRow.Manual,
                    Source = row.Text("source") ?? ColumnMetadataRow.Manual,
                    UpdatedAt = row.Time("updated_at") ?? now,
                };
        }
    }

    public static IEnumerable<TemplateRow> TemplatesOf(ForeignState state, ImportReport report, DateTime now)
    {
        var rows = SingleTemplates.SelectMany(single => state.Rows(single.Table).Select(row => (single.Key, Row: row)))
            .Concat(state.Rows(Templates).Select(row => (Key: row.Text("key") ?? "", Row: row)));
        foreach (var (key, row) in rows)
        {
            if (row.Text("content") is not { } content) continue; // the shipped text counts, there as here
            if (Fault(key, content) is { } fault) report.Leave("texts for agents", key, fault);
            else
                yield return new TemplateRow
                {
                    Key = key,
                    Content = content,
                    PreviousContent = row.Text("previous_content"),
                    UpdatedAt = row.Time("updated_at") ?? now,
                    UpdatedBy = row.Text("updated_by"),
                };
        }
    }

    private static string? Fault(string key, string content)
    {
        if (!TemplateKeys.Contains(key)) return "nothing here shows it; keep the old database";
        if (content.Length > Template.SourceCharsMax) return $"longer than {Template.SourceCharsMax} characters";
        try
        {
            Template.Parse(content);
            return null;
        }
        catch (TemplateException fault)
        {
            return $"it cannot be read here: {fault.Message}";
        }
    }

    /// <summary>An object as text; nothing where it is none, as an empty one says no more.</summary>
    private static string? Mapping(string? text)
    {
        try
        {
            return text is not null && JsonNode.Parse(text) is JsonObject { Count: > 0 } mapping ? mapping.ToJsonString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
