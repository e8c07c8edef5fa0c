using Agnes.Bench;
using Agnes.Bench.Scenarios;

// dotnet run -c Release --project bench/Agnes.Bench -- [P1 P2 …]: measures the named paths (all of them by default) and prints a table.
// Needs wrk, nginx, curl, python3, node and PostgreSQL; the node peer's package is installed on first use.
(string Id, Func<Task<IReadOnlyList<Measurement>>> Run)[] scenarios =
[
    ("P1", Downloads.RunAsync),
    ("P2", Manifests.RunAsync),
    ("P3", Extraction.RunAsync),
    ("P4", Queries.RunHotAsync),
    ("P5", Queries.RunSandboxAsync),
    ("P6", Publishing.RunAsync),
    ("P7", Decisions.RunAsync),
    ("P8", CommandLine.RunAsync),
    ("P9", Pulls.RunAsync),
    ("P10", Deliveries.RunAsync),
    ("P12", StartUp.RunAsync),
    ("P13", Databases.RunAsync),
    ("P13k", KeboolaProject.RunAsync),
];

var wanted = args.Where(argument => argument.StartsWith('P')).ToHashSet(StringComparer.OrdinalIgnoreCase);
await Peers.InstallAsync();
List<Measurement> measurements = [];
var failed = 0;
foreach (var (id, run) in scenarios.Where(scenario => wanted.Count == 0 || wanted.Contains(scenario.Id)))
{
    Console.Error.WriteLine($"{id} …");
    try
    {
        measurements.AddRange(await run());
    }
    catch (Exception failure) when (failure is InvalidOperationException or HttpRequestException or IOException)
    {
        failed++;
        Console.Error.WriteLine($"{id} could not be measured: {failure.Message}");
    }
}

Console.WriteLine("| # | path | ours | peer | ratio | goal | met |");
Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
foreach (var m in measurements)
{
    Console.WriteLine($"| {m.Id} | {m.Path} | {m.Ours:0.###} {m.Unit} | {(m.Peer is { } peer ? $"{peer:0.###} {m.Unit}" : "–")} | {(m.Ratio is { } ratio ? $"{ratio:0.00}×" : "–")} | {m.Goal} | {(m.Met ? "yes" : "no")} |");
}

return failed == 0 ? 0 : 1;
