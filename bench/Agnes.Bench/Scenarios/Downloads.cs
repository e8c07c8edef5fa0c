namespace Agnes.Bench.Scenarios;

/// <summary>P1: authenticated download of a table against nginx sending the same file without a question.</summary>
internal static class Downloads
{
    private const int Connections = 8;
    private const int Seconds = 4;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var world = World.Create();
        world.AddSource("files", [("one", Sized(1)), ("hundred", Sized(100))]);
        await world.StartAsync();
        await world.PublishedAsync(2);
        await world.GrantAllAsync(["one", "hundred"]);
        var (nginx, peer) = await Peers.StartNginxAsync(Path.Combine(world.Folder, "extracts", "files", "data"));
        await using (nginx)
        {
            return
            [
                await MeasureAsync(world, peer, "hundred", "download of 100 MB, 8 connections", 1.05),
                await MeasureAsync(world, peer, "one", "download of 1 MB, 8 connections", 0.75),
            ];
        }
    }

    /// <summary>Text that does not compress, so that the file has about the size asked for.</summary>
    internal static string Sized(int megabytes, int seed = 0) =>
        $"SELECT range AS id, md5(({seed} + range)::VARCHAR) || md5((range * 7 + {seed})::VARCHAR) AS text FROM range({megabytes * 26_000L})";

    private static async Task<Measurement> MeasureAsync(World world, string peer, string table, string path, double goal)
    {
        var token = $"Authorization: Bearer {world.AnalystToken}";
        var (ours, theirs) = await Rounds.InterleaveAsync(
            async _ => (await Wrk.RunAsync($"{world.Url}/api/data/{table}/download", Connections, Seconds, token)).BytesPerSecond / 1e6,
            async _ => (await Wrk.RunAsync($"{peer}/{table}.parquet", Connections, Seconds)).BytesPerSecond / 1e6);
        return new Measurement("P1", path, "MB/s", ours, theirs, $"≥ {goal:0.00}× nginx", ours >= goal * theirs);
    }
}
