using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// What texts in the overlay, which admins write, may refer to: secrets that admins stored, under a secret's key. The environment is the
/// operator's, so a reference to it gives nothing, whether the variable is set or not.
/// </summary>
internal static class OverlayReferences
{
    /// <summary>Why a text cannot be written, or null. The same whether the environment has the variable or not.</summary>
    /// <param name="stored">The secrets that admins stored.</param>
    public static string? Fault(SettingSet settings, string path, JsonNode? value, Func<string, string?> stored)
    {
        if (value is not JsonValue leaf || !leaf.TryGetValue<string>(out var text) || !References.Has(text)) return null;
        var wrong = References.Names(text).FirstOrDefault(name => !IsOwn(settings, path, name) && !IsOpen(settings, path, name, stored));
        if (wrong is null) return null;
        return settings.IsSecretKey(path)
            ? $"{path} refers to {wrong}, which is no stored secret: store it first (agnes admin secret set {wrong}). " +
              "The server's environment cannot be referred to from here."
            : $"{path} refers to a variable. Write the value itself: stored secrets are referred to only under a key whose name says that it is a " +
              "secret, and the server's environment nowhere.";
    }

    /// <summary>
    /// A copy with the stored secrets in place of references to them. A text that refers to anything else is left out, so that what lies below
    /// counts, or in a list becomes empty.
    /// </summary>
    /// <param name="problem">Told of each, by its key and never by a value.</param>
    public static JsonObject Resolve(SettingSet settings, JsonObject overlay, Func<string, string?> stored, Action<string> problem) =>
        Resolve(settings, overlay, "", stored, problem);

    private static JsonObject Resolve(SettingSet settings, JsonObject item, string path, Func<string, string?> stored, Action<string> problem)
    {
        var resolved = new JsonObject();
        foreach (var (key, value) in item)
        {
            var inner = path.Length == 0 ? key : $"{path}.{key}";
            switch (value)
            {
                case JsonObject below:
                    resolved[key] = Resolve(settings, below, inner, stored, problem);
                    break;
                case JsonArray list:
                    resolved[key] = Resolve(settings, list, inner, stored, problem);
                    break;
                default:
                    if (TryOne(settings, value, inner, stored, problem, out var one)) resolved[key] = one;
                    break;
            }
        }

        return resolved;
    }

    private static JsonArray Resolve(SettingSet settings, JsonArray list, string path, Func<string, string?> stored, Action<string> problem) =>
        new([.. list.Select(item => item switch
        {
            JsonObject inner => Resolve(settings, inner, path, stored, problem),
            JsonArray inner => Resolve(settings, inner, path, stored, problem),
            _ => TryOne(settings, item, path, stored, problem, out var one) ? one : "",
        })]);

    /// <returns>False where a reference gives nothing.</returns>
    private static bool TryOne(SettingSet settings, JsonNode? value, string path, Func<string, string?> stored, Action<string> problem, out JsonNode? resolved)
    {
        var isWhole = true;
        if (Fault(settings, path, value, stored) is not null)
        {
            problem($"{path} of the overlay refers to something else than a stored secret under a secret's key: the reference gives nothing.");
        }

        resolved = References.Resolve(value, name => IsOpen(settings, path, name, stored) ? stored(name) : null, _ => isWhole = false);
        return isWhole;
    }

    private static bool IsOpen(SettingSet settings, string path, string name, Func<string, string?> stored) =>
        settings.IsSecretKey(path) && stored(name) is not null;

    /// <summary><c>email.smtp_password: ${SMTP_PASSWORD}</c> says no more than that the setting is set elsewhere.</summary>
    private static bool IsOwn(SettingSet settings, string path, string name) =>
        settings.All.Any(setting => setting.Key == path && setting.Variables.Contains(name, StringComparer.Ordinal));
}
