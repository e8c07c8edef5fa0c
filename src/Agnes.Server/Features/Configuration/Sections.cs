using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry.Sources;

namespace Agnes.Server.Features.Configuration;

/// <summary>What can be edited, and what in it is secret.</summary>
internal static class Sections
{
    public const string Masked = "***";
    public const string Blank = "<empty>";

    public static IReadOnlyList<string> Editable(SourceKinds kinds) =>
    [
        "instance", "data_source", "email", "telegram", .. kinds.All.Select(kind => kind.Section).OfType<string>(),
        "theme", "server", "auth", "ai", "openmetadata", "desktop", "corporate_memory", "materialize", "security",
    ];

    /// <summary>A mistake here can lock everybody out, or let everybody in.</summary>
    public static readonly IReadOnlyList<string> Dangerous = ["auth", "server", "security"];

    public static readonly IReadOnlyList<string> SecretPatterns = ["secret", "token", "password", "api_key"];

    public static bool IsMask(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var mask) && mask is Masked or Blank;

    /// <summary>
    /// A copy as an admin may see it, of what is written and not of what it resolves to: whatever came out of a reference, from the environment
    /// or from a stored secret, is never shown, under whichever key and in whichever part of a text it stands. Masked are also the values of
    /// secrets' keys, and what an address holds of a user and a password.
    /// </summary>
    /// <param name="path">Where it stands, dotted.</param>
    public static JsonNode? Shown(JsonNode? raw, string path) => Copy(raw, path, static _ => Masked);

    /// <summary>The same for a diff, in which a reference stands as it is written.</summary>
    public static JsonNode? Written(JsonNode? raw, string path) => Copy(raw, path, Redactor.RedactAddress);

    private static JsonNode? Copy(JsonNode? raw, string path, Func<string, string> reference) => raw switch
    {
        JsonObject item => new JsonObject(item.Select(pair =>
            KeyValuePair.Create(pair.Key, Copy(pair.Value, Below(path, pair.Key), reference)))),
        JsonArray list when !Credentials.IsSecretKey(path) =>
            new JsonArray([.. list.Select(value => Copy(value, path, reference))]),
        JsonArray { Count: 0 } => new JsonArray(),
        _ when Credentials.IsSecretKey(path) => JsonValue.Create(IsBlank(raw) ? Blank : Masked),
        JsonValue value when value.TryGetValue<string>(out var text) =>
            References.Has(text) ? reference(text) : Redactor.RedactAddress(text),
        _ => raw?.DeepClone(),
    };

    public static string Below(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static bool IsBlank(JsonNode? node) => node is null || (node is JsonValue value && value.TryGetValue<string>(out var text) && string.IsNullOrWhiteSpace(text));
}
