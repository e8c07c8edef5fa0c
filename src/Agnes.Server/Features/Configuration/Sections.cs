using System.Text.Json.Nodes;

namespace Agnes.Server.Features.Configuration;

/// <summary>What can be edited, and what in it is secret.</summary>
internal static class Sections
{
    public const string Masked = "***";
    public const string Blank = "<empty>";

    public static readonly IReadOnlyList<string> Editable =
        ["instance", "data_source", "email", "telegram", "jira", "theme", "server", "auth", "ai", "openmetadata", "desktop", "corporate_memory", "materialize", "security"];

    /// <summary>A mistake here can lock everybody out, or let everybody in.</summary>
    public static readonly IReadOnlyList<string> Dangerous = ["auth", "server", "security"];

    public static readonly IReadOnlyList<string> SecretPatterns = ["secret", "token", "password", "api_key"];

    public static bool IsSecret(string key) => SecretPatterns.Any(pattern => key.Contains(pattern, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether any step of a dotted path is a secret's key.</summary>
    public static bool IsSecretPath(string path) => path.Split('.').Any(IsSecret);

    public static bool IsMask(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var mask) && mask is Masked or Blank;

    /// <summary>A copy with everything under a secret's key masked.</summary>
    public static JsonNode? Mask(JsonNode? node, bool isSecret = false) => node switch
    {
        JsonObject item => new JsonObject(item.Select(pair => KeyValuePair.Create(pair.Key, Mask(pair.Value, isSecret || IsSecret(pair.Key))))),
        JsonArray list => isSecret && list.Count > 0 ? JsonValue.Create(Masked) : new JsonArray([.. list.Select(value => Mask(value))]),
        _ when isSecret => JsonValue.Create(IsBlank(node) ? Blank : Masked),
        _ => node?.DeepClone(),
    };

    private static bool IsBlank(JsonNode? node) => node is null || (node is JsonValue value && value.TryGetValue<string>(out var text) && string.IsNullOrWhiteSpace(text));
}
