using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Cli.Workspace;

/// <summary>
/// Our hooks and status line among those of others. Each command runs in <c>bash -c</c> because the agent runs hooks without a shell on Windows. None may
/// hold a session up: what may take long goes on in the background, cut off from the hook's streams.
/// </summary>
internal static class AgentHooks
{
    /// <summary>How long a session's start waits for fresh tables before it goes on with those that are here.</summary>
    private const int PullSecondsMax = 20;

    /// <summary>How long it waits for a newer program; a slow download goes on in the background.</summary>
    private const int UpgradeSecondsMax = 10;

    private const string StatusLine = "agnes statusline";
    /// <summary>An earlier version ran a command that the program does not have.</summary>
    private const string OfEarlier = "agnes" + " refresh-marketplace";

    private const string Background = "</dev/null >/dev/null 2>&1 &";

    /// <summary>By which entries of ours, of any version, are known.</summary>
    private static readonly string[] Marks =
    [
        "agnes self-upgrade", "agnes pull", "agnes push", OfEarlier, "agnes capture-session", "agnes mark-private", StatusLine, "da sync",
    ];

    private static readonly (string Event, string Command)[] Ours =
    [
        ("SessionStart", Bash("agnes capture-session 2>/dev/null || true")),
        ("SessionStart", Bash($"agnes self-upgrade --quiet --within {UpgradeSecondsMax} >/dev/null 2>&1 || ( nohup agnes self-upgrade --quiet {Background} ) || true; agnes pull --quiet --within {PullSecondsMax} >/dev/null 2>&1 || ( nohup agnes pull --quiet {Background} ) || true")),
        // The transcript is whole only now, and a push of another session may have taken this one along before.
        ("SessionEnd", Bash($"agnes capture-session 2>/dev/null; ( nohup agnes push --quiet {Background} ) || true")),
    ];

    /// <returns>What could not be done, for the user.</returns>
    public static IReadOnlyList<string> Merge(JsonObject settings)
    {
        var warnings = new List<string>();
        MergeHooks(settings, warnings);
        MergeStatusLine(settings, warnings);
        return warnings;
    }

    public static bool AreInstalled(JsonObject settings) =>
        (settings["hooks"] is JsonObject hooks && hooks.Any(entry => entry.Value is JsonArray list && list.Any(IsOurs))) || Command(settings["statusLine"])?.Contains(StatusLine, StringComparison.Ordinal) == true;

    private static void MergeHooks(JsonObject settings, List<string> warnings)
    {
        settings["hooks"] ??= new JsonObject();
        if (settings["hooks"] is not JsonObject hooks || hooks.Any(entry => entry.Value is not (JsonArray or null)))
        {
            warnings.Add("'hooks' is not of the known form and was left as it is; sessions will not pull or push by themselves");
            return;
        }

        foreach (var (_, list) in hooks.ToList())
        {
            if (list is not JsonArray entries) continue;
            foreach (var entry in entries.Where(IsOurs).ToList()) entries.Remove(entry);
        }

        foreach (var (name, command) in Ours)
        {
            if (hooks[name] is not JsonArray entries) hooks[name] = entries = [];
            entries.Add((JsonNode)new JsonObject { ["hooks"] = new JsonArray(new JsonObject { ["type"] = "command", ["command"] = command }) });
        }

        foreach (var (name, list) in hooks.ToList())
        {
            if (list is JsonArray { Count: 0 }) hooks.Remove(name);
        }
    }

    private static void MergeStatusLine(JsonObject settings, List<string> warnings)
    {
        var present = settings["statusLine"];
        if (present is null || (present.GetValueKind() == JsonValueKind.String && present.GetValue<string>().Length == 0))
        {
            settings["statusLine"] = new JsonObject { ["type"] = "command", ["command"] = StatusLine };
        }
        else if (Command(present)?.Contains(StatusLine, StringComparison.Ordinal) != true)
        {
            warnings.Add($"your own status line was kept; to see ours too, let its script hand its input to '{StatusLine}' and print both");
        }
    }

    /// <summary>An entry with commands, all of which are ours; one foreign command makes it the user's.</summary>
    private static bool IsOurs(JsonNode? entry)
    {
        if (entry is not JsonObject || entry["hooks"] is not JsonArray { Count: > 0 } commands) return false;
        return commands.All(command => Command(command) is { } text && Marks.Any(mark => text.Contains(mark, StringComparison.Ordinal)));
    }

    private static string? Command(JsonNode? hook) => hook is JsonObject && hook["command"] is { } command && command.GetValueKind() == JsonValueKind.String ? command.GetValue<string>() : null;

    private static string Bash(string script) => $"bash -c \"{script}\"";
}
