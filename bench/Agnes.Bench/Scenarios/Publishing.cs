using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Agnes.Bench.Scenarios;

/// <summary>P6: one table of a thousand changes; the cost must not depend on the other 999.</summary>
internal static partial class Publishing
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
        List<double> commits = [];
        var (among, single) = await Rounds.InterleaveAsync(
            async round =>
            {
                var (sync, committed) = await ChangedAsync(world, round);
                commits.Add(committed);
                return sync;
            },
            async round => (await ChangedAsync(alone, round)).Sync,
            rounds: 7);
        List<double> bare = [];
        for (var round = 0; round < Rounds.RoundsMin; round++) bare.Add(await peer.AskAsync(JsonSerializer.Serialize(new { file, table = "table_0000" })));
        var commit = Rounds.Median(commits);
        return
        [
            new Measurement("P6", "sync of one changed table among 1,000, against the same alone", "ms", among, single, "independent of the other 999", among <= 1.2 * single),
            new Measurement("P6", "its commit: one transaction with versions, parts, history and audit", "ms", commit, Rounds.Median(bare), "≤ 1.2× node: hash + rows", commit <= 1.2 * Rounds.Median(bare)),
        ];
    }

    private static async Task<(double Sync, double Commit)> ChangedAsync(World world, int round)
    {
        await File.WriteAllTextAsync(Path.Combine(world.Folder, "csv", "changing.csv"), $"id,text\n{round},changed {Guid.NewGuid()}\n");
        var (run, elapsed) = await Extraction.RunAsync(world, "changing");
        var log = (await world.GetAsync($"/api/sync/runs/{run}/log")).ToJsonString();
        return (elapsed, double.Parse(Committed().Match(log).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    /// <summary>What the run itself logged of its transaction.</summary>
    [GeneratedRegex(@"published changing \(([\d.]+) ms\)")]
    private static partial Regex Committed();
}
