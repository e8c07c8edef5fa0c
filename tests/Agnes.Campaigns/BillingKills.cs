using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// Brokers, and now and then the server, are killed at any instant of a statement that BigQuery bills. A statement that is answered is
/// answered right and was run there once; one whose server was killed was run once at most.
/// </summary>
internal static class BillingKills
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const string Data = "data-project";
    private const int DelayMillisecondsMax = 300;
    private const int ServerEvery = 5;
    private static readonly TimeSpan JobTime = TimeSpan.FromMilliseconds(120);

    public static async Task RunAsync(CampaignRun run)
    {
        await using var cloud = await BigQueryServer.StartAsync();
        cloud.Warehouse.AddDataset(Data, "sales", "EU");
        cloud.Warehouse.AddTable(Data, "sales", "orders", "id INT64", "SELECT i FROM range(1, 8) r(i)");
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>
        {
            ["SEED_ADMIN_EMAIL"] = Email,
            ["SEED_ADMIN_PASSWORD"] = Password,
            ["BIGQUERY_API_ENDPOINT"] = cloud.Address.AbsoluteUri,
        };
        var server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
        try
        {
            await server.SignInAsync(Email, Password, run.Cancellation);
            var settings = new { project = Data };
            await server.PostAsync("/api/admin/connections", new { name = "warehouse", kind = "bigquery", settings }, run.Cancellation);
            await server.PostAsync(
                "/api/admin/register-table",
                new { name = "bought", source_type = "bigquery", connection = "warehouse", bucket = "sales", source_table = "orders" },
                run.Cancellation);
            for (var round = 0; round < run.Count; round++)
            {
                run.Progress(round);
                var isServer = round % ServerEvery == ServerEvery - 1;
                await RoundAsync(run, cloud, server, round, isServer);
                if (!isServer) continue;
                server.Dispose();
                server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
                await server.SignInAsync(Email, Password, run.Cancellation);
            }
        }
        finally
        {
            server.Dispose();
        }
    }

    private static async Task RoundAsync(CampaignRun run, BigQueryServer cloud, ServerProcess server, int round, bool isServer)
    {
        // Another number each time, so that neither side has the answer already and the jobs can be told apart.
        var asked = AskAsync(server, $"SELECT SUM(id) + {round} AS s FROM bought WHERE id > -{round + 1}", run.Cancellation);
        cloud.HoldJobs();
        await Task.Delay(run.Random.Next(DelayMillisecondsMax), run.Cancellation);
        if (isServer) server.Kill();
        else if (KillBroker(server.Pid)) run.Add("brokers killed");
        await Task.Delay(JobTime, run.Cancellation);
        cloud.ReleaseJobs();
        var (status, text) = await asked;
        await Task.Delay(JobTime, run.Cancellation);
        var jobs = cloud.Jobs.Where(job => job.Sql.Contains($"> -{round + 1}", StringComparison.Ordinal) && job.BytesBilled > 0).ToList();
        if (isServer) run.Add("servers killed");
        run.Add(status switch { 200 => "answers", 0 => "answers cut", _ => $"answers {status}" });
        run.Add("jobs billed", jobs.Count);
        if (jobs.Count > 1) run.Fail($"round {round}: {jobs.Count} jobs were billed for one statement");
        if (status == 200 && jobs.Count != 1) run.Fail($"round {round}: an answer for which {jobs.Count} jobs were billed");
        if (status == 200 && text != $"[[{28 + round}]]") run.Fail($"round {round}: a wrong answer: {text}");
        if (status != 200 && !isServer) run.Fail($"round {round}: {status} {text}");
    }

    private static bool KillBroker(int server)
    {
        var brokers = WorkerKills.Workers(server, "remote-broker");
        foreach (var broker in brokers)
        {
            using var kill = System.Diagnostics.Process.Start("/bin/kill", ["-9", $"{broker}"]);
            kill.WaitForExit();
        }

        return brokers.Count > 0;
    }

    /// <returns>Status 0: the connection broke.</returns>
    private static async Task<(int Status, string Text)> AskAsync(ServerProcess server, string sql, CancellationToken cancellation)
    {
        try
        {
            using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql }, cancellation);
            var text = await answer.Content.ReadAsStringAsync(cancellation);
            return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? JsonNode.Parse(text)!["rows"]!.ToJsonString() : text);
        }
        catch (HttpRequestException)
        {
            return (0, "");
        }
    }
}
