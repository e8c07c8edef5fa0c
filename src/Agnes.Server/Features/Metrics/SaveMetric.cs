using System.Text.Json;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary><c>POST /api/admin/metrics</c>: one definition, new or in the place of another; answers 201 with it either way.</summary>
internal static class SaveMetric
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, MetricCheck check)
    {
        var body = await RequestBody.ReadAsync(context);
        var metric = Read(body);
        body.ThrowIfInvalid();
        foreach (var fault in MetricRules.Faults(metric)) body.Refuse(fault.StartsWith("the id", StringComparison.Ordinal) ? "id" : "sql", fault);
        body.ThrowIfInvalid();

        var faults = new List<string>();
        metric = await check.ReadAsync(Asker.Of(context), metric, faults, [], context.RequestAborted);
        if (faults.Count > 0) return Problem.Detail(StatusCodes.Status400BadRequest, string.Join("; ", faults));
        var by = context.Caller().UserId;
        var saved = await state.WriteAsync(write => MetricStore.SaveAsync(write, metric, by), context.RequestAborted);
        return JsonBody.Of(saved.ToJson(), StatusCodes.Status201Created);
    }

    private static MetricRow Read(RequestBody body) => new()
    {
        Id = body.String("id"),
        Name = body.String("name"),
        DisplayName = body.String("display_name"),
        Category = body.String("category"),
        Description = body.OptionalString("description"),
        Type = body.OptionalString("type") ?? MetricRow.TypeDefault,
        Unit = body.OptionalString("unit"),
        Grain = body.OptionalString("grain") ?? MetricRow.GrainDefault,
        TableName = body.OptionalString("table_name"),
        Tables = MetricJson.WriteOrNull(body.Strings("tables")),
        Expression = body.OptionalString("expression"),
        TimeColumn = body.OptionalString("time_column"),
        Dimensions = MetricJson.WriteOrNull(body.Strings("dimensions")),
        Filters = MetricJson.WriteOrNull(body.Strings("filters")),
        Synonyms = MetricJson.WriteOrNull(body.Strings("synonyms")),
        Notes = MetricJson.WriteOrNull(body.Strings("notes")),
        Sql = body.String("sql"),
        SqlVariants = Mapping(body, "sql_variants", isOfTexts: true),
        Validation = Mapping(body, "validation", isOfTexts: false),
        Source = body.OptionalString("source") ?? MetricRow.SourceDefault,
    };

    /// <summary>An object, or the same as text, as older clients send it.</summary>
    private static string? Mapping(RequestBody body, string name, bool isOfTexts)
    {
        var value = body.Element(name);
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return null;
        try
        {
            using var parsed = JsonDocument.Parse(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());
            var root = parsed.RootElement;
            if (root.ValueKind == JsonValueKind.Null) return null;
            var fits = root.ValueKind == JsonValueKind.Object && (!isOfTexts || root.EnumerateObject().All(entry => entry.Value.ValueKind == JsonValueKind.String && MetricRules.IsVariant(entry.Name)));
            if (fits) return root.GetRawText();
        }
        catch (JsonException)
        {
            // Said below, like every other shape that does not fit.
        }
        body.Refuse(name, isOfTexts ? "must be an object of SQL texts whose keys begin with 'by_'" : "must be an object");
        return null;
    }
}
