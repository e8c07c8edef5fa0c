using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Agnes.Protocol;

/// <summary>Takes secrets out of texts and values on their way into logs, audits and error answers.</summary>
public static partial class Redactor
{
    public const string Mask = "***";
    public const string Blank = "<empty>";

    /// <summary>What a name that is a secret's has in it.</summary>
    public static IReadOnlyList<string> SecretWords { get; } = ["secret", "token", "password", "api_key"];

    /// <summary>
    /// Names of secrets by themselves, of ours and of what is connected: nothing that is one of these is ever worth reading in a log.
    /// </summary>
    private static readonly FrozenSet<string> SecretKeys = FrozenSet.ToFrozenSet(
    [
        "keboola_token", "api_token", "auth_token", "bot_token", "client_secret", "google_client_secret", "google_oauth_client_secret", "password",
        "smtp_password", "webapp_secret_key", "bot_secret", "marketplace_token", "marketplace_pat", "access_token", "refresh_token", "token",
        "confirm_password", "current_password", "new_password", "password_hash", "token_hash", "reset_token", "setup_token",
        "private_key", "secret", "api_key", "jwt_secret_key", "bootstrap_token",
    ], StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a name is one of a secret, whole: what merely has such a word in it, as the name of a token, is worth reading in an
    /// audit.
    /// </summary>
    public static bool IsSecretName(string name) => SecretKeys.Contains(name);

    /// <summary>Whether a name is, or sounds like, one of a secret.</summary>
    public static bool IsSecretKey(string key) =>
        IsSecretName(key) || SecretWords.Any(word => key.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>The text with every known form of a secret replaced.</summary>
    public static string Redact(string text)
    {
        if (text.Length == 0) return text;
        text = PrivateKey().Replace(text, Mask);
        text = Jwt().Replace(text, Mask);
        text = Scheme().Replace(text, "${scheme} " + Mask);
        text = UserInfo().Replace(text, $"://{Mask}@");
        return Pair().Replace(text, "${key}" + Mask);
    }

    /// <summary>The text without the user and the password that an address in it may hold.</summary>
    public static string RedactAddress(string text) => UserInfo().Replace(text, $"://{Mask}@");

    /// <summary>A copy with the values of secret keys masked, at any depth.</summary>
    public static JsonNode? MaskValues(JsonNode? node) => node switch
    {
        JsonObject item => new JsonObject(item.Select(pair => KeyValuePair.Create(pair.Key, IsSecretKey(pair.Key) ? Masked(pair.Value) : MaskValues(pair.Value)))),
        JsonArray array => new JsonArray([.. array.Select(MaskValues)]),
        null => null,
        _ => node.DeepClone(),
    };

    private static JsonNode? Masked(JsonNode? value) => value is null ? null
        : value.GetValueKind() == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetValue<string>()) ? JsonValue.Create(Blank)
        : JsonValue.Create(Mask);

    [GeneratedRegex(@"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex PrivateKey();

    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]{4,2048}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Jwt();

    [GeneratedRegex(@"\b(?<scheme>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"://[^\s/@'""<>]+@", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex UserInfo();

    [GeneratedRegex(
        @"(?<key>(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[A-Za-z0-9_-]{0,32}[""']?\s{0,4}[=:]\s{0,4}[""']?)(?!\*\*\*)[^\s""'&,}]+",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Pair();
}
