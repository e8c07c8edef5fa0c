using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// <c>agnes push</c> is killed at random instants while hooks capture more. In the end every transcript is on the server as it is here, none that is private is, and
/// nothing waits any more.
/// </summary>
internal static class PushKills
{
    private const int PushMillisecondsMax = 500;
    private const int Sessions = 12;
    private const int KillsMax = 4;

    public static async Task RunAsync(CampaignRun run)
    {
        using var laptops = await Laptops.StartAsync(run.Cancellation);
        for (var round = 1; round <= run.Count; round++)
        {
            run.Progress(round);
            using var folder = new TemporaryFolder();
            var workspace = Directory.CreateDirectory(folder["workspace"]).FullName;
            var claude = Directory.CreateDirectory(Path.Combine(workspace, ".claude")).FullName;
            // Only what lies where the agent keeps this workspace's transcripts is uploaded.
            var transcripts = Directory.CreateDirectory(folder["agent", "projects", string.Concat(workspace.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'))]).FullName;
            var laptop = laptops.Environment(workspace, folder["config"]);
            laptop["CLAUDE_CONFIG_DIR"] = folder["agent"];
            var expected = new Dictionary<string, string>(StringComparer.Ordinal);
            string[] isPrivate = [$"r{round}-s3", $"r{round}-s7"];
            await File.WriteAllLinesAsync(Path.Combine(claude, "agnes-sessions-private.txt"), isPrivate, run.Cancellation);
            for (var session = 0; session < Sessions; session++) Capture(session);
            for (var kill = run.Random.Next(KillsMax); kill >= 0; kill--)
            {
                var push = Programs.RunAsync("agnes", ["push", "--quiet"], laptop, run.Cancellation, run.Random.Next(PushMillisecondsMax));
                Capture(Sessions + kill);
                run.Add((await push).ExitCode == 0 ? "pushes that ended before the kill" : "pushes killed");
            }

            var last = await Programs.RunAsync("agnes", ["push", "--json"], laptop, run.Cancellation);
            if (last.ExitCode != 0) run.Fail($"round {round}: the last push exited {last.ExitCode}: {last.Output}");
            Check(run, round, laptops.DataDir, claude, expected, isPrivate);

            void Capture(int session)
            {
                var id = $"r{round}-s{session}";
                var content = $"{{\"cwd\":\"{workspace}\",\"text\":\"{id} {new string('x', run.Random.Next(200_000))}\"}}";
                var path = Path.Combine(transcripts, $"{id}.jsonl");
                File.WriteAllText(path, content);
                // As the hook does it, under the same lock.
                while (true)
                {
                    try
                    {
                        using var locked = new FileStream(Path.Combine(claude, "agnes-queue.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                        File.AppendAllText(Path.Combine(claude, "agnes-sessions.txt"), $"{id}\t{path}\n");
                        break;
                    }
                    catch (IOException)
                    {
                        continue;
                    }
                }

                if (!isPrivate.Contains(id)) expected[$"{id}.jsonl"] = content;
            }
        }
    }

    private static void Check(CampaignRun run, int round, string dataDir, string claude, Dictionary<string, string> expected, string[] isPrivate)
    {
        var stored = Directory.EnumerateFiles(Path.Combine(dataDir, "user_sessions"), "*", SearchOption.AllDirectories).ToDictionary(path => Path.GetFileName(path)!, StringComparer.Ordinal);
        foreach (var (name, content) in expected)
        {
            if (!stored.TryGetValue(name, out var path)) run.Fail($"round {round}: {name} is lost");
            else if (File.ReadAllText(path) != content) run.Fail($"round {round}: {name} is another one on the server");
            else run.Add("transcripts that arrived");
        }

        foreach (var id in isPrivate.Where(id => stored.ContainsKey($"{id}.jsonl"))) run.Fail($"round {round}: {id} is private and was uploaded");
        var waiting = Directory.EnumerateFiles(claude, "agnes-sessions.snapshot.*").Concat(Directory.EnumerateFiles(claude, "agnes-sessions.txt")).ToList();
        if (waiting.Count > 0) run.Fail($"round {round}: still waiting: {string.Join(", ", waiting)}");
        var partial = stored.Keys.Where(name => name.StartsWith(".incoming", StringComparison.Ordinal)).ToList();
        if (partial.Count > 0) run.Add("half uploads still on the server, swept later", partial.Count);
    }
}
