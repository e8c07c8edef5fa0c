using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Tests.Serving;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Agnes.Server.Tests.Http;

/// <summary>
/// Compares answers with the API's description: whatever an answer has must be described, whatever is described as required must be there,
/// and each value be of its kind.
/// </summary>
internal static class Described
{
    /// <summary>Larger ones are many of the same.</summary>
    private const int BodyCharsMax = 1 << 20;

    private static readonly Lock Reading = new(); // nodes are made as they are read
    private static Task<JsonNode>? _document;

    /// <summary>For every answer of a test's server: a description that nobody compares says what once was.</summary>
    public static async Task CheckAsync(IServiceProvider services, string method, string path, Answer answer)
    {
        var isShort = answer is { Status: >= 200 and < 300, Body.Length: > 0 and < BodyCharsMax };
        if (!isShort || answer.Header("Content-Type") != "application/json") return;
        Task<JsonNode> making;
        lock (Reading) making = _document ??= DocumentAsync(services);
        var document = await making;
        string? fault = null;
        lock (Reading)
        {
            // Else it is a test's own, or the description itself.
            if (RouteOf(document, path) is { } route) fault = Fault(document, method, route, answer);
        }

        fault.ShouldBeNull($"{method} {path} answers otherwise than /openapi.json says");
    }

    private static async Task<JsonNode> DocumentAsync(IServiceProvider services)
    {
        var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>("v1").GetOpenApiDocumentAsync();
        return JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!;
    }

    /// <summary>The one with the fewest parameters; the last of them may hold slashes where no other fits.</summary>
    private static string? RouteOf(JsonNode document, string path)
    {
        var sent = path.Split('?')[0].Split('/');
        var fitting =
            from route in document["paths"]!.AsObject().Select(route => route.Key)
            let parts = route.Split('/')
            where parts.Length == sent.Length || (parts.Length < sent.Length && parts[^1].StartsWith('{'))
            where parts.Zip(sent).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second)
            orderby parts.Length descending, parts.Count(part => part.StartsWith('{'))
            select route;
        return fitting.FirstOrDefault();
    }

    /// <returns>The schema of an operation's JSON answer of that status; null: it is not described, or no JSON.</returns>
    public static JsonNode? SchemaOf(JsonNode operation, int status) =>
        operation["responses"]?[$"{status}"]?["content"]?["application/json"]?["schema"];

    /// <summary>Has an answer, and of each that is neither empty nor leads on, what it is made of.</summary>
    public static bool IsWhole(JsonNode operation)
    {
        var answers = operation["responses"]!.AsObject().Where(answer => answer.Key[0] is '2' or '3').ToList();
        return answers.Count > 0 && answers.All(answer => answer.Key == "204" || answer.Key[0] == '3'
            || (answer.Value!["content"] is JsonObject { Count: > 0 } content
                && content.All(type => type.Key != "application/json" || type.Value!["schema"] is JsonObject { Count: > 0 })));
    }

    /// <returns>What is wrong with an answer; null: it is as it is described.</returns>
    private static string? Fault(JsonNode document, string method, string route, Answer answer)
    {
        if (document["paths"]![route]?[method.ToLowerInvariant()] is not { } operation) return $"{method} {route} is not described";
        if (operation["responses"]![$"{answer.Status}"] is null) return $"the answer {answer.Status} is not described";
        return SchemaOf(operation, answer.Status) is { } schema ? Faults(document, schema, answer.Json, "answer").FirstOrDefault() : null;
    }

    /// <param name="at">Where the value stands, for the message.</param>
    private static IEnumerable<string> Faults(JsonNode document, JsonNode schema, JsonNode? value, string at)
    {
        var (shape, isNullable) = Resolve(document, schema);
        if (value is null) return isNullable ? [] : [$"{at} is null"];
        if (!Fits(shape, value.GetValueKind())) return [$"{at} is {value.ToJsonString()}, not {shape["type"]!.ToJsonString()}"];
        return value switch
        {
            JsonObject item => OfObject(document, shape, item, at),
            JsonArray list when shape["items"] is { } items =>
                list.SelectMany((one, index) => Faults(document, items, one, $"{at}[{index}]")),
            _ => [],
        };
    }

    private static IEnumerable<string> OfObject(JsonNode document, JsonNode shape, JsonObject item, string at)
    {
        var properties = shape["properties"] as JsonObject;
        var others = shape["additionalProperties"] as JsonObject;
        foreach (var (name, value) in item)
        {
            if ((properties?[name] ?? others) is { } described)
                foreach (var fault in Faults(document, described, value, $"{at}.{name}")) yield return fault;
            else if (properties is not null) yield return $"{at}.{name} is not described";
        }

        foreach (var name in (shape["required"] as JsonArray ?? []).Select(name => name!.GetValue<string>()))
            if (!item.ContainsKey(name)) yield return $"{at}.{name} is described as always there";
    }

    /// <summary>What a reference leads to, and whether there may be nothing instead. A shape without a type is anything.</summary>
    private static (JsonNode Shape, bool IsNullable) Resolve(JsonNode document, JsonNode schema)
    {
        if (schema["$ref"]?.GetValue<string>() is { } reference)
            return Resolve(document, document["components"]!["schemas"]![reference.Split('/')[^1]]!);
        if (schema["oneOf"] is JsonArray choices)
        {
            var shapes = choices.Where(choice => choice!["type"]?.ToString() != "null").ToList();
            return (shapes.Count == 1 ? Resolve(document, shapes[0]!).Shape : new JsonObject(), shapes.Count < choices.Count);
        }

        return (schema, schema["type"] is null || TypesOf(schema).Contains("null"));
    }

    private static bool Fits(JsonNode shape, JsonValueKind kind) => shape["type"] is null || TypesOf(shape).Contains(kind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => TypesOf(shape).Contains("integer") ? "integer" : "number",
        _ => "boolean",
    });

    private static IEnumerable<string> TypesOf(JsonNode shape) =>
        shape["type"] is JsonArray types ? types.Select(type => type!.GetValue<string>()) : [shape["type"]!.GetValue<string>()];
}
