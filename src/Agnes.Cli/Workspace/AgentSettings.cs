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

    /// <summary>What the agent reads unasked: this folder. The rule covers every tool that reads files, Grep and Glob as well.</summary>
    private const string ReadHere = "Read(./**)";

    /// <summary>What earlier versions of ours allowed: reading and searching everywhere.</summary>
    private static readonly string[] Everywhere = ["Read", "Grep", "Glob"];

    /// <summary>Commands of ours that read, each a prefix: never a shell, never sign-in or administration, nothing that deletes.</summary>
    private static readonly string[] Allowed =
    [
        ReadHere,
        "Bash(agnes catalog:*)", "Bash(agnes schema:*)", "Bash(agnes describe:*)", "Bash(agnes sample:*)", "Bash(agnes explore:*)",
        "Bash(agnes query:*)", "Bash(agnes verified list:*)", "Bash(agnes verified show:*)", "Bash(agnes verified run:*)", "Bash(agnes snapshot list:*)", "Bash(agnes snapshot create:*)", "Bash(agnes snapshot refresh:*)", "Bash(agnes pull:*)",
        "Bash(agnes status:*)", "Bash(agnes disk-info:*)", "Bash(agnes diagnose:*)", "Bash(agnes skills:*)", "Bash(agnes --help)", "Bash(agnes --version)",
    ];

    /// <summary>
    /// Keys and credentials, which no question about data needs, whoever asks for them. Two slashes begin a path at the root of the file system; a single one
    /// would begin at this folder. A denial beats every permission, in the agent's file tools and in the shell commands that it knows to read. And the one option of
    /// an allowed command that opens other folders.
    /// </summary>
    private static readonly string[] Denied =
    [
        "Read(~/.ssh/**)", "Read(~/.gnupg/**)", "Read(~/.config/agnes/**)", "Read(~/.claude/.credentials.json)",
        "Read(~/.aws/**)", "Read(~/.azure/**)", "Read(~/.config/gcloud/**)", "Read(~/.kube/**)", "Read(~/.docker/config.json)",
        "Read(~/.netrc)", "Read(~/.git-credentials)", "Read(~/.config/gh/**)", "Read(~/.npmrc)", "Read(~/.pypirc)", "Read(~/.pgpass)", "Read(~/.my.cnf)", "Read(~/.dbt/**)",
        "Read(//**/.env)", "Read(//**/.env.*)", "Read(//**/*.key)", "Read(//**/*.p12)", "Read(//**/*.pfx)",
        "Bash(agnes query *--allow-files*)",
    ];

    public static async Task WriteAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        layout.RefuseLinks();
        Directory.CreateDirectory(layout.Claude);
        await MergeAsync(host, layout, cancellation);
        var commands = Directory.CreateDirectory(layout.Commands).FullName;
        await AtomicFile.WriteTextAsync(Path.Combine(commands, "agnes-private.md"), AgentCommands.Private, cancellation);
        // An earlier version told the agent to run what the program cannot do.
        var obsolete = Path.Combine(commands, "update-agnes-plugins.md");
        if (File.Exists(obsolete) && (await File.ReadAllTextAsync(obsolete, cancellation)).Contains("refresh-marketplace", StringComparison.Ordinal)) File.Delete(obsolete);
        if (!File.Exists(layout.LocalNotes)) await AtomicFile.WriteTextAsync(layout.LocalNotes, WorkspaceTexts.LocalNotes, cancellation);
    }

    /// <summary>After the program was replaced: only where an init of ours was at work before.</summary>
    public static async Task RefreshAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        layout.RefuseLinks();
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
        IReadOnlyCollection<string> written = File.Exists(path) ? WrittenRules.Of(host.Settings.Folder, layout.Root) : [];
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
        var denied = Allow(host, path, settings, written);
        foreach (var warning in AgentHooks.Merge(settings)) host.Error.WriteLine($"warn: {path}: {warning}");
        var after = settings.ToJsonString(Form);
        if (after != before || !File.Exists(path)) await AtomicFile.WriteTextAsync(path, after + "\n", cancellation);
        if (!denied.IsSubsetOf(written)) await WrittenRules.SetAsync(host.Settings.Folder, layout.Root, [.. denied.Union(written)], cancellation);
    }

    /// <param name="written">Denials that were put there before: what is missing of them, the user lifted.</param>
    /// <returns>Denials that are there now, or were lifted.</returns>
    private static HashSet<string> Allow(Host host, string path, JsonObject settings, IReadOnlyCollection<string> written)
    {
        settings["permissions"] ??= new JsonObject();
        if (settings["permissions"] is not JsonObject permissions || (permissions["allow"] ??= new JsonArray()) is not JsonArray allow || (permissions["deny"] ?? new JsonArray()) is not JsonArray deny)
        {
            host.Error.WriteLine($"warn: {path}: 'permissions' is not of the known form and was left as it is; the agent will ask before each agnes command");
            return [];
        }

        var present = Texts(allow);
        if (!present.Contains(ReadHere) && (AgentHooks.AreInstalled(settings) || present.Overlaps(Allowed))) Narrow(host, path, allow);
        foreach (var rule in Allowed.Where(rule => !present.Contains(rule))) allow.Add((JsonNode)rule);
        permissions["deny"] ??= deny;
        var denied = Denied.Concat(TokenElsewhere(host)).ToHashSet(StringComparer.Ordinal);
        // Each once: what the user lifts afterwards is the user's.
        foreach (var rule in denied.Except(Texts(deny)).Except(written).ToList()) deny.Add((JsonNode)rule);

        if (present.Overlaps(["Bash", "Bash(*)"])) host.Error.WriteLine($"warn: {path} lets the agent run every shell command unasked (\"Bash\"); agnes needs only its own, which are listed");
        if (Texts(allow).Overlaps(Everywhere)) host.Error.WriteLine($"warn: {path} lets the agent read files everywhere unasked (\"Read\", \"Grep\" or \"Glob\"); for this folder \"{ReadHere}\" is enough");
        if (Texts(allow).Where(LeavesTheFolder).ToList() is { Count: > 0 } elsewhere) host.Error.WriteLine($"warn: {path} lets the agent read outside of this folder unasked ({string.Join(", ", elsewhere)}); remove what you did not mean");
        return denied;
    }

    /// <summary>Whether a rule with a place names one that is not surely below this folder.</summary>
    private static bool LeavesTheFolder(string rule) =>
        Array.Exists(Everywhere, tool => rule.StartsWith(tool + "(", StringComparison.Ordinal) && (!rule.AsSpan(tool.Length + 1).StartsWith("./") || rule.Contains("..", StringComparison.Ordinal)));

    /// <summary>Takes away what an earlier version of ours allowed too broadly.</summary>
    private static void Narrow(Host host, string path, JsonArray allow)
    {
        var broad = allow.Where(rule => Text(rule) is { } text && Everywhere.Contains(text, StringComparer.Ordinal)).ToList();
        foreach (var rule in broad) allow.Remove(rule);
        if (broad.Count > 0) host.Error.WriteLine($"note: {path}: the agent read files everywhere unasked; now it reads this folder, and asks for the rest");
    }

    /// <summary>The folder that holds this user's token, where it is not the usual one.</summary>
    private static IEnumerable<string> TokenElsewhere(Host host)
    {
        if (Environment.GetEnvironmentVariable("AGNES_CONFIG_DIR") is not { Length: > 0 }) return [];
        var folder = host.Settings.Folder.Path.Replace(Path.DirectorySeparatorChar, '/');
        return folder.AsSpan().ContainsAny("*?[]()!\\") ? [] : [$"Read(//{folder.TrimStart('/')}/**)"];
    }

    private static HashSet<string> Texts(JsonArray rules) => [.. rules.Select(Text).OfType<string>()];

    private static string? Text(JsonNode? rule) => rule?.GetValueKind() == JsonValueKind.String ? rule.GetValue<string>() : null;
}
