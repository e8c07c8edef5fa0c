using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Workspace;

/// <summary>
/// <c>.claude/settings.json</c>: what the agent may run without asking. Only commands of ours that read; never a shell, never sign-in or administration.
/// </summary>
internal static class AgentSettings
{
    /// <summary>Each is a prefix, so a variable before the command, or another command after it, is not covered.</summary>
    private static readonly string[] Allowed =
    [
        "Read", "Grep", "Glob",
        "Bash(agnes catalog:*)", "Bash(agnes schema:*)", "Bash(agnes describe:*)", "Bash(agnes sample:*)", "Bash(agnes explore:*)",
        "Bash(agnes query:*)", "Bash(agnes pull:*)", "Bash(agnes status:*)", "Bash(agnes disk-info:*)", "Bash(agnes --help)", "Bash(agnes --version)",
    ];

    public static async Task WriteAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        Directory.CreateDirectory(layout.Claude);
        var path = Path.Combine(layout.Claude, "settings.json");
        if (!File.Exists(path))
        {
            var settings = new JsonObject
            {
                ["model"] = "sonnet",
                ["permissions"] = new JsonObject { ["allow"] = new JsonArray([.. Allowed.Select(rule => (JsonNode)rule)]) },
            };
            await AtomicFile.WriteTextAsync(path, settings.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n", cancellation);
        }
        else if (!IsObject(path))
        {
            host.Error.WriteLine($"warn: {path} is not valid JSON and was left as it is");
        }

        var notes = Path.Combine(layout.Claude, "CLAUDE.local.md");
        if (!File.Exists(notes)) await AtomicFile.WriteTextAsync(notes, WorkspaceTexts.LocalNotes, cancellation);
    }

    private static bool IsObject(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
