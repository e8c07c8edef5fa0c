using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Workspace;

/// <summary>
/// <c>.claude/settings.json</c>: what the agent may run without asking, our hooks and status line. What else is in the file stays, in its order; a file
/// that is not what it should be stays altogether.
/// </summary>
internal static class AgentSettings
{
    private static readonly JsonSerializerOptions Form = new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Commands of ours that read, each a prefix: never a shell, never sign-in or administration, nothing that deletes.</summary>
    private static readonly string[] Allowed =
    [
        "Read", "Grep", "Glob",
        "Bash(agnes catalog:*)", "Bash(agnes schema:*)", "Bash(agnes describe:*)", "Bash(agnes sample:*)", "Bash(agnes explore:*)",
        "Bash(agnes query:*)", "Bash(agnes verified list:*)", "Bash(agnes verified show:*)", "Bash(agnes verified run:*)", "Bash(agnes snapshot list:*)", "Bash(agnes snapshot create:*)", "Bash(agnes snapshot refresh:*)", "Bash(agnes pull:*)",
        "Bash(agnes status:*)", "Bash(agnes disk-info:*)", "Bash(agnes diagnose:*)", "Bash(agnes skills:*)", "Bash(agnes --help)", "Bash(agnes --version)",
    ];

    public static async Task WriteAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        Directory.CreateDirectory(layout.Claude);
        await MergeAsync(host, layout, cancellation);
        var commands = Directory.CreateDirectory(Path.Combine(layout.Claude, "commands")).FullName;
        await AtomicFile.WriteTextAsync(Path.Combine(commands, "agnes-private.md"), AgentCommands.Private, cancellation);
        await AtomicFile.WriteTextAsync(Path.Combine(commands, "update-agnes-plugins.md"), AgentCommands.UpdatePlugins, cancellation);
        if (!File.Exists(layout.LocalNotes)) await AtomicFile.WriteTextAsync(layout.LocalNotes, WorkspaceTexts.LocalNotes, cancellation);
    }

    /// <summary>After the program was replaced: only where an init of ours was at work before.</summary>
    public static async Task RefreshAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        if (!File.Exists(layout.Settings) || Read(layout.Settings, out _) is not { } settings) return;
        if (AgentHooks.AreInstalled(settings)) await MergeAsync(host, layout, cancellation);
    }

    /// <summary>The file as an object; null where it is none.</summary>
    public static JsonObject? Read(string path, out string problem)
    {
        try
        {
            var bytes = File.ReadAllBytes(path).AsSpan();
            if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) bytes = bytes[3..];
            problem = "it is not an object";
            return JsonNode.Parse(bytes, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException invalid)
        {
            problem = $"it is not valid JSON ({invalid.Message.Split('.', 2)[0]})";
            return null;
        }
    }

    private static async Task MergeAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        var path = layout.Settings;
        JsonObject? settings;
        if (!File.Exists(path))
        {
            settings = new JsonObject { ["model"] = "sonnet" };
        }
        else if ((settings = Read(path, out var problem)) is null)
        {
            host.Error.WriteLine($"warn: {path} was left as it is, without our hooks and permissions: {problem}");
            return;
        }

        var before = settings.ToJsonString(Form);
        Allow(host, path, settings);
        foreach (var warning in AgentHooks.Merge(settings)) host.Error.WriteLine($"warn: {path}: {warning}");
        var after = settings.ToJsonString(Form);
        if (after != before || !File.Exists(path)) await AtomicFile.WriteTextAsync(path, after + "\n", cancellation);
    }

    private static void Allow(Host host, string path, JsonObject settings)
    {
        settings["permissions"] ??= new JsonObject();
        if (settings["permissions"] is JsonObject permissions)
        {
            permissions["allow"] ??= new JsonArray();
            if (permissions["allow"] is JsonArray allow)
            {
                var present = allow.Select(rule => rule?.GetValueKind() == JsonValueKind.String ? rule.GetValue<string>() : null).ToHashSet();
                foreach (var rule in Allowed.Where(rule => !present.Contains(rule))) allow.Add((JsonNode)rule);
                if (present.Contains("Bash") || present.Contains("Bash(*)")) host.Error.WriteLine($"warn: {path} lets the agent run every shell command unasked (\"Bash\"); agnes needs only its own, which are listed");
                return;
            }
        }

        host.Error.WriteLine($"warn: {path}: 'permissions' is not of the known form and was left as it is; the agent will ask before each agnes command");
    }
}
