using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Agnes.Bench.Scenarios;

/// <summary>
/// P10: deliveries acknowledged on disk, at two sizes of the tables, against a program that writes a month's Parquet anew for each event; and the time until one is seen
/// by a query. <c>P10_ISSUES</c> is the larger size.
/// </summary>
internal static class Deliveries
{
    private const string Secret = "bench-secret";
    private const string Path = "/webhooks/jira";
    private const int Few = 10_000;
    private const int Connections = 64;
    private const int FewConnections = 16; // with more, what an acknowledgement takes is the time that the others take before it
    private const int Seconds = 5;
    private const int Bodies = 2_000;
    private const int PeerEvents = 20;
    private const int Looks = 100;
    private const int Months = 12;
    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly int Many = int.TryParse(Environment.GetEnvironmentVariable("P10_ISSUES"), out var issues) ? issues : 300_000;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var world = World.Create();
        world.Environment["JIRA_WEBHOOK_SECRET"] = Secret;
        world.Environment["JIRA_DOMAIN"] = "site.example.com";
        await world.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(world.Url), Timeout = TimeSpan.FromMinutes(1) };
        await FillAsync(client, 0, Few);
        await SettledAsync(world, Few);
        var few = await LoadAsync(world, Few, Connections);
        var calm = await LoadAsync(world, Few, FewConnections);
        var seenAtFew = await SeenAsync(world, client, Few);
        var filling = Stopwatch.StartNew();
        await FillAsync(client, Few, Many);
        await SettledAsync(world, Many);
        Console.Error.WriteLine($"P10: {Many - Few} issues from the first delivery to the last row in {filling.Elapsed.TotalSeconds:0} s");
        var many = await LoadAsync(world, Many, Connections);
        var calmAtMany = await LoadAsync(world, Many, FewConnections);
        var seen = await SeenAsync(world, client, Many);
        var peer = await PeerAsync(world);
        return
        [
            new Measurement("P10", $"deliveries a second, on disk, at {Few} issues", "/s", few.RequestsPerSecond, peer, "≥ 5,000 and ≥ 100×", few.RequestsPerSecond >= Math.Max(5_000, 100 * peer)),
            new Measurement("P10", $"the same at {Many} issues", "/s", many.RequestsPerSecond, peer, "does not fall", many.RequestsPerSecond >= 0.9 * few.RequestsPerSecond),
            Acknowledged(few, calm, Few),
            Acknowledged(many, calmAtMany, Many),
            new Measurement("P10", $"from acknowledgement to a query's answer, 99th percentile, at {Few} issues", "ms", seenAtFew, null, "≤ 2 s", seenAtFew <= 2_000),
            new Measurement("P10", $"the same at {Many} issues", "ms", seen, null, "≤ 2 s", seen <= 2_000),
        ];
    }

    private static Measurement Acknowledged(Wrk load, Wrk calm, int issues) => new(
        "P10", $"99th percentile of an acknowledgement at {issues} issues, {FewConnections} connections, {calm.RequestsPerSecond:0}/s ({Connections}: {load.P99Milliseconds:0} ms)",
        "ms", calm.P99Milliseconds, null, "≤ 10 ms", calm.P99Milliseconds <= 10);

    /// <summary>About 4 KB, as a small issue of a real site.</summary>
    private static string Event(int issue, long said, string summary)
    {
        var month = (issue % Months) + 1;
        var text = string.Concat(Enumerable.Repeat($"Somebody wrote what issue {issue} is about. ", 60));
        return $$$"""
            {"timestamp":{{{said}}},"webhookEvent":"jira:issue_updated","user":{"displayName":"Ana","emailAddress":"ana@example.com"},
            "issue":{"id":"{{{100_000 + issue}}}","key":"SUP-{{{issue}}}","fields":{"summary":"{{{summary}}}","description":"{{{text}}}","created":"2026-{{{month:00}}}-03T10:00:00.000+0000",
            "updated":"{{{DateTimeOffset.FromUnixTimeMilliseconds(said):yyyy-MM-dd'T'HH:mm:ss.fff}}}+0000","status":{"name":"Open","statusCategory":{"name":"To Do"}},"issuetype":{"name":"Task"},
            "project":{"key":"SUP","name":"Support"},"reporter":{"displayName":"Ben","emailAddress":"ben@example.com"},"labels":["a","b"],
            "comment":{"comments":[{"id":"{{{issue}}}","body":"A comment.","created":"2026-01-01T00:00:00.000+0000","updated":"2026-01-01T00:00:00.000+0000"}],"total":1} } },
            "changelog":{"id":"{{{said % 1_000_000_000}}}","items":[{"field":"status","fieldtype":"jira","fromString":"Open","toString":"Done"}]} }
            """.ReplaceLineEndings("");
    }

    private static string Sign(string body) => "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(body)));

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    /// <summary>Again where the journal is full, as its answer says that one should.</summary>
    private static async Task PostAsync(HttpClient client, string body)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Add("X-Hub-Signature", Sign(body));
            using var answer = await client.SendAsync(request);
            if (answer.StatusCode != System.Net.HttpStatusCode.ServiceUnavailable)
            {
                answer.EnsureSuccessStatusCode();
                return;
            }

            await Task.Delay(answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1));
        }
    }

    private static Task FillAsync(HttpClient client, int from, int until) => Parallel.ForEachAsync(
        Enumerable.Range(from, until - from), new ParallelOptions { MaxDegreeOfParallelism = Connections }, async (issue, _) => await PostAsync(client, Event(issue, Now, "first")));

    private static async Task SettledAsync(World world, int issues)
    {
        while (true)
        {
            var rows = (await world.PostAsync("/api/query", new { sql = "SELECT count(*) FROM issues" }))["rows"]!;
            if ((long)rows[0]![0]! >= issues) break;
            await Task.Delay(500);
        }

        await DrainedAsync(world);
    }

    /// <summary>Nothing waits to be folded: what is measured next is not what was sent before.</summary>
    private static async Task DrainedAsync(World world)
    {
        while ((long)(await world.GetAsync("/api/admin/events"))["sources"]![0]!["waiting_bytes"]! > 0) await Task.Delay(200);
    }

    /// <summary>Deliveries of issues that are there, over and over, as fast as they are taken.</summary>
    private static async Task<Wrk> LoadAsync(World world, int issues, int connections)
    {
        var random = new Random(1);
        var lines = new StringBuilder("local bodies = {}\nlocal signs = {}\n");
        for (var i = 1; i <= Bodies; i++)
        {
            var body = Event(random.Next(issues), Now + i, $"load {i}");
            lines.Append("bodies[").Append(i).Append("] = ").Append(JsonSerializer.Serialize(body, Plain)).Append('\n');
            lines.Append("signs[").Append(i).Append("] = '").Append(Sign(body)).Append("'\n");
        }

        lines.Append($$"""
            local i = 0
            request = function()
              i = i % {{Bodies}} + 1
              return wrk.format("POST", "{{Path}}", {["Content-Type"] = "application/json", ["X-Hub-Signature"] = signs[i]}, bodies[i])
            end
            """);
        var script = System.IO.Path.Combine(world.Folder, "deliveries.lua");
        await File.WriteAllTextAsync(script, lines.ToString());
        var load = await Wrk.RunScriptAsync(world.Url + Path, script, connections, Seconds);
        await DrainedAsync(world);
        return load;
    }

    private static async Task<double> SeenAsync(World world, HttpClient client, int issues)
    {
        List<double> times = [];
        for (var look = 0; look < Looks; look++)
        {
            var (issue, mark) = (look * 7 % issues, $"look {look} {Guid.NewGuid():N}");
            await PostAsync(client, Event(issue, Now, mark));
            var clock = Stopwatch.StartNew();
            while ((long)(await world.PostAsync("/api/query", new { sql = $"SELECT count(*) FROM issues WHERE summary = '{mark}'" }))["rows"]![0]![0]! == 0) await Task.Delay(20);
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        return Rounds.Percentile(times, 0.99);
    }

    private static async Task<double> PeerAsync(World world)
    {
        await using var peer = new LinePeer("node", Peers.Script("month.mjs"), System.IO.Path.Combine(world.Folder, "month.parquet"), $"{Few}");
        List<double> times = [];
        for (var i = 0; i < PeerEvents; i++) times.Add(await peer.AskAsync(Event(i, Now, "peer")));
        return 1000 / Rounds.Median(times);
    }
}
