using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>Query workers are killed under running statements. A statement gives its right answer or a clear error, and the next one works.</summary>
internal static class WorkerKills
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const int DelayMillisecondsMax = 400;
    private const int Readers = 4;
    private const string Statement = "SELECT sum(a.id * b.id) AS s FROM steady a, steady b WHERE (a.id + b.id) % 7 = 0";

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        using var server = await ServerProcess.StartAsync(folder.Path, new Dictionary<string, string> { ["SEED_ADMIN_EMAIL"] = Email, ["SEED_ADMIN_PASSWORD"] = Password }, run.Cancellation);
        await server.SignInAsync(Email, Password, run.Cancellation);
        Directory.CreateDirectory(folder["csv"]);
        await File.WriteAllLinesAsync(folder["csv", "steady.csv"], (string[])["id", .. Enumerable.Range(0, 1500).Select(id => $"{id}")], run.Cancellation);
        await server.PostAsync("/api/admin/register-table", new { name = "steady", source_type = "csv", source_table = "steady.csv" }, run.Cancellation);
        await server.PostAsync("/api/sync/trigger", (string[])["steady"], run.Cancellation);
        var expected = await FirstAnswerAsync(server, run.Cancellation);
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, Readers).Select(_ => ReadAsync(run, server, expected, done.Token)).ToArray();
        for (var killed = 0; killed < run.Count;)
        {
            await Task.Delay(run.Random.Next(DelayMillisecondsMax), run.Cancellation);
            var workers = Workers(server.Pid);
            if (workers.Count == 0) continue; // They are started on demand.
            killed++;
            using var kill = System.Diagnostics.Process.Start("/bin/kill", ["-9", $"{workers[run.Random.Next(workers.Count)]}"]);
            await kill.WaitForExitAsync(run.Cancellation);
            run.Add("kills");
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);
        if (await AnswerAsync(server, run.Cancellation) is var (status, text) && (status != 200 || text != expected)) run.Fail($"the statement after the last kill gave {status} {text}");
    }

    private static async Task ReadAsync(CampaignRun run, ServerProcess server, string expected, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            var (status, text) = await AnswerAsync(server, CancellationToken.None);
            if (status == 200 && text == expected) run.Add("right answers");
            else if (status == 200) run.Fail($"a wrong answer: {text}");
            else if (status is 400 or 429 or 503) run.Add($"answers {status}");
            else run.Fail($"an unclear answer: {status} {text}");
        }
    }

    private static async Task<string> FirstAnswerAsync(ServerProcess server, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < 200; attempt++)
        {
            var (status, text) = await AnswerAsync(server, cancellation);
            if (status == 200) return text;
            await Task.Delay(100, cancellation);
        }

        throw new InvalidOperationException("The table was not published.");
    }

    private static async Task<(int Status, string Text)> AnswerAsync(ServerProcess server, CancellationToken cancellation)
    {
        using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql = Statement }, cancellation);
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        return ((int)answer.StatusCode, answer.IsSuccessStatusCode ? JsonNode.Parse(text)!["rows"]!.ToJsonString() : text);
    }

    internal static List<int> Workers(int server, string role = "query-worker")
    {
        List<int> found = [];
        foreach (var process in Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)))
        {
            try
            {
                if (File.ReadAllText($"/proc/{process}/cmdline").Contains(role, StringComparison.Ordinal) && File.ReadAllLines($"/proc/{process}/status").Contains($"PPid:\t{server}")) found.Add(int.Parse(process!));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue; // It ended between the listing and the reading.
            }
        }

        return found;
    }
}
