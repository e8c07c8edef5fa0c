using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;

namespace Agnes.Server.Platform.State;

/// <summary>Keeps secrets out of the audit log: by the key they stand under, at any depth.</summary>
public static class AuditMask
{
    public const string Masked = "***";
    public const string Blank = "<empty>";

    private static readonly FrozenSet<string> Keys = FrozenSet.ToFrozenSet(
    [
        "keboola_token", "api_token", "auth_token", "bot_token", "client_secret", "google_client_secret", "google_oauth_client_secret", "password",
        "smtp_password", "webapp_secret_key", "bot_secret", "marketplace_token", "marketplace_pat",
        // Ours: nothing that is one of these is ever worth reading in a log.
        "password_hash", "token_hash", "setup_token", "reset_token", "access_token", "current_password", "new_password",
    ], StringComparer.OrdinalIgnoreCase);

    /// <returns>A copy; the object given stays as it is.</returns>
    public static JsonObject Apply(JsonObject parameters)
    {
        var masked = new JsonObject();
        foreach (var (key, value) in parameters) masked[key] = Keys.Contains(key) ? Mask(value) : Apply(value);
        return masked;
    }

    private static JsonNode? Apply(JsonNode? node) => node switch
    {
        JsonObject inner => Apply(inner),
        JsonArray list => new JsonArray([.. list.Select(Apply)]),
        _ => node?.DeepClone(),
    };

    private static JsonValue Mask(JsonNode? value) =>
        JsonValue.Create(value is null || value is JsonValue text && text.TryGetValue<string>(out var s) && string.IsNullOrWhiteSpace(s) ? Blank : Masked);
}
