using System.Text.Json.Nodes;
using Agnes.Protocol;

namespace Agnes.Server.Platform.State;

/// <summary>Keeps secrets out of the audit log: by the key they stand under, at any depth.</summary>
public static class AuditMask
{
    /// <returns>A copy; the object given stays as it is.</returns>
    public static JsonObject Apply(JsonObject parameters)
    {
        var masked = new JsonObject();
        foreach (var (key, value) in parameters) masked[key] = Redactor.IsSecretName(key) ? Mask(value) : Apply(value);
        return masked;
    }

    private static JsonNode? Apply(JsonNode? node) => node switch
    {
        JsonObject inner => Apply(inner),
        JsonArray list => new JsonArray([.. list.Select(Apply)]),
        _ => node?.DeepClone(),
    };

    private static JsonValue Mask(JsonNode? value) =>
        JsonValue.Create(
            value is null || value is JsonValue text && text.TryGetValue<string>(out var s) && string.IsNullOrWhiteSpace(s) ? Redactor.Blank : Redactor.Mask);
}
