using System.Diagnostics;
using Agnes.Campaigns;

// Agnes.Campaigns [all | name …] [--seed N] [--count N]: trouble by the hundred against the real programs. Prints the seed and what was counted.
var names = args.TakeWhile(argument => !argument.StartsWith("--", StringComparison.Ordinal)).ToArray();
var seed = Option("--seed") ?? Environment.TickCount & 0xFFFF;
var count = Option("--count");
var chosen = Campaigns.All.Where(campaign => names.Length == 0 || names.Contains("all") || names.Contains(campaign.Name)).ToArray();
if (names.Length == 0 || chosen.Length == 0)
{
    Console.Error.WriteLine("Usage: Agnes.Campaigns all | NAME … [--seed N] [--count N]");
    foreach (var campaign in Campaigns.All) Console.Error.WriteLine($"  {campaign.Name,-22} {campaign.What} ({campaign.Count})");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) => { press.Cancel = true; stop.Cancel(); };
var failures = 0;
foreach (var campaign in chosen)
{
    var run = new CampaignRun(seed, count ?? campaign.Count, stop.Token);
    var clock = Stopwatch.StartNew();
    try
    {
        await campaign.RunAsync(run);
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        Console.Error.WriteLine("Ended early; what was counted until then:");
    }

    failures += run.Failures.Count;
    Console.WriteLine($"{campaign.Name}: seed {seed}, {run.Count} rounds in {clock.Elapsed.TotalSeconds:0} s; {string.Join(", ", run.Counts.Select(entry => $"{entry.Value} {entry.Key}"))}; {run.Failures.Count} failures");
    foreach (var failure in run.Failures) Console.WriteLine($"  {failure}");
}

return failures == 0 ? 0 : 1;

int? Option(string name) => Array.IndexOf(args, name) is var index and >= 0 && index + 1 < args.Length ? int.Parse(args[index + 1]) : null;
