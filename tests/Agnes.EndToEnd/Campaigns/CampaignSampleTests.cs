using System.Diagnostics;

namespace Agnes.EndToEnd.Campaigns;

/// <summary>A few rounds of three campaigns, with a fixed seed: of the server, the laptop and the files. All of them, and the hundreds, are run by hand (see CONTRIBUTING).</summary>
public sealed class CampaignSampleTests
{
    private const int MinutesMax = 3;

    [Theory]
    [InlineData("server-kills", 1)]
    [InlineData("pull-kills", 1)]
    [InlineData("jira-events-short", 1)]
    [InlineData("csv-dialects", 10)]
    public async Task A_few_rounds_of_trouble_leave_nothing_lost_or_mixed(string campaign, int rounds)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", "Agnes.Campaigns", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Agnes.Campaigns");
        var info = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[campaign, "--count", $"{rounds}", "--seed", "1"]) info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(MinutesMax));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = await process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            process.ExitCode.ShouldBe(0, await output + errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
