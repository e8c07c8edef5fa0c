using System.Diagnostics;
using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Maintenance;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

/// <summary>A few kills of a writing process; the campaigns do it by the hundred.</summary>
public sealed class KillTests(Postgres postgres)
{
    private const int Kills = 6;

    [Theory, OnBothEngines]
    public async Task Every_acknowledged_write_survives_kills_at_any_instant(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        var options = place.Options with { CheckSnapshot = false };
        var acknowledged = new HashSet<string>(StringComparer.Ordinal);
        for (var kill = 0; kill < Kills; kill++)
        {
            acknowledged.UnionWith(await WriteAndKillAsync(options, TimeSpan.FromMilliseconds(30 + 90 * kill), fromFirst: kill % 2 == 1));
            if (kill % 2 == 0) continue; // every other time the next writer is the first to open it
            (await Verify.RunAsync(options, hashes: false)).Problems.ShouldBeEmpty();
        }
        var started = Stopwatch.StartNew();
        await using var state = await StateDb.OpenAsync(options);
        started.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(20)));
        var stored = state.Snapshot.UsersById.Values.Select(user => user.Email).ToHashSet(StringComparer.Ordinal);
        acknowledged.Count.ShouldBeGreaterThan(0);
        acknowledged.Except(stored).ShouldBeEmpty("acknowledged and gone");
        state.Snapshot.UsersById.Values.ShouldAllBe(user => user.UpdatedAt != null, "a write is whole");
        (await state.ReadAsync<long>("SELECT count(*) FROM audit_log")).ShouldBe([stored.Count]);
        await state.WriteAsync(write => write.AddUserAsync("after@example.com"));
    }

    /// <param name="fromFirst">The time is counted from the first write that was acknowledged, else from the start, which a busy machine may not get beyond.</param>
    private static async Task<List<string>> WriteAndKillAsync(StateOptions options, TimeSpan after, bool fromFirst)
    {
        string[] arguments = ["write", options.DataDir, "4", .. options.ConnectionString is null ? [] : (string[])[options.ConnectionString]];
        var info = new ProcessStartInfo(Program) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        var lines = new List<string>();
        var killing = Task.CompletedTask;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var isWrite = line.StartsWith("ack ", StringComparison.Ordinal);
            if (isWrite) lines.Add(line[4..]);
            if (fromFirst ? isWrite && lines.Count == 1 : line == "open") killing = KillAsync(process, after);
        }
        await killing;
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(128 + 9, "it was killed, it did not fail");
        return lines;
    }

    private static async Task KillAsync(Process process, TimeSpan after)
    {
        await Task.Delay(after);
        process.Kill();
    }

    private static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "..", "..", "Agnes.StateHost", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Agnes.StateHost");
}
