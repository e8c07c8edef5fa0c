using System.Text.Json;

namespace Agnes.Bench.Scenarios;

/// <summary>P6: one table of a thousand changes; the cost must not depend on the other 999.</summary>
internal static class Publishing
{
    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var world = World.Create();
        Manifests.AddThousandTables(world);
        var folder = Directory.CreateDirectory(Path.Combine(world.Folder, "csv")).FullName;
        var csv = Path.Combine(folder, "changing.csv");
        await File.WriteAllTextAsync(csv, "id,text\n0,first\n");
        await world.StartAsync();
        await world.PublishedAsync(Manifests.Tables);
        await world.PostAsync("/api/admin/register-table", new { name = "changing", source_type = "csv", source_table = "changing.csv" });
        await Extraction.SyncAsync(world, "changing");
        await using var alone = World.Create();
        Directory.CreateDirectory(Path.Combine(alone.Folder, "csv"));
        await File.WriteAllTextAsync(Path.Combine(alone.Folder, "csv", "changing.csv"), "id,text\n0,first\n");
        await alone.StartAsync();
        await alone.PostAsync("/api/admin/register-table", new { name = "changing", source_type = "csv", source_table = "changing.csv" });
        await Extraction.SyncAsync(alone, "changing");
        await using var peer = new LinePeer("node", Peers.Script("publish.mjs"), Path.Combine(world.Folder, "peer.duckdb"));
        var file = Path.Combine(world.Folder, "extracts/source_0/data/table_0000.parquet");
        var (among, single) = await Rounds.InterleaveAsync(round => ChangedAsync(world, round), round => ChangedAsync(alone, round), rounds: 7);
        var commit = await CommitMillisecondsAsync(world);
        List<double> bare = [];
        for (var round = 0; round < Rounds.RoundsMin; round++) bare.Add(await peer.AskAsync(JsonSerializer.Serialize(new { file, table = "table_0000" })));
        return
        [
            new Measurement("P6", "sync of one changed table among 1,000, against the same alone", "ms", among, single, "independent of the other 999", among <= 1.2 * single),
            new Measurement("P6", "its publication: hash and commit", "ms", commit, Rounds.Median(bare), "≤ 1.2× node: hash + rows", commit <= 1.2 * Rounds.Median(bare)),
        ];
    }

    private static async Task<double> ChangedAsync(World world, int round)
    {
        await File.WriteAllTextAsync(Path.Combine(world.Folder, "csv", "changing.csv"), $"id,text\n{round},changed {Guid.NewGuid()}\n");
        return await Extraction.SyncAsync(world, "changing");
    }

    /// <summary>What the server itself recorded as the duration of its last publications.</summary>
    private static async Task<double> CommitMillisecondsAsync(World world)
    {
        var audit = (await world.GetAsync("/api/admin/audit?action=publish&limit=7"))["entries"]!.AsArray();
        return Rounds.Median(audit.Select(entry => (double?)entry!["duration_ms"] ?? double.NaN));
    }
}
