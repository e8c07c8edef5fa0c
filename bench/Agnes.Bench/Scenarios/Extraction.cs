using System.Diagnostics;
using System.Text.Json;
using DuckDB.NET.Data;

namespace Agnes.Bench.Scenarios;

/// <summary>P3: a CSV of 500 MB becomes a published table; the peer is the engine's own COPY, without hashing or publishing.</summary>
internal static class Extraction
{
    private const long CsvBytes = 500L * 1000 * 1000;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var world = World.Create();
        var folder = Directory.CreateDirectory(Path.Combine(world.Folder, "csv")).FullName;
        var csv = Path.Combine(folder, "events.csv");
        using (var connection = new DuckDBConnection("Data Source=:memory:"))
        {
            connection.Open();
            connection.ExecuteUnprepared($"COPY (SELECT range AS id, 'user-' || (range % 50000) AS name, (range * 7919 % 1000003) / 100.0 AS amount, TIMESTAMP '2026-01-01' + INTERVAL 1 SECOND * range AS happened_at, range % 3 = 0 AS flag FROM range(9_300_000)) TO '{csv}' (HEADER)");
        }

        var megabytes = new FileInfo(csv).Length / 1e6;
        await world.StartAsync();
        await world.PostAsync("/api/admin/register-table", new { name = "events", source_type = "csv", source_table = "events.csv" });
        await using var peer = new LinePeer("node", Peers.Script("copy.mjs"));
        var (ours, theirs) = await Rounds.InterleaveAsync(
            async _ =>
            {
                File.SetLastWriteTimeUtc(csv, File.GetLastWriteTimeUtc(csv).AddSeconds(1));
                return await SyncAsync(world, "events");
            },
            async _ => await peer.AskAsync(JsonSerializer.Serialize(new { from = csv, to = Path.Combine(world.Folder, "peer.parquet"), threads = 2, memory = "2GB" })));
        return [new Measurement("P3", $"CSV of {megabytes:0} MB → published", "ms", ours, theirs, "≤ 1.10× bare COPY", ours <= 1.10 * theirs)];
    }

    /// <summary>Triggers a sync of one table and waits for its end.</summary>
    /// <returns>Milliseconds from the request to the published version.</returns>
    internal static async Task<double> SyncAsync(World world, params string[] tables) => (await RunAsync(world, tables)).Milliseconds;

    internal static async Task<(string Run, double Milliseconds)> RunAsync(World world, params string[] tables)
    {
        var clock = Stopwatch.StartNew();
        var run = (string)(await world.PostAsync("/api/sync/trigger", tables))["run_id"]!;
        while (true)
        {
            var detail = await world.GetAsync($"/api/sync/runs/{run}");
            var status = (string)detail["status"]!;
            if (status is "succeeded" or "ok" or "done") return (run, clock.Elapsed.TotalMilliseconds);
            if (status is not ("queued" or "running")) throw new InvalidOperationException($"The sync ended as {status}: {detail.ToJsonString()}");
            await Task.Delay(5);
        }
    }
}
