using System.Diagnostics;

namespace Agnes.Bench.Scenarios;

/// <summary>P8: start-up of the published program (native, as <c>deploy/pack</c> makes it for its own platform).</summary>
internal static class CommandLine
{
    private const int Runs = 20;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        var agnes = await PublishedAsync();
        var workspace = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
        var environment = new Dictionary<string, string> { ["AGNES_LOCAL_DIR"] = workspace, ["AGNES_NO_UPDATE_CHECK"] = "1", ["AGNES_CONFIG_DIR"] = Path.Combine(workspace, "config") };
        var (version, python) = await Rounds.InterleaveAsync(_ => TimeAsync(agnes, ["--version"], environment), _ => TimeAsync("python3", [Peers.Script("startup.py"), "--version"], environment));
        var database = Path.Combine(workspace, "user", "duckdb", "analytics.duckdb");
        Directory.CreateDirectory(Path.GetDirectoryName(database)!);
        using (var connection = new DuckDB.NET.Data.DuckDBConnection($"Data Source={database}")) connection.Open();
        var script = "import('@duckdb/node-api').then(async d => console.log((await (await (await d.DuckDBInstance.create(':memory:')).connect()).runAndReadAll('select 1')).getRows().length))";
        var (query, node) = await Rounds.InterleaveAsync(
            _ => TimeAsync(agnes, ["query", "select 1"], environment),
            _ => TimeAsync("node", ["--input-type=module", "-e", script], environment, Peers.Folder));
        var statusline = await TimeAsync(agnes, ["statusline"], environment);
        Directory.Delete(workspace, recursive: true);
        return
        [
            new Measurement("P8", "agnes --version", "ms", version, python, "≤ 0.15× python3", version <= 0.15 * python),
            new Measurement("P8", "agnes query \"select 1\"", "ms", query, node, "≤ 0.2× node-api", query <= 0.2 * node),
            new Measurement("P8", "agnes statusline", "ms", statusline, null, "≤ 20 ms", statusline <= 20),
        ];
    }

    /// <summary>Publishes the program once a run, as the release does.</summary>
    internal static async Task<string> PublishedAsync()
    {
        var output = Path.Combine(AppContext.BaseDirectory, "published-cli");
        var project = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", "src", "Agnes.Cli"));
        await Child.RunAsync("dotnet", ["publish", project, "-c", "Release", "-r", "linux-x64", "-p:PublishAot=true", "-o", output, "-v", "q"], folder: project);
        return Path.Combine(output, "agnes");
    }

    private static async Task<double> TimeAsync(string program, string[] arguments, IReadOnlyDictionary<string, string> environment, string? folder = null)
    {
        List<double> samples = [];
        for (var run = 0; run < Runs; run++)
        {
            var clock = Stopwatch.StartNew();
            await Child.RunAsync(program, arguments, environment, folder);
            samples.Add(clock.Elapsed.TotalMilliseconds);
        }

        return Rounds.Median(samples);
    }
}
