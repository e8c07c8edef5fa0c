using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Config;

/// <summary>What the instance's two YAML files say: the operator's, and over it the overlay that the admin's page writes.</summary>
/// <param name="Static">As the operator's file has it, references unresolved; empty when there is none or it cannot be read.</param>
/// <param name="Overlay">The same of the overlay.</param>
/// <param name="Operators">The file, references resolved.</param>
/// <param name="Admins">The overlay, references resolved: see <see cref="OverlayReferences"/>.</param>
/// <param name="Problems">What could not be read or is not set, each with its place. Never a value.</param>
/// <param name="IsReadable">False when a file is there and cannot be read: then whatever it would have restricted must count as closed.</param>
public sealed record InstanceConfig(JsonObject Static, JsonObject Overlay, JsonObject Operators, JsonObject Admins, IReadOnlyList<string> Problems, bool IsReadable)
{
    public const string FileName = "instance.yaml";
    private const int FileBytesMax = 1 << 20;
    private const int VersionKnown = 1;

    private SettingSet Settings { get; init; } = SettingSet.None;

    /// <summary>The overlay over the file, references resolved.</summary>
    public JsonObject Merged { get; } = Merge(Operators, Admins);

    /// <param name="stored">
    /// The secrets that admins stored. The operator's file can refer to them under a secret's key alone, or an admin could say where the operator's
    /// own are sent.
    /// </param>
    public static InstanceConfig Load(
        SettingSet settings, string configDir, string stateDir, Func<string, string?> environment, Func<string, string?> stored)
    {
        var problems = new List<string>();
        var readable = true;
        JsonObject Read(string path)
        {
            try
            {
                return ReadFile(path) ?? [];
            }
            catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException)
            {
                readable = false;
                problems.Add($"{path} cannot be read: {fault.Message}");
                return [];
            }
        }

        var file = ((string[])[Path.Combine(configDir, FileName), Path.Combine("config", FileName)]).FirstOrDefault(File.Exists);
        var fixedPart = file is null ? [] : Read(file);
        var overlay = Read(Path.Combine(stateDir, FileName));
        if (file is not null && readable && !IsVersionKnown(fixedPart["config_version"])) problems.Add($"{file} has no config_version: {VersionKnown}.");
        string? Value(string path, string name) =>
            environment(name) is { Length: > 0 } value ? value : settings.IsSecretKey(path) ? stored(name) : null;
        var operators = (JsonObject)References.Resolve(fixedPart, Value, problems.Add)!;
        var admins = OverlayReferences.Resolve(settings, overlay, stored, problems.Add);
        settings.LeaveOutOperators(admins, key => problems.Add(
            $"{key} of the overlay does not count: it is the operator's, in the environment or in the file below {configDir}."));
        settings.LeaveOut(admins, fault => problems.Add($"{fault}: what the overlay says does not count."));
        return new InstanceConfig(fixedPart, overlay, operators, admins, problems, readable) { Settings = settings };
    }

    /// <returns>Null when there is no such file, or nothing in it.</returns>
    /// <exception cref="FormatException">It is no mapping in YAML, or larger than any configuration.</exception>
    public static JsonObject? ReadFile(string path)
    {
        if (!File.Exists(path)) return null;
        if (new FileInfo(path).Length > FileBytesMax) throw new FormatException($"it is larger than {FileBytesMax >> 20} MiB");
        return YamlText.Read(File.ReadAllText(path)) switch
        {
            null => null,
            JsonObject root => root,
            _ => throw new FormatException("it is no mapping"),
        };
    }

    /// <summary>Mappings merge; everything else replaces.</summary>
    public static JsonObject Merge(JsonObject below, JsonObject above)
    {
        var merged = below.DeepClone().AsObject();
        foreach (var (key, value) in above) merged[key] = value is JsonObject inner && merged[key] is JsonObject under ? Merge(under, inner) : value?.DeepClone();
        return merged;
    }

    /// <summary>
    /// The value at a dotted path, as text; null when there is none, or nothing in it. Secrets and where they are sent are read from
    /// <see cref="SettingLayers"/> alone.
    /// </summary>
    public string? Text(string path) => Settings.CredentialOf(path) is null && !Settings.IsSecretKey(path)
        ? TextAt(Merged, path)
        : throw new InvalidOperationException($"{path} belongs to a secret: read it from {nameof(SettingLayers)}.");

    internal static string? TextAt(JsonObject root, string path) => At(root, path) switch
    {
        JsonArray list => string.Join(',', list.Select(item => item?.ToString())),
        JsonValue value => value.ToString() is { Length: > 0 } text ? text : null,
        _ => null,
    };

    public static JsonNode? At(JsonObject root, string path)
    {
        JsonNode? node = root;
        foreach (var key in path.Split('.')) node = (node as JsonObject)?[key];
        return node;
    }

    private static bool IsVersionKnown(JsonNode? version) => version is JsonValue value && value.TryGetValue<long>(out var number) && number == VersionKnown;
}
