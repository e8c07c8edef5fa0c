using System.Text.Json.Nodes;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary><c>agnes init</c> is killed at random instants, again and again; the next run ends it, and what it leaves is one sound workspace.</summary>
internal static class InitKills
{
    private const int InitMillisecondsMax = 1200;
    private const int KillsMax = 3;

    public static async Task RunAsync(CampaignRun run)
    {
        using var laptops = await Laptops.StartAsync(run.Cancellation);
        for (var round = 1; round <= run.Count; round++)
        {
            run.Progress(round);
            using var folder = new TemporaryFolder();
            var workspace = Directory.CreateDirectory(folder["workspace"]).FullName;
            var laptop = laptops.Environment(workspace, folder["config"]);
            string[] init = ["init", "--server-url", laptops.Server.Url, "--token", laptops.Token, "--workspace", workspace];
            // A stranger's settings must come through, however often it is interrupted.
            var settings = Path.Combine(workspace, ".claude", "settings.json");
            Directory.CreateDirectory(Path.GetDirectoryName(settings)!);
            await File.WriteAllTextAsync(settings, """{"mine":{"kept":true},"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"mine"}]}]}}""", run.Cancellation);
            for (var kill = run.Random.Next(KillsMax); kill >= 0; kill--)
            {
                var killed = await Programs.RunAsync("agnes", init, laptop, run.Cancellation, run.Random.Next(InitMillisecondsMax));
                run.Add(killed.ExitCode == 0 ? "inits that ended before the kill" : "inits killed");
            }

            var wasDone = File.Exists(Path.Combine(workspace, ".claude", "init-complete"));
            var last = await Programs.RunAsync("agnes", init, laptop, run.Cancellation);
            if (last.ExitCode != 0 && !(wasDone && last.Output.Contains("partial_state", StringComparison.Ordinal))) run.Fail($"round {round}: the init after the kills exited {last.ExitCode}: {last.Output}");
            Check(run, round, workspace, settings);
            if (await Laptops.EditionAsync(run, laptop, $"round {round}") is not null) run.Add("workspaces that answer");
        }
    }

    private static void Check(CampaignRun run, int round, string workspace, string settings)
    {
        foreach (var file in (string[])["CLAUDE.md", "AGNES_WORKSPACE.md", ".claude/init-complete", ".claude/CLAUDE.local.md", ".claude/commands/agnes-private.md"])
        {
            if (new FileInfo(Path.Combine(workspace, file)) is not { Exists: true, Length: > 0 }) run.Fail($"round {round}: {file} is missing or empty");
        }

        var json = JsonNode.Parse(File.ReadAllText(settings))!;
        var commands = json["hooks"]!["SessionStart"]!.AsArray().SelectMany(entry => entry!["hooks"]!.AsArray()).Select(hook => (string)hook!["command"]!).ToList();
        if (commands.Count(command => command.Contains("agnes capture-session", StringComparison.Ordinal)) != 1 || commands.Count(command => command == "mine") != 1 || json["mine"]?["kept"] is null) run.Fail($"round {round}: the settings are {json.ToJsonString()}");
        var leftovers = Directory.EnumerateFiles(workspace, "*", SearchOption.AllDirectories).Where(path => path.EndsWith(".tmp", StringComparison.Ordinal) || path.EndsWith(".wal", StringComparison.Ordinal) || path.Contains(".incoming", StringComparison.Ordinal)).ToList();
        if (leftovers.Count > 0) run.Fail($"round {round}: left behind: {string.Join(", ", leftovers)}");
    }
}
