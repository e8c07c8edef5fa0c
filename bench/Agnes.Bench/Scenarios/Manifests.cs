namespace Agnes.Bench.Scenarios;

/// <summary>P2: manifest and catalog of a thousand tables for an analyst who was granted them, against node sending the same bytes.</summary>
internal static class Manifests
{
    public const int Tables = 1000;
    public const int Sources = 10;
    private const int Connections = 32;
    private const int Seconds = 3;

    public static void AddThousandTables(World world)
    {
        for (var source = 0; source < Sources; source++)
        {
            var first = source * (Tables / Sources);
            world.AddSource($"source_{source}", Enumerable.Range(first, Tables / Sources).Select(table => ($"table_{table:0000}", $"SELECT range AS id, 'row ' || range AS text, {table} AS origin FROM range(100)")));
        }
    }

    public static IEnumerable<string> Names => Enumerable.Range(0, Tables).Select(table => $"table_{table:0000}");

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var world = World.Create();
        AddThousandTables(world);
        await world.StartAsync();
        await world.PublishedAsync(Tables);
        await world.GrantAllAsync(Names);
        return [.. await MeasureAsync(world, "/api/sync/manifest", "manifest"), .. await MeasureAsync(world, "/api/v2/catalog", "catalog")];
    }

    private static async Task<IReadOnlyList<Measurement>> MeasureAsync(World world, string path, string name)
    {
        var token = $"Authorization: Bearer {world.AnalystToken}";
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {world.AnalystToken}");
        using var first = await client.GetAsync(world.Url + path);
        var body = Path.Combine(world.Folder, $"{name}.json");
        await File.WriteAllBytesAsync(body, await first.Content.ReadAsByteArrayAsync());
        List<Measurement> measurements = [];
        if (first.Headers.ETag is { } etag)
        {
            List<Wrk> runs = [];
            for (var round = 0; round < Rounds.RoundsMin; round++) runs.Add(await Wrk.RunAsync(world.Url + path, Connections, Seconds, token, $"If-None-Match: {etag}"));
            var rate = Rounds.Median(runs.Select(run => run.RequestsPerSecond));
            var p99 = Rounds.Median(runs.Select(run => run.P99Milliseconds));
            measurements.Add(new Measurement("P2", $"{name} of 1,000 tables, 304", "/s", rate, null, "≥ 20,000/s", rate >= 20_000));
            measurements.Add(new Measurement("P2", $"{name} of 1,000 tables, 304, p99", "ms", p99, null, "≤ 5 ms", p99 <= 5));
        }

        var (node, line) = await Child.StartAsync("node", [Peers.Script("http.mjs"), body], text => text.StartsWith("listening", StringComparison.Ordinal));
        await using (node)
        {
            var peer = $"http://127.0.0.1:{line.Split(' ')[1]}/";
            var (ours, theirs) = await Rounds.InterleaveAsync(
                async _ => (await Wrk.RunAsync(world.Url + path, Connections, Seconds, token)).RequestsPerSecond,
                async _ => (await Wrk.RunAsync(peer, Connections, Seconds)).RequestsPerSecond);
            measurements.Add(new Measurement("P2", $"{name} of 1,000 tables, full body", "/s", ours, theirs, "≥ 1× node", ours >= theirs));
        }

        return measurements;
    }
}
