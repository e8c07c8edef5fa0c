using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// The server is killed at random instants while groups are made, grants change and a table is synced. After each kill: <c>verify</c> is clean, the next start is clean,
/// every acknowledged write is there, and the table is whole, in its old or its new version.
/// </summary>
internal static class ServerKills
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const int RunMillisecondsMax = 1500;
    private const int Writers = 3;
    private const int Rows = 2000;

    public static async Task OnDuckDbAsync(CampaignRun run) => await RunAsync(run, null);

    public static async Task OnPostgresAsync(CampaignRun run)
    {
        await using var cluster = new PostgresCluster();
        await RunAsync(run, await cluster.NewDatabaseAsync());
    }

    private static async Task RunAsync(CampaignRun run, string? stateUrl)
    {
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string> { ["SEED_ADMIN_EMAIL"] = Email, ["SEED_ADMIN_PASSWORD"] = Password };
        if (stateUrl is not null) environment["AGNES_STATE_URL"] = stateUrl;
        Directory.CreateDirectory(folder["csv"]);
        WriteTable(folder["csv", "steady.csv"], 0);
        ConcurrentDictionary<string, bool> acknowledged = new(StringComparer.Ordinal); // group id → still there
        var edition = 0;
        for (var round = 0; round < run.Count && !run.Cancellation.IsCancellationRequested; round++)
        {
            run.Progress(round);
            using (var server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation))
            {
                await server.SignInAsync(Email, Password, run.Cancellation);
                if (round == 0) await server.PostAsync("/api/admin/register-table", new { name = "steady", source_type = "csv", source_table = "steady.csv" }, run.Cancellation);
                await CheckAsync(run, server, acknowledged, round);
                using var killed = new CancellationTokenSource();
                var work = Enumerable.Range(0, Writers).Select(writer => WriteAsync(run, server, acknowledged, $"{round}-{writer}", killed.Token)).Append(SyncAsync(run, server, folder, () => ++edition, killed.Token)).ToArray();
                await Task.Delay(run.Random.Next(RunMillisecondsMax), run.Cancellation);
                server.Kill();
                await killed.CancelAsync();
                await Task.WhenAll(work);
            }

            run.Add("kills");
            var verify = await Programs.RunAsync("agnes-server", ["verify"], new(environment) { ["DATA_DIR"] = folder.Path }, run.Cancellation);
            if (verify.ExitCode == 0) run.Add("clean verifications");
            else run.Fail($"round {round}: verify exited {verify.ExitCode}: {verify.Output}");
        }

        using var last = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
        await last.SignInAsync(Email, Password, run.Cancellation);
        await CheckAsync(run, last, acknowledged, run.Count);
    }

    private static void WriteTable(string path, int edition)
    {
        File.WriteAllLines($"{path}.new", (string[])["edition,id", .. Enumerable.Range(0, Rows).Select(row => $"{edition},{row}")]);
        File.Move($"{path}.new", path, overwrite: true);
    }

    /// <summary>Makes and removes groups until the server is gone. What was answered with success must survive.</summary>
    private static async Task WriteAsync(CampaignRun run, ServerProcess server, ConcurrentDictionary<string, bool> acknowledged, string prefix, CancellationToken killed)
    {
        List<string> mine = [];
        for (var number = 0; !killed.IsCancellationRequested; number++)
        {
            try
            {
                if (number % 5 == 4)
                {
                    var victim = mine[0];
                    mine.RemoveAt(0);
                    acknowledged.TryRemove(victim, out _); // From here on both outcomes are right.
                    using var deleted = await server.Client.DeleteAsync($"/api/admin/groups/{victim}", CancellationToken.None);
                    if (deleted.StatusCode == HttpStatusCode.NoContent) acknowledged[victim] = false;
                }
                else
                {
                    using var made = await server.Client.PostAsJsonAsync("/api/admin/groups", new { name = $"group {prefix}-{number}" }, CancellationToken.None);
                    if (made.StatusCode != HttpStatusCode.Created) continue;
                    var id = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(CancellationToken.None))!["id"]!;
                    acknowledged[id] = true;
                    mine.Add(id);
                }

                run.Add("acknowledged writes");
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException or TaskCanceledException)
            {
                return; // The server was killed; what had no answer may or may not be there.
            }
        }
    }

    private static async Task SyncAsync(CampaignRun run, ServerProcess server, TemporaryFolder folder, Func<int> next, CancellationToken killed)
    {
        while (!killed.IsCancellationRequested)
        {
            try
            {
                WriteTable(folder["csv", "steady.csv"], next());
                using var response = await server.Client.PostAsJsonAsync("/api/sync/trigger", (string[])["steady"], CancellationToken.None);
                if (response.IsSuccessStatusCode) run.Add("syncs started");
                await Task.Delay(50, CancellationToken.None);
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException or TaskCanceledException)
            {
                return; // Killed.
            }
        }
    }

    private static async Task CheckAsync(CampaignRun run, ServerProcess server, ConcurrentDictionary<string, bool> acknowledged, int round)
    {
        var groups = JsonNode.Parse(await server.Client.GetStringAsync("/api/admin/groups", run.Cancellation))!.AsArray().Select(group => (string)group!["id"]!).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, there) in acknowledged)
        {
            if (groups.Contains(id) == there) continue;
            run.Fail($"round {round}: {(there ? "an acknowledged group is missing" : "a deleted group is back")}: {id}");
            acknowledged.TryRemove(id, out _);
        }

        if (round == 0) return;
        var manifest = JsonNode.Parse(await server.Client.GetStringAsync("/api/sync/manifest", run.Cancellation))!["tables"]!.AsObject();
        if (!manifest.ContainsKey("steady")) return; // No sync has ended yet.
        using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql = "SELECT count(*) AS n, count(DISTINCT edition) AS editions, count(DISTINCT id) AS ids FROM steady" }, run.Cancellation);
        var text = await answer.Content.ReadAsStringAsync(run.Cancellation);
        if (answer.IsSuccessStatusCode && JsonNode.Parse(text)!["rows"]!.ToJsonString() == $"[[{Rows},1,{Rows}]]") run.Add("whole tables read");
        else run.Fail($"round {round}: the table is not whole: {(int)answer.StatusCode} {text}");
    }
}
