using System.Diagnostics;
using System.Net.Http.Json;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>Statements that exceed memory or ignore interruption, while a neighbour asks <c>SELECT 1</c>: they are gone, memory stays in the budget, the neighbour does not notice.</summary>
internal static class HeavyStatements
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const double NeighbourMillisecondsMax = 50;

    public static IReadOnlyList<(string Name, string Sql)> All { get; } =
    [
        ("repeat", "SELECT length(repeat('x', 2000000000))"),
        ("range", "SELECT len(range(400000000))"),
        ("list_sort", "SELECT list_sort(range(300000000))[1]"),
        ("levenshtein", "SELECT levenshtein(repeat('ab', 100000), repeat('ba', 100000))"),
        ("jaro_winkler", "SELECT jaro_winkler_similarity(repeat('ab', 100000), repeat('ba', 100000))"),
        ("nested json", $"SELECT {Nested(24)}"),
        ("20,000 unions", string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 1", 20_000))),
    ];

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string> { ["SEED_ADMIN_EMAIL"] = Email, ["SEED_ADMIN_PASSWORD"] = Password, ["AGNES_MEMORY"] = "1GiB", ["AGNES_API_RATE"] = "0", ["AGNES_QUERY_SECONDS_MAX"] = "5" };
        using var server = await ServerProcess.StartAsync(folder.Path, environment, run.Cancellation);
        await server.SignInAsync(Email, Password, run.Cancellation);
        using (await server.Client.PostAsJsonAsync("/api/query", new { sql = "SELECT 1" }, run.Cancellation)) { }
        using var done = new CancellationTokenSource();
        List<double> neighbour = [];
        long peak = 0;
        var beside = NeighbourAsync(server, neighbour, done.Token);
        var watch = WatchAsync(server, value => peak = Math.Max(peak, value), done.Token);
        for (var round = 0; round < run.Count; round++)
        {
            foreach (var (name, sql) in All)
            {
                var clock = Stopwatch.StartNew();
                using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql }, run.Cancellation);
                var text = await answer.Content.ReadAsStringAsync(run.Cancellation);
                Console.WriteLine($"  {name}: {(int)answer.StatusCode} after {clock.Elapsed.TotalSeconds:0.00} s: {(text.Length > 120 ? text[..120] : text)}");
                run.Add($"answers {(int)answer.StatusCode}");
                if (clock.Elapsed.TotalSeconds > 6) run.Fail($"{name} was answered after {clock.Elapsed.TotalSeconds:0.0} s, one second after its limit at the latest was wanted");
            }
        }

        await done.CancelAsync();
        await Task.WhenAll(beside, watch);
        neighbour.Sort();
        var p99 = neighbour[(int)(neighbour.Count * 0.99)];
        Console.WriteLine($"  neighbour: {neighbour.Count} statements, p50 {neighbour[neighbour.Count / 2]:0.0} ms, p99 {p99:0.0} ms, max {neighbour[^1]:0.0} ms; peak memory of server and workers {peak / 1024} MiB");
        if (p99 > NeighbourMillisecondsMax) run.Fail($"the neighbour's p99 is {p99:0.0} ms");
    }

    private static string Nested(int depth) => string.Concat(Enumerable.Repeat("(", depth)) + "'{}'::JSON" + string.Concat(Enumerable.Repeat("->'a')", depth));

    private static async Task NeighbourAsync(ServerProcess server, List<double> samples, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql = "SELECT 1" }, CancellationToken.None);
            await answer.Content.ReadAsStringAsync(CancellationToken.None);
            samples.Add(clock.Elapsed.TotalMilliseconds);
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private static async Task WatchAsync(ServerProcess server, Action<long> seen, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            seen(WorkerKills.Workers(server.Pid).Append(server.Pid).Sum(Resident));
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private static long Resident(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        }
        catch (IOException)
        {
            return 0; // It has just ended.
        }
    }
}
