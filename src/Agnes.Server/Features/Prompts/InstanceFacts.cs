using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Prompts;

/// <summary>What the instance says of itself in texts for people and agents: from <c>instance.yaml</c>, with the overlay that the server itself may have written on top.</summary>
internal sealed partial record InstanceFacts
{
    private const long FileBytesMax = 1 << 20;

    public string Name { get; init; } = "AI Data Analyst";

    public string Subtitle { get; init; } = "";

    /// <summary>In words.</summary>
    public string SyncInterval { get; init; } = "1 hour";

    public string DataSourceType { get; init; } = "local";

    /// <summary>Read once. A file that cannot be read is named in the log and counts as absent.</summary>
    public static InstanceFacts Read(ServerOptions options, ILogger<InstanceFacts> log, Func<string, string?> environment)
    {
        var facts = new InstanceFacts();
        var config = environment("CONFIG_DIR") is { Length: > 0 } folder ? folder : "config";
        foreach (var path in (string[])[Path.Combine(config, "instance.yaml"), Path.Combine(options.StateDir, "instance.yaml")])
        {
            if (Load(path, log) is not JsonObject file) continue;
            facts = facts with
            {
                Name = Text(file, "instance", "name", environment) ?? facts.Name,
                Subtitle = Text(file, "instance", "subtitle", environment) ?? facts.Subtitle,
                SyncInterval = Text(file, "instance", "sync_interval", environment) ?? facts.SyncInterval,
                DataSourceType = Text(file, "data_source", "type", environment) ?? facts.DataSourceType,
            };
        }
        return environment("DATA_SOURCE") is { Length: > 0 } source ? facts with { DataSourceType = source } : facts;
    }

    private static JsonNode? Load(string path, ILogger log)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return null;
            if (file.Length > FileBytesMax) throw new FormatException("it is larger than 1 MiB");
            return YamlText.Read(File.ReadAllText(path));
        }
        catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException)
        {
            InstanceLog.Unreadable(log, path, fault.Message);
            return null;
        }
    }

    private static string? Text(JsonObject file, string section, string key, Func<string, string?> environment) =>
        file[section] is JsonObject found && found[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? Reference().Replace(text, match => environment(match.Groups["name"].Value) ?? "")
            : null;

    [GeneratedRegex(@"\$\{(?<name>[^}]{1,64})\}", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();
}

internal static partial class InstanceLog
{
    [LoggerMessage(EventId = 6402, Level = LogLevel.Warning, Message = "{Path} is not read: {Reason}")]
    public static partial void Unreadable(ILogger log, string path, string reason);
}
