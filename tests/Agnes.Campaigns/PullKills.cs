using System.Text.Json.Nodes;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// <c>agnes pull</c> is killed at random instants while the tables behind it change. The next run is clean, and what a query then sees is one version of each table.
/// </summary>
internal static class PullKills
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const int PullMillisecondsMax = 700;
    private const int Rows = 20_000;
    private const int Parts = 12;

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        using var workspace = new TemporaryFolder();
        var environment = new Dictionary<string, string> { ["SEED_ADMIN_EMAIL"] = Email, ["SEED_ADMIN_PASSWORD"] = Password };
        using var server = await ServerProcess.StartAsync(folder["data"], environment, run.Cancellation);
        await server.SignInAsync(Email, Password, run.Cancellation);
        var files = Directory.CreateDirectory(folder["data", "csv", "parts"]).FullName;
        Write(files, 0);
        await server.PostAsync("/api/admin/register-table", new { name = "parted", source_type = "csv", bucket = "parts", source_table = "*.csv" }, run.Cancellation);
        await SyncAsync(server, run.Cancellation);
        var token = (string)(await server.PostAsync("/auth/tokens", new { name = "campaign" }, run.Cancellation))["token"]!;
        Dictionary<string, string> laptop = new(StringComparer.Ordinal)
        {
            ["AGNES_SERVER"] = server.Url,
            ["AGNES_TOKEN"] = token,
            ["AGNES_LOCAL_DIR"] = workspace.Path,
            ["AGNES_CONFIG_DIR"] = workspace["config"],
            ["AGNES_NO_UPDATE_CHECK"] = "1",
        };
        for (var round = 1; round <= run.Count; round++)
        {
            run.Progress(round);
            Write(files, round);
            await SyncAsync(server, run.Cancellation);
            if (run.Random.Next(10) == 0) Directory.Delete(workspace["server"], recursive: true); // Now and then everything has to move.
            var killed = await Programs.RunAsync("agnes", ["pull", "--quiet"], laptop, run.Cancellation, run.Random.Next(PullMillisecondsMax));
            run.Add(killed.ExitCode == 0 ? "pulls that ended before the kill" : "pulls killed");
            var pull = await Programs.RunAsync("agnes", ["pull", "--json"], laptop, run.Cancellation);
            if (pull.ExitCode != 0) run.Fail($"round {round}: the pull after the kill exited {pull.ExitCode}: {pull.Output}");
            var query = await Programs.RunAsync("agnes", ["query", "--format", "json", "SELECT count(*) AS n, min(edition) AS first, max(edition) AS last FROM parted"], laptop, run.Cancellation);
            var row = query.ExitCode == 0 ? JsonNode.Parse(query.Output)?[0] : null;
            if (row is not null && (long)row["n"]! == Rows && (int)row["first"]! == round && (int)row["last"]! == round) run.Add("whole tables read");
            else run.Fail($"round {round}: the query after the kill gave {query.Output}");
        }
    }

    private static void Write(string folder, int edition)
    {
        for (var part = 0; part < Parts; part++)
        {
            var path = Path.Combine(folder, $"part-{part:00}.csv");
            File.WriteAllLines($"{path}.new", (string[])["edition,id,text", .. Enumerable.Range(0, Rows / Parts + (part < Rows % Parts ? 1 : 0)).Select(row => $"{edition},{row},{Guid.NewGuid()}")]);
            File.Move($"{path}.new", path, overwrite: true);
        }
    }

    private static async Task SyncAsync(ServerProcess server, CancellationToken cancellation)
    {
        var run = (string)(await server.PostAsync("/api/sync/trigger", (string[])["parted"], cancellation))["run_id"]!;
        while (true)
        {
            var status = (string)JsonNode.Parse(await server.Client.GetStringAsync($"/api/sync/runs/{run}", cancellation))!["status"]!;
            if (status is "succeeded" or "ok" or "done") return;
            if (status is not ("queued" or "running")) throw new InvalidOperationException($"The sync ended as {status}.");
            await Task.Delay(20, cancellation);
        }
    }
}
