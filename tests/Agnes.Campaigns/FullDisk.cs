using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Agnes.Emulators.Jira;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// Deliveries of Jira to a server whose data are on a small file system of their own, which somebody else fills to the last byte for a while. Then deliveries are refused so
/// that they come again, statements are answered, and when there is room again the server goes on by itself; in the end the tables are those of the site.
/// </summary>
internal static class FullDisk
{
    private const int Mebibytes = 256;
    private const int Events = 10_000;
    private const int Refusals = 30;
    private const int PieceBytes = 1 << 20;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FullFor = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RefusedWithin = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(CampaignRun run)
    {
        for (var round = 0; round < run.Count && !run.Cancellation.IsCancellationRequested; round++)
        {
            run.Progress(round);
            // By turns: the server keeps a reserve free and sees that it is used up; it keeps none, and its writes fail.
            await ScenarioAsync(run, run.Random.Next(1, int.MaxValue), reserve: round % 2 == 0 ? "16MiB" : "0", full: run.Random.Next(100, 1500));
        }
    }

    private static async Task ScenarioAsync(CampaignRun run, int seed, string reserve, int full)
    {
        using var folder = new TemporaryFolder();
        var disk = Directory.CreateDirectory(folder["disk"]).FullName;
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Mebibytes}m", "tmpfs", disk);
        try
        {
            await OnAsync(run, folder, disk, seed, reserve, full);
        }
        finally
        {
            await RunAsync("umount", "--lazy", disk);
        }
    }

    private static async Task OnAsync(CampaignRun run, TemporaryFolder folder, string disk, int seed, string reserve, int full)
    {
        var site = new JiraSite(new SiteShape { Seed = seed, Issues = 0 }) { Texts = WebhookTexts.Documents };
        var waiting = new ConcurrentQueue<WebhookEvent>(JiraEvents.Shuffled(JiraEvents.Happened(site, seed, Events), new Random(seed)));
        run.Add("deliveries", waiting.Count);
        var port = JiraEvents.FreePort();
        var environment = JiraEvents.Environment(port);
        environment["AGNES_DISK_RESERVE"] = reserve;
        using var server = await ServerProcess.StartAsync(disk, environment, run.Cancellation);
        try
        {
            await server.SignInAsync(JiraEvents.Email, JiraEvents.Password, run.Cancellation);
            var sending = JiraEvents.SendAsync(run, waiting, JiraEvents.AddressAt(port));
            await Task.Delay(full, run.Cancellation);
            var ballast = Path.Combine(disk, "ballast");
            var refusedBefore = run.Counts.GetValueOrDefault("answered 503");
            await FillAsync(ballast);
            await WhileFullAsync(run, server, sending, ballast, refusedBefore);
            File.Delete(ballast);
            var clock = Stopwatch.StartNew();
            await sending;
            run.Add("seconds of sending the rest", (long)clock.Elapsed.TotalSeconds);
            await JiraEvents.CompareAsync(run, server, site, folder, seed);
        }
        finally
        {
            server.Kill();
        }
    }

    /// <summary>Until enough was refused, and for some seconds, statements are answered all the time.</summary>
    private static async Task WhileFullAsync(CampaignRun run, ServerProcess server, Task sending, string ballast, long refusedBefore)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < FullFor || run.Counts.GetValueOrDefault("answered 503") - refusedBefore < Refusals)
        {
            await FillAsync(ballast); // what was dropped meanwhile is no room either
            using var answer = await server.Client.PostAsJsonAsync("/api/query", new { sql = "SELECT count(*) FROM issues" }, run.Cancellation);
            run.Add($"statements on a full disk answered {(int)answer.StatusCode}");
            if (!answer.IsSuccessStatusCode) run.Fail($"a statement on a full disk was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(run.Cancellation)}");
            if (sending.IsCompleted || clock.Elapsed > RefusedWithin)
            {
                run.Fail($"only {run.Counts.GetValueOrDefault("answered 503") - refusedBefore} deliveries were refused");
                return;
            }

            await Task.Delay(Look, run.Cancellation);
        }
    }

    private static async Task FillAsync(string ballast)
    {
        await using var file = new FileStream(ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var piece = new byte[PieceBytes]; piece.Length > 0;)
        {
            try
            {
                await file.WriteAsync(piece);
                await file.FlushAsync();
            }
            catch (IOException)
            {
                piece = new byte[piece.Length / 2];
            }
        }
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}: a small file system needs root.");
    }
}
