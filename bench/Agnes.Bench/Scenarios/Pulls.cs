using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Agnes.Bench.Scenarios;

/// <summary>P9: pulling much, pulling nothing, pulling the little that changed.</summary>
internal static class Pulls
{
    private const int Parts = 100;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        var agnes = await CommandLine.PublishedAsync();
        return [.. await MuchAsync(agnes), .. await NothingAsync(agnes), .. await LittleAsync(agnes)];
    }

    private static async Task<IReadOnlyList<Measurement>> MuchAsync(string agnes)
    {
        await using var world = World.Create();
        string[] tables = [.. Enumerable.Range(0, 8).Select(table => $"big_{table}")];
        world.AddSource("files", tables.Select((table, index) => (table, Downloads.Sized(100, index * 10_000_000))));
        await world.StartAsync();
        await world.PublishedAsync(tables.Length);
        await world.GrantAllAsync(tables);
        var manifest = (await world.GetAsync("/api/sync/manifest"))["tables"]!.AsObject();
        var sums = string.Concat(tables.Select(table => $"{manifest[table]!["sha256"]}  {table}.parquet\n"));
        double resident = 0;
        var (ours, theirs) = await Rounds.InterleaveAsync(
            async _ =>
            {
                var workspace = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
                var clock = Stopwatch.StartNew();
                var text = await Child.RunAsync("/usr/bin/env", ["bash", "-c", "\"$@\" >&2; echo rss $(grep -s VmHWM /proc/$$/status | tr -dc 0-9)", "bash", agnes, "pull", "--quiet"], Environment(world, workspace));
                var elapsed = clock.Elapsed.TotalMilliseconds;
                Directory.Delete(workspace, recursive: true);
                return elapsed;
            },
            async _ =>
            {
                var folder = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
                await File.WriteAllTextAsync(Path.Combine(folder, "sums"), sums);
                string[] urls = [.. tables.SelectMany(table => (string[])["-o", $"{table}.parquet", $"{world.Url}/api/data/{table}/download"])];
                var clock = Stopwatch.StartNew();
                await Child.RunAsync("curl", ["-sSf", "--parallel", "-H", $"Authorization: Bearer {world.AnalystToken}", .. urls], folder: folder);
                await Child.RunAsync("sha256sum", ["-c", "--quiet", "sums"], folder: folder);
                var elapsed = clock.Elapsed.TotalMilliseconds;
                Directory.Delete(folder, recursive: true);
                return elapsed;
            });
        resident = await PeakMegabytesAsync(agnes, world);
        return
        [
            new Measurement("P9", "pull of 8 × 100 MB", "ms", ours, theirs, "≤ 0.5× curl + sha256sum", ours <= 0.5 * theirs),
            new Measurement("P9", "its peak memory", "MB", resident, null, "≤ 150 MB", resident <= 150),
        ];
    }

    private static async Task<double> PeakMegabytesAsync(string agnes, World world)
    {
        var workspace = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
        const string script = "import resource,subprocess,sys\nsubprocess.run(sys.argv[1:],check=True,stdout=sys.stderr)\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
        var text = await Child.RunAsync("python3", ["-c", script, agnes, "pull", "--quiet"], Environment(world, workspace));
        Directory.Delete(workspace, recursive: true);
        return double.Parse(text.Trim()) / 1024;
    }

    private static async Task<IReadOnlyList<Measurement>> NothingAsync(string agnes)
    {
        await using var world = World.Create();
        Manifests.AddThousandTables(world);
        await world.StartAsync();
        await world.PublishedAsync(Manifests.Tables);
        await world.GrantAllAsync(Manifests.Names);
        var workspace = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
        await Child.RunAsync(agnes, ["pull", "--quiet"], Environment(world, workspace));
        List<double> samples = [];
        for (var round = 0; round < 10; round++)
        {
            var clock = Stopwatch.StartNew();
            await Child.RunAsync(agnes, ["pull", "--quiet"], Environment(world, workspace));
            samples.Add(clock.Elapsed.TotalMilliseconds);
        }

        Directory.Delete(workspace, recursive: true);
        var median = Rounds.Median(samples);
        return [new Measurement("P9", "pull of 1,000 unchanged tables", "ms", median, null, "≤ 150 ms", median <= 150)];
    }

    private static async Task<IReadOnlyList<Measurement>> LittleAsync(string agnes)
    {
        await using var world = World.Create();
        var folder = Directory.CreateDirectory(Path.Combine(world.Folder, "csv", "hundred")).FullName;
        for (var part = 0; part < Parts; part++) await WritePartAsync(folder, part, 0);
        await world.StartAsync();
        await world.PostAsync("/api/admin/register-table", new { name = "hundred", source_type = "csv", bucket = "hundred", source_table = "*.csv" });
        await Extraction.SyncAsync(world, "hundred");
        await world.GrantAllAsync(["hundred"]);
        var workspace = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
        var first = await BytesAsync(agnes, world, workspace);
        await WritePartAsync(folder, 42, 1);
        await Extraction.SyncAsync(world, "hundred");
        var second = await BytesAsync(agnes, world, workspace);
        Directory.Delete(workspace, recursive: true);
        var share = 100.0 * second / first;
        return [new Measurement("P9", "bytes moved after 1 % of a 100-part table changed", "%", share, null, "≤ 3 %", share <= 3)];
    }

    private static Task WritePartAsync(string folder, int part, int edition) =>
        File.WriteAllLinesAsync(Path.Combine(folder, $"part-{part:000}.csv"), (string[])["id,text", .. Enumerable.Range(0, 5000).Select(row => $"{part * 5000 + row},{edition}-{row * 7919 % 104729}-{part}")]);

    /// <summary>Bytes that a pull of the analyst's moved, or the admin's where there is none.</summary>
    internal static async Task<double> BytesAsync(string agnes, World world, string workspace)
    {
        var answer = JsonNode.Parse(await Child.RunAsync(agnes, ["pull", "--json"], Environment(world, workspace)))!;
        return (double)answer["bytes_downloaded"]!;
    }

    private static Dictionary<string, string> Environment(World world, string workspace) => new()
    {
        ["AGNES_SERVER"] = world.Url,
        ["AGNES_TOKEN"] = world.AnalystToken.Length > 0 ? world.AnalystToken : world.AdminToken,
        ["AGNES_LOCAL_DIR"] = workspace,
        ["AGNES_CONFIG_DIR"] = Path.Combine(workspace, ".config"),
        ["AGNES_NO_UPDATE_CHECK"] = "1",
    };
}
