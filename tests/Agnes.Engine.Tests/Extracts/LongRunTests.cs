using System.Diagnostics;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Tests.Publishing;
using Agnes.Engine.Workers;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Extracts;

/// <summary>Runs that take long: they go on while they get on, and what they must not begin twice is stored before.</summary>
public sealed class LongRunTests : IDisposable
{
    private readonly Installation _installation = new();
    private readonly Dictionary<string, string> _saved = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _installation.Dispose();

    [Fact]
    public async Task A_killed_worker_is_given_its_checkpoint_at_the_next_run()
    {
        (await Should.ThrowAsync<WorkerFailedException>(() => RunAsync("job"))).Message.ShouldContain("ended with code");
        _saved.ShouldBe(new Dictionary<string, string> { ["orders"] = "job-1" });
        (await RunAsync("job")).Ok.ShouldHaveSingleItem();
        _installation.Rows((await _installation.PrepareAsync()).Tables.Single()).ShouldBe("job-1");
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_stored_ends_the_run_before_anything_is_begun()
    {
        var request = new ExtractRequest("r", "shop", "scripted", [new TableConfig("orders", "orders", null, "job")]);
        var run = _installation.Runner.RunAsync(request, new Progress<ExtractEvent>(), Stop, save: (_, _) => throw new InvalidOperationException("no disk"));
        (await Should.ThrowAsync<InvalidOperationException>(() => run)).Message.ShouldBe("no disk");
    }

    [Fact]
    [Long]
    public async Task A_run_that_makes_no_progress_is_ended_and_one_that_is_slow_is_not()
    {
        var limits = new ExtractLimits(TimeSpan.FromSeconds(1.5), TimeSpan.FromMinutes(1));
        (await RunAsync("talk", limits)).Ok.ShouldHaveSingleItem();
        (await Should.ThrowAsync<WorkerFailedException>(() => RunAsync("hang", limits))).Message.ShouldBe("The run made no progress for 1.5 seconds and was ended.");
    }

    [Fact]
    public async Task No_run_takes_longer_than_all_its_time()
    {
        var watch = Stopwatch.StartNew();
        var run = RunAsync("talk", new ExtractLimits(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1)));
        (await Should.ThrowAsync<WorkerFailedException>(() => run)).Message.ShouldContain("longer than 1 seconds");
        watch.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(3)));
    }

    [Fact]
    [Long]
    public async Task The_cursor_of_a_table_is_found_again_and_untouched_parts_stay()
    {
        for (var run = 0; run < 4; run++) await RunAsync("count");
        var table = (await _installation.PrepareAsync()).Tables.Single();
        _installation.Rows(table, "id, name").ShouldBe("1|run 1 2|run 2 3|run 3 4|run 4");
        var before = table.Parts.ToDictionary(part => part.Name, part => part.Sha256);
        await RunAsync("count");
        var after = (await _installation.PrepareAsync()).Tables.Single().Parts;
        after.Select(part => part.Name).ShouldBe(["0.parquet", "1.parquet", "2.parquet"]);
        after.Where(part => before.GetValueOrDefault(part.Name) == part.Sha256).Select(part => part.Name).ShouldBe(["0.parquet", "1.parquet"]);

        // Another table's run carries it over, cursor and all.
        await _installation.RunAsync(new TableConfig("other", "other", null, "SELECT 1 AS x"));
        await RunAsync("count");
        _installation.Rows((await _installation.PrepareAsync()).Tables.Single(one => one.Name == "orders"), "max(id)").ShouldBe("6");
    }

    [Fact]
    public async Task A_child_knows_the_authorities_that_the_operator_trusts()
    {
        Environment.SetEnvironmentVariable("SSL_CERT_FILE", "/srv/authorities.pem");
        try
        {
            await using var child = ChildProcess.Start(new WorkerProgram("/usr/bin/env", []) { Walls = WallMode.Off }, "printenv", _installation.Scratch.Root, Reach.Nothing, null, "SSL_CERT_FILE");
            using var reader = new StreamReader(child.Output);
            (await reader.ReadToEndAsync(Stop)).Trim().ShouldBe("/srv/authorities.pem");
        }
        finally
        {
            Environment.SetEnvironmentVariable("SSL_CERT_FILE", null);
        }
    }

    private Task<ExtractOutcome> RunAsync(string script, ExtractLimits? limits = null)
    {
        var request = new ExtractRequest($"run-{Guid.NewGuid():N}", "shop", "scripted", [new TableConfig("orders", "orders", null, script)]) { Checkpoints = _saved };
        return _installation.Runner.RunAsync(request, new Progress<ExtractEvent>(), Stop, limits: limits, save: SaveAsync);
    }

    private Task SaveAsync(ExtractCheckpoint checkpoint, CancellationToken cancellation)
    {
        _saved[checkpoint.Table] = checkpoint.Value;
        return Task.CompletedTask;
    }
}
