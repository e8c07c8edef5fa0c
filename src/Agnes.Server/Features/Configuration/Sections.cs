using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Configuration;

/// <summary>What can be edited, and what in it is secret.</summary>
internal static class Sections
{
    public const string Masked = "***";
    public const string Blank = "<empty>";

    /// <summary>Those that there have always been, and what else is declared for the form.</summary>
    public static IReadOnlyList<string> Editable(SettingSet settings, SourceKinds kinds)
    {
        List<string> sections =
        [
            "instance", "data_source", "email", "telegram", .. kinds.All.Select(kind => kind.Section).OfType<string>(),
            "theme", "server", "auth", "ai", "openmetadata", "desktop", "corporate_memory", "materialize", "security",
        ];
        return [.. sections.Union(settings.Offered.Select(setting => setting.Key!.Split('.')[0]), StringComparer.Ordinal)];
    }

    /// <summary>A mistake here can lock everybody out, or let everybody in.</summary>
    public static readonly IReadOnlyList<string> Dangerous = ["auth", "server", "security"];

    public static readonly IReadOnlyList<string> SecretPatterns = Redactor.SecretWords;

    public static bool IsMask(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var mask) && mask is Masked or Blank;

    /// <summary>
    /// A copy as an admin may see it, of what is written and not of what it resolves to: whatever came out of a reference, from the environment
    /// or from a stored secret, is never shown, under whichever key and in whichever part of a text it stands. Masked are also the values of
    /// secrets' keys, and what an address holds of a user and a password.
    /// </summary>
    /// <param name="path">Where it stands, dotted.</param>
    public static JsonNode? Shown(SettingSet settings, JsonNode? raw, string path) => Copy(settings, raw, path, static _ => Masked);

    /// <summary>The same for a diff, in which a reference stands as it is written.</summary>
    public static JsonNode? Written(SettingSet settings, JsonNode? raw, string path) => Copy(settings, raw, path, Redactor.RedactAddress);

    private static JsonNode? Copy(SettingSet settings, JsonNode? raw, string path, Func<string, string> reference) => raw switch
    {
        JsonObject item => new JsonObject(item.Select(pair =>
            KeyValuePair.Create(pair.Key, Copy(settings, pair.Value, Below(path, pair.Key), reference)))),
        JsonArray list when !settings.IsSecretKey(path) =>
            new JsonArray([.. list.Select(value => Copy(settings, value, path, reference))]),
        JsonArray { Count: 0 } => new JsonArray(),
        _ when settings.IsSecretKey(path) => JsonValue.Create(IsBlank(raw) ? Blank : Masked),
        JsonValue value when value.TryGetValue<string>(out var text) =>
            References.Has(text) ? reference(text) : Redactor.RedactAddress(text),
        _ => raw?.DeepClone(),
    };

    public static string Below(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static bool IsBlank(JsonNode? node) => node is null || (node is JsonValue value && value.TryGetValue<string>(out var text) && string.IsNullOrWhiteSpace(text));
}
