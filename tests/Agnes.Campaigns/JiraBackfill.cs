using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// A site of many issues is brought through its API, which throttles, by a server that is killed midway, twice. In the end every issue is there once, and none was asked for
/// much more often than once. Says how long it took and what memory each process had.
/// </summary>
internal static class JiraBackfill
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const int Thousand = 1000;
    private const int Kills = 2;
    private const double PerSecond = 600; // of each kind of request, as one account of a large site may ask
    private const int Burst = 600;
    private const long AgainMax = 1200; // for each kill: a page that was begun, and what the journal had not yet
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SettleMax = TimeSpan.FromMinutes(10);

    /// <summary>As many rounds, so many thousand issues.</summary>
    public static async Task RunAsync(CampaignRun run)
    {
        var issues = run.Count * Thousand;
        await using var jira = await JiraServer.StartAsync(new JiraSite(new SiteShape { Seed = run.Random.Next(1, int.MaxValue), Issues = issues }));
        jira.Limit = new RateLimit(PerSecond, Burst);
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>
        {
            ["SEED_ADMIN_EMAIL"] = Email,
            ["SEED_ADMIN_PASSWORD"] = Password,
            ["JIRA_WEBHOOK_SECRET"] = "campaign-secret",
            ["JIRA_DOMAIN"] = "site.example.com",
            ["JIRA_EMAIL"] = JiraServer.Email,
            ["JIRA_API_TOKEN"] = JiraServer.Token,
            ["JIRA_BASE_URL"] = jira.Address,
            ["AGNES_ALLOWED_PRIVATE_HOSTS"] = "127.0.0.1",
        };
        var server = await StartAsync(folder, environment, run);
        var pid = server.Pid;
        await using var memory = new ProcessMemory(("child", () => ChildrenOf(Volatile.Read(ref pid))));
        memory.Watch("server", server.Pid);
        try
        {
            var clock = Stopwatch.StartNew();
            var job = (string)(await server.PostAsync("/api/admin/jira/backfill", new { }, run.Cancellation))["run_id"]!;
            for (var kill = 1; kill <= Kills; kill++)
            {
                await UntilAsync(server, job, run, state => Downloaded(state) >= (long)issues * kill / (Kills + 1));
                server.Kill();
                run.Add("kills");
                server.Dispose();
                server = await StartAsync(folder, environment, run);
                Volatile.Write(ref pid, server.Pid);
                memory.Watch("server", server.Pid);
            }

            var ended = await UntilAsync(server, job, run, state => (string?)state["status"] is not ("running" or "queued"));
            run.Add("seconds of the job", (long)clock.Elapsed.TotalSeconds);
            if ((string?)ended["status"] != "ok") run.Fail($"the backfill ended so: {ended.ToJsonString()}");
            await CheckAsync(run, server, jira, issues);
            run.Add("seconds until all is seen", (long)clock.Elapsed.TotalSeconds);
        }
        finally
        {
            server.Kill();
            server.Dispose();
        }

        foreach (var (kind, bytes) in memory.Peaks) run.Add($"MiB at most of a {kind}", bytes >> 20);
    }

    private static async Task CheckAsync(CampaignRun run, ServerProcess server, JiraServer jira, int issues)
    {
        var expected = $"[[{issues},{issues}]]";
        var clock = Stopwatch.StartNew();
        string seen;
        do
        {
            using var answer = await server.Client.PostAsJsonAsync(
                "/api/query", new { sql = "SELECT count(*), count(DISTINCT issue_key) FROM issues" }, run.Cancellation);
            var text = await answer.Content.ReadAsStringAsync(run.Cancellation);
            seen = answer.IsSuccessStatusCode ? JsonNode.Parse(text)!["rows"]!.ToJsonString() : text;
            if (seen != expected) await Task.Delay(Look, run.Cancellation);
        }
        while (seen != expected && clock.Elapsed < SettleMax);
        if (seen != expected) run.Fail($"the table has {seen}, not {expected}");
        foreach (var (step, asked) in new[] { (Step.Bulk, jira.Count(Step.Bulk)), (Step.Issue, jira.Count(Step.Issue)), (Step.RemoteLinks, jira.Count(Step.RemoteLinks)) })
            run.Add($"requests {step.ToString().ToLowerInvariant()}", asked);
        var told = jira.Waits.Count;
        run.Add("told to wait", told);
        if (jira.Count(Step.RemoteLinks) - told > issues + (Kills * AgainMax))
            run.Fail($"{jira.Count(Step.RemoteLinks)} requests for links of {issues} issues");
        foreach (var fault in jira.Faults.Take(3)) run.Fail($"the emulator: {fault.Message}");
    }

    private static async Task<ServerProcess> StartAsync(TemporaryFolder folder, Dictionary<string, string> environment, CampaignRun run)
    {
        var server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
        await server.SignInAsync(Email, Password, run.Cancellation);
        return server;
    }

    private static async Task<JsonNode> UntilAsync(ServerProcess server, string job, CampaignRun run, Func<JsonNode, bool> holds)
    {
        for (var look = 0; ; look++)
        {
            var status = JsonNode.Parse(await server.Client.GetStringAsync("/api/admin/jira/status", run.Cancellation))!;
            var state = status["jobs"]!.AsArray().Single(one => (string?)one!["kind"] == "jira-backfill")!;
            if (holds(state)) return state;
            if ((string?)state["status"] is not ("running" or "queued")) throw new InvalidOperationException($"The backfill {job} ended: {state.ToJsonString()}");
            if (look % 30 == 0) Console.Error.WriteLine($"  {Downloaded(state)} issues");
            await Task.Delay(Look, run.Cancellation);
        }
    }

    private static long Downloaded(JsonNode state) => (long?)state["checkpoint"]?["downloaded"] ?? 0;

    /// <summary>Each thread has those that it started.</summary>
    private static IEnumerable<int> ChildrenOf(int process)
    {
        try
        {
            return [.. Directory.EnumerateDirectories($"/proc/{process}/task").SelectMany(thread => File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(child => int.Parse(child, CultureInfo.InvariantCulture))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it has just ended, or a thread of it
        }
    }
}
