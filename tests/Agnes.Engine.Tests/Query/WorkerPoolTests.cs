using System.Diagnostics;
using System.IO.Pipelines;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Workers;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Query;

public sealed class WorkerPoolTests(Bench bench, ITestOutputHelper log) : IClassFixture<Bench>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>The statements of QUALITY.md that exceed memory or ignore an interrupt.</summary>
    public static TheoryData<string> Unruly() =>
    [
        "SELECT length(repeat('x', 2000000000))",
        "SELECT len(range(400000000))",
        "SELECT list_sort(range(300000000))[1]",
        "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))",
        "SELECT jaro_winkler_similarity(repeat('ab', 100000), repeat('ba', 100000))",
        $"SELECT {string.Concat(Enumerable.Repeat("'{}'::JSON->'a'->", 23))}'a'",
        $"SELECT {string.Concat(Enumerable.Repeat("('{}'::JSON->", 24))}'a'{new string(')', 24)}",
        string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 1", 20_000)),
        "SELECT count(*) FROM range(1000000000) a, range(1000000000) b",
        "WITH RECURSIVE a AS (SELECT 1 AS i UNION ALL SELECT i FROM a) SELECT count(*) FROM a",
        "SELECT sum(x) FROM (SELECT DISTINCT a.range * b.range AS x FROM range(30000) a, range(30000) b)",
        $"SELECT {new string('(', 5000)}1{new string(')', 5000)}",
        $"SELECT {string.Join('+', Enumerable.Repeat("1", 50_000))}",
        $"SELECT {string.Concat(Enumerable.Repeat("[", 3000))}1{new string(']', 3000)}",
        $"SELECT * FROM {string.Join(", ", Enumerable.Range(0, 400).Select(i => $"orders o{i}"))}",
        $"WITH {string.Join(", ", Enumerable.Range(1, 40).Select(i => $"c{i} AS (SELECT * FROM c{i - 1} a, c{i - 1} b)").Prepend("c0 AS (SELECT 1)"))} SELECT count(*) FROM c40",
        "SELECT regexp_matches(repeat('a', 10000000), '(a*)*b')",
        "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
        "SELECT * FROM range(100000000) ORDER BY hash(range)",
    ];

    [Theory]
    [MemberData(nameof(Unruly))]
    public async Task An_unruly_statement_is_gone_a_second_after_its_limit(string sql)
    {
        await using var pool = bench.NewPool(memoryMiB: 512, workers: 1);
        pool.Warm();
        var runner = new StatementRunner(pool);
        (await Bench.RunAsync(runner, "SELECT 1", bench.Guest)).Outcome.Status.ShouldBe(StatementStatus.Ok);
        while (pool.ProcessIds().Length < 2) await Task.Delay(20, TestContext.Current.CancellationToken); // the one for short statements, too
        using var stop = new CancellationTokenSource();
        var peak = WatchPeakAsync(pool, stop.Token);
        var neighbour = NeighbourAsync(runner, stop.Token);
        var started = Stopwatch.GetTimestamp();

        var (outcome, _) = await Bench.RunAsync(runner, sql, bench.Guest, limits: StatementLimits.Default with { Time = Limit }, caller: "heavy");

        var elapsed = Stopwatch.GetElapsedTime(started);
        await stop.CancelAsync();
        var waits = await neighbour;
        log.WriteLine($"{outcome.Status} after {elapsed.TotalMilliseconds:0} ms, peak {await peak >> 20} MiB, neighbour p50 {Percentile(waits, 0.5):0.0} p99 {Percentile(waits, 0.99):0.0} max {waits.Max():0.0} ms of {waits.Count}: {sql[..Math.Min(60, sql.Length)]} → {outcome.Message}");
        elapsed.ShouldBeLessThan(MachineLoad.Allow(Limit + TimeSpan.FromSeconds(1)));
        (await peak).ShouldBeLessThan((512L << 20) * 5 / 4 + (192L << 20)); // what fits between two looks of the watch
        (await Bench.RunAsync(runner, "SELECT count(*) FROM orders", bench.Guest)).Outcome.Status.ShouldBe(StatementStatus.Ok);
        foreach (var id in pool.ProcessIds()) Process.GetProcessById(id).HasExited.ShouldBeFalse();
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_its_statement()
    {
        using var gone = new CancellationTokenSource();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10));
        var running = bench.Runner.RunAsync(
            Bench.LeaseOf("goer"), bench.Guest, "SELECT repeat('x', 1000) FROM orders, range(1000000000)", 1_000_000_000, pipe.Writer, StatementLimits.Default, gone.Token);
        await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
        var left = Stopwatch.GetTimestamp();
        await gone.CancelAsync();
        await pipe.Reader.CompleteAsync();

        var outcome = await running;

        outcome.Status.ShouldBe(StatementStatus.ClientGone);
        outcome.Tables.ShouldBe(["orders"]);
        Stopwatch.GetElapsedTime(left).ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(2)));
        (await bench.RunAsync("SELECT 1 FROM orders LIMIT 1")).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_cut_off_at_the_limit()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10));
        var started = Stopwatch.GetTimestamp();

        var outcome = await bench.Runner.RunAsync(
            Bench.LeaseOf("sleeper"), bench.Guest, "SELECT repeat('x', 1000) FROM range(20000)", 20_000, pipe.Writer, StatementLimits.Default with { Time = TimeSpan.FromSeconds(4) }, CancellationToken.None);

        outcome.Status.ShouldBe(StatementStatus.TimedOut);
        outcome.BodyStarted.ShouldBeTrue();
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(6)));
        (await bench.RunAsync("SELECT count(*) FROM orders")).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    [Fact]
    public async Task A_worker_killed_from_outside_costs_one_statement()
    {
        await using var pool = bench.NewPool(workers: 1);
        var runner = new StatementRunner(pool);
        (await Bench.RunAsync(runner, "SELECT 1 FROM orders LIMIT 1", bench.Guest)).Outcome.Status.ShouldBe(StatementStatus.Ok);
        var running = Bench.RunAsync(runner, "SELECT count(*) FROM range(1000000000) a, range(1000000) b", bench.Guest);
        await Task.Delay(700);

        foreach (var id in pool.ProcessIds()) Process.GetProcessById(id).Kill();

        var (outcome, body) = await running;
        outcome.Status.ShouldBeOneOf(StatementStatus.EngineError, StatementStatus.OutOfMemory);
        body.ShouldBeEmpty();
        for (var i = 0; i < 20; i++) (await Bench.RunAsync(runner, "SELECT 1 FROM orders LIMIT 1", bench.Guest)).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    [Fact]
    public async Task A_caller_with_all_his_slots_taken_is_refused_and_others_are_not()
    {
        const string slow = "SELECT count(*) FROM range(1000000000) a, range(1000000) b";
        var limits = StatementLimits.Default with { PerCaller = 2, Time = TimeSpan.FromSeconds(1), Wait = TimeSpan.FromSeconds(10) };
        var taken = Enumerable.Range(0, 2).Select(_ => bench.RunAsync(slow, limits: limits, caller: "greedy")).ToList();

        (await bench.RunAsync("SELECT 1", limits: limits, caller: "greedy")).Outcome.Status.ShouldBe(StatementStatus.Busy);
        (await bench.RunAsync("SELECT 1", caller: "modest")).Outcome.Status.ShouldBe(StatementStatus.Ok);

        foreach (var run in taken) (await run).Outcome.Status.ShouldBe(StatementStatus.TimedOut);
        (await bench.RunAsync("SELECT 1", limits: limits, caller: "greedy")).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    [Fact]
    public async Task Who_waits_too_long_is_told_that_all_are_busy()
    {
        await using var pool = bench.NewPool(workers: 1);
        var runner = new StatementRunner(pool);
        const string slow = "SELECT count(*) FROM range(1000000000) a, range(1000000) b";
        var first = Bench.RunAsync(runner, slow, bench.Guest, limits: StatementLimits.Default with { Time = TimeSpan.FromSeconds(3) }, caller: "a");
        await Task.Delay(800);

        var (second, _) = await Bench.RunAsync(runner, slow, bench.Guest, limits: StatementLimits.Default with { Wait = TimeSpan.FromMilliseconds(200) }, caller: "b");

        second.Status.ShouldBe(StatementStatus.Busy);
        (await first).Outcome.Status.ShouldBe(StatementStatus.TimedOut);
    }

    [Fact]
    [Long]
    public async Task A_large_sort_spills_to_its_own_folder_and_leaves_nothing()
    {
        await using var pool = bench.NewPool(memoryMiB: 160, workers: 1);
        var runner = new StatementRunner(pool);

        var (outcome, _) = await Bench.RunAsync(runner, "SELECT * FROM range(20000000) ORDER BY hash(range) LIMIT 1 OFFSET 19999990", bench.Guest);

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        await pool.DisposeAsync();
        Directory.EnumerateFileSystemEntries(Path.Combine(bench.Folder, "scratch")).Where(entry => Directory.EnumerateFiles(entry, "*", SearchOption.AllDirectories).Any()).ShouldAllBe(entry => !entry.Contains("spill"));
    }

    [Fact]
    public async Task The_share_of_short_statements_comes_out_of_the_budget()
    {
        var options = WorkerPoolOptions.From(Budget.FromTotal(1L << 30, 2), WorkerProgram.Default, new Scratch(Path.Combine(bench.Folder, "budget")), bench.Parts, 2);

        options.Workers.ShouldBe(2);
        (options.Workers * options.MemoryBytes + options.ShortMemoryBytes).ShouldBeLessThanOrEqualTo(512L << 20);
        await Task.CompletedTask;
    }

    private async Task<List<double>> NeighbourAsync(StatementRunner runner, CancellationToken stop)
    {
        var waits = new List<double>();
        do
        {
            var started = Stopwatch.GetTimestamp();
            var (outcome, _) = await Bench.RunAsync(runner, "SELECT 1", bench.Guest, caller: "neighbour");
            waits.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
            await Task.Delay(5, CancellationToken.None);
        }
        while (!stop.IsCancellationRequested);
        return waits;
    }

    /// <summary>The largest worker seen.</summary>
    private static async Task<long> WatchPeakAsync(WorkerPool pool, CancellationToken stop)
    {
        var peak = 0L;
        while (!stop.IsCancellationRequested)
        {
            foreach (var id in pool.ProcessIds())
            {
                try
                {
                    using var process = Process.GetProcessById(id);
                    peak = Math.Max(peak, process.WorkingSet64);
                }
                catch (Exception e) when (e is ArgumentException or InvalidOperationException)
                {
                    // It has just been ended.
                }
            }
            await Task.Delay(10, CancellationToken.None);
        }
        return peak;
    }

    private static double Percentile(List<double> values, double share) => values.Order().ElementAt((int)(values.Count * share));
}
