using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

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

    private static readonly string[] SecretVariableWords = ["secret", "token", "passw", "credential", "apikey", "connection", "state_url", "database_url"];

    private static readonly HashSet<string> SecretVariableSteps = new(["KEY", "KEYS", "PASS", "PWD", "PRIVATE", "PAT", "DSN", "COOKIE"], StringComparer.OrdinalIgnoreCase);

    public static bool IsSecret(string key) => SecretPatterns.Any(pattern => key.Contains(pattern, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether any step of a dotted path is a secret's key.</summary>
    public static bool IsSecretPath(string path) => path.Split('.').Any(IsSecret);

    public static bool IsMask(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var mask) && mask is Masked or Blank;

    /// <summary>A copy with everything under a secret's key masked, and what an address holds of a user and a password.</summary>
    public static JsonNode? Mask(JsonNode? node, bool isSecret = false) => Shown(node, null, static _ => false, isSecret);

    /// <summary>
    /// A copy as an admin may see it. Whatever refers to a secret is masked too: else a reference under any other key would be a way to read every secret of the server.
    /// </summary>
    /// <param name="raw">The same with its references.</param>
    public static JsonNode? Shown(JsonNode? node, JsonNode? raw, Func<string, bool> isSecretVariable, bool isSecret = false) => node switch
    {
        JsonObject item => new JsonObject(item.Select(pair => KeyValuePair.Create(pair.Key, Shown(pair.Value, (raw as JsonObject)?[pair.Key], isSecretVariable, isSecret || IsSecret(pair.Key))))),
        JsonArray list => isSecret && list.Count > 0 ? JsonValue.Create(Masked) : new JsonArray([.. list.Select((value, at) => Shown(value, raw is JsonArray from && at < from.Count ? from[at] : null, isSecretVariable))]),
        _ when isSecret => JsonValue.Create(IsBlank(node) ? Blank : Masked),
        JsonValue value when value.TryGetValue<string>(out var text) => RefersToSecret(raw, isSecretVariable) ? Masked : Redactor.RedactAddress(text),
        _ => node?.DeepClone(),
    };

    /// <summary>Whether a text, references and all, refers to a variable that holds a secret.</summary>
    public static bool RefersToSecret(JsonNode? raw, Func<string, bool> isSecretVariable) =>
        raw is JsonValue value && value.TryGetValue<string>(out var text) && References.Has(text) && References.Names(text).Any(isSecretVariable);

    /// <summary>Variables whose name says that nobody should read them, and everything that admins stored.</summary>
    public static Func<string, bool> SecretVariables(SecretStore secrets) =>
        name => secrets.Find(name) is not null || SecretVariableWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)) || name.Split('_').Any(SecretVariableSteps.Contains);


    private static bool IsBlank(JsonNode? node) => node is null || (node is JsonValue value && value.TryGetValue<string>(out var text) && string.IsNullOrWhiteSpace(text));
}
