using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Agnes.Bench.Scenarios;

/// <summary>P4 and P5: statements on the server against the same statements in process.</summary>
internal static class Queries
{
    private const int Rows = 10_000_000;
    private const int WarmRepeats = 50;
    private const string Aggregate = "SELECT bucket, count(*) AS n, sum(value) AS total, avg(value) AS mean FROM numbers GROUP BY bucket ORDER BY bucket";

    public static async Task<IReadOnlyList<Measurement>> RunHotAsync()
    {
        await using var world = World.Create();
        world.AddSource("files", [("numbers", $"SELECT range AS id, range % 100 AS bucket, (range * 7919 % 1000003)::DOUBLE AS value FROM range({Rows})")]);
        await world.StartAsync();
        await world.PublishedAsync(1);
        await world.GrantAllAsync(["numbers"]);
        await using var peer = new LinePeer("node", Peers.Script("query.mjs"));
        using var client = Client(world);
        var view = $"CREATE OR REPLACE VIEW numbers AS SELECT * FROM read_parquet('{Path.Combine(world.Folder, "extracts/files/data/numbers.parquet")}')";
        await peer.AskAsync(JsonSerializer.Serialize(new { setup = new[] { view }, sql = Aggregate }));
        await AskAsync(client, Aggregate);
        var (ours, theirs) = await Rounds.InterleaveAsync(
            async _ => await RepeatAsync(client, Aggregate, 5),
            async _ => await peer.AskAsync(JsonSerializer.Serialize(new { sql = Aggregate, repeat = 5 })),
            rounds: 7);
        await AskAsync(client, "SELECT 1");
        var (one, bare) = await Rounds.InterleaveAsync(
            async _ => await RepeatAsync(client, "SELECT 1", 200),
            async _ => await peer.AskAsync(JsonSerializer.Serialize(new { sql = "SELECT 1", repeat = 200 })));
        return
        [
            new Measurement("P4", "aggregate over 10 M rows", "ms", ours, theirs, "≥ 0.95× throughput", theirs / ours >= 0.95),
            new Measurement("P4", "SELECT 1", "ms", one, bare, "≤ 1 ms added", one - bare <= 1),
        ];
    }

    public static async Task<IReadOnlyList<Measurement>> RunSandboxAsync()
    {
        await using var world = World.Create();
        Manifests.AddThousandTables(world);
        await world.StartAsync();
        await world.PublishedAsync(Manifests.Tables);
        await world.GrantAllAsync(Manifests.Names);
        await using var peer = new LinePeer("node", Peers.Script("query.mjs"));
        using var client = Client(world);
        List<Measurement> measurements = [];
        var next = 0;
        foreach (var width in (int[])[1, 5, 20])
        {
            List<double> warm = [], warmPeer = [];
            await AskAsync(client, Statement(Take(ref next, width)));
            var (cold, theirs) = await Rounds.InterleaveAsync(
                async _ =>
                {
                    var sql = Statement(Take(ref next, width));
                    var first = await RepeatAsync(client, sql, 1);
                    // Less the way to the server and back, which P4 measures: what is left is finding the sandbox, and the statement itself.
                    warm.Add(await RepeatAsync(client, sql, WarmRepeats) - await RepeatAsync(client, "SELECT 1", WarmRepeats));
                    return first;
                },
                async _ =>
                {
                    var tables = Take(ref next, width);
                    var sql = Statement(tables);
                    var first = await peer.AskAsync(JsonSerializer.Serialize(new { fresh = true, setup = tables.Select(table => View(world, table)).Prepend("SET parquet_metadata_cache=true"), sql }));
                    warmPeer.Add(await RepeatAsync(peer, sql) - await RepeatAsync(peer, "SELECT 1"));
                    return first;
                });
            measurements.Add(new Measurement("P5", $"first statement over {width} of 1,000 tables", "ms", cold, theirs, "≤ 1.2× bare DuckDB", cold <= 1.2 * theirs));
            var (ours, bare) = (Rounds.Median(warm), Rounds.Median(warmPeer));
            measurements.Add(new Measurement("P5", $"the same statement again ({width} tables), SELECT 1 taken off", "ms", ours, bare, "≤ 0.2 ms added", ours - bare <= 0.2));
        }

        return measurements;
    }

    private static Task<double> RepeatAsync(LinePeer peer, string sql) => peer.AskAsync(JsonSerializer.Serialize(new { sql, repeat = WarmRepeats }));

    private static string[] Take(ref int next, int width)
    {
        var tables = Enumerable.Range(next, width).Select(table => $"table_{table % Manifests.Tables:0000}").ToArray();
        next += width;
        return tables;
    }

    private static string Statement(string[] tables) => string.Join(" UNION ALL ", tables.Select(table => $"SELECT count(*) AS n FROM {table}"));

    private static string View(World world, string table)
    {
        var source = int.Parse(table[6..]) / (Manifests.Tables / Manifests.Sources);
        return $"CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet('{Path.Combine(world.Folder, $"extracts/source_{source}/data/{table}.parquet")}')";
    }

    private static HttpClient Client(World world)
    {
        var client = new HttpClient { BaseAddress = new Uri(world.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", world.AnalystToken);
        return client;
    }

    private static async Task<double> RepeatAsync(HttpClient client, string sql, int times)
    {
        List<double> samples = [];
        for (var i = 0; i < times; i++)
        {
            var clock = Stopwatch.StartNew();
            await AskAsync(client, sql);
            samples.Add(clock.Elapsed.TotalMilliseconds);
        }

        return Rounds.Median(samples);
    }

    private static async Task AskAsync(HttpClient client, string sql)
    {
        using var response = await client.PostAsJsonAsync("/api/query", new { sql, limit = 1000 });
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"The query answered {(int)response.StatusCode}: {text}");
    }
}
