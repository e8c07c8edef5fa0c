using System.IO.Pipelines;
using System.Text;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Workers;
using Agnes.Engine.Tests.Query;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Walls;

/// <summary>However much one caller asks for, and however slowly it reads, the workers are there for the others too.</summary>
public sealed class SharedWorkersTests(Bench bench) : IClassFixture<Bench>
{
    private const string Heavy = "SELECT count(*) FROM range(1000000000) a, range(1000000) b";
    private const string Large = "SELECT i, repeat('x', 1000) AS x FROM range(20000) t(i)"; // 20 MB
    private const int LargeRows = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_caller_with_eight_heavy_statements_leaves_a_worker_to_a_neighbour()
    {
        await using var pool = bench.NewPool();
        var runner = new StatementRunner(pool);
        using var end = new CancellationTokenSource();
        var heavy = Enumerable.Range(0, 8).Select(_ => runner.RunAsync(
            Bench.LeaseOf("heavy"), bench.Guest, Heavy, 1, PipeWriter.Create(Stream.Null), StatementLimits.Default, end.Token)).ToList();
        await EventuallyAsync(() => pool.ProcessIds().Length == 3, "all workers run");

        (await SampleAsync(runner, bench)).ShouldBe(StatementStatus.Ok);
        (await Bench.RunAsync(runner, "SELECT 1", bench.Guest, caller: "neighbour")).Outcome.Status.ShouldBe(StatementStatus.Ok);
        (await Bench.RunAsync(runner, "SELECT count(*) FROM orders a, orders b", bench.Guest, caller: "neighbour")).Outcome.Status.ShouldBe(StatementStatus.Ok);

        heavy.Count(run => run.IsCompleted).ShouldBe(8 - StatementLimits.PerCallerDefault, "only those that were refused have ended");
        await end.CancelAsync();
        await Task.WhenAll(heavy);
    }

    [Fact]
    public async Task Callers_are_served_in_turn_however_many_statements_each_has_waiting()
    {
        await using var pool = bench.NewPool(workers: 1);
        var first = (await pool.RentAsync("greedy", isShort: false, "", Patience, Stop))!;
        var order = new List<string>();
        async Task WaitAsync(string caller)
        {
            var worker = (await pool.RentAsync(caller, isShort: false, "", Patience, Stop))!;
            order.Add(caller); // one at a time: there is one worker
            pool.Return(worker);
        }
        Task[] waiting = [WaitAsync("greedy"), WaitAsync("greedy"), WaitAsync("greedy"), WaitAsync("greedy"), WaitAsync("modest"), WaitAsync("late")];

        pool.Return(first);

        await Task.WhenAll(waiting).WaitAsync(Patience, Stop);
        order.ShouldBe(["greedy", "modest", "late", "greedy", "greedy", "greedy"]);
    }

    [Fact]
    public async Task Nobody_fills_the_queue_alone_nor_holds_every_worker()
    {
        await using var pool = bench.NewPool(workers: 3);
        pool.HeldMax.ShouldBe(2);
        var held = new List<QueryWorker> { (await pool.RentAsync("greedy", isShort: false, "", Patience, Stop))!, (await pool.RentAsync("greedy", isShort: false, "", Patience, Stop))! };
        var waiting = Enumerable.Range(0, WorkerPool.WaitingPerCallerMax).Select(_ => pool.RentAsync("greedy", isShort: false, "", Patience, Stop)).ToList();

        (await pool.RentAsync("greedy", isShort: false, "", Patience, Stop)).ShouldBeNull("it has as many waiting as anybody may");
        var other = (await pool.RentAsync("modest", isShort: false, "", Patience, Stop)).ShouldNotBeNull();
        pool.Return(other);
        waiting.ShouldAllBe(one => !one.IsCompleted); // a worker is idle, and it is not theirs

        foreach (var worker in held) pool.Return(worker);
        foreach (var one in waiting) pool.Return((await one)!);
    }

    [Fact]
    [Long]
    public async Task Five_results_that_nobody_reads_hold_no_worker()
    {
        await using var pool = bench.NewPool();
        var runner = new StatementRunner(pool);
        using var end = new CancellationTokenSource();
        var pipes = Enumerable.Range(0, 5).Select(_ => new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10))).ToList();
        var unread = pipes.Select(pipe => runner.RunAsync(Bench.LeaseOf("sleeper"), bench.Guest, Large, LargeRows, pipe.Writer, StatementLimits.Default, end.Token)).ToList();
        await EventuallyAsync(() => pool.Space.Taken >= 5 * LargeRows * 1000L, "all five results are aside");

        (await SampleAsync(runner, bench)).ShouldBe(StatementStatus.Ok);
        (await Bench.RunAsync(runner, "SELECT 1", bench.Guest, caller: "neighbour")).Outcome.Status.ShouldBe(StatementStatus.Ok);
        unread.ShouldAllBe(run => !run.IsCompleted);

        // One of them is read at last: it is whole.
        var body = await ReadAsync(pipes[0]);
        var outcome = await unread[0];
        (outcome.Status, outcome.Rows, outcome.Bytes).ShouldBe((StatementStatus.Ok, LargeRows, body.Length));
        body.ShouldBe((await Bench.RunAsync(runner, Large, bench.Guest, LargeRows, caller: "fast")).Body);
        await end.CancelAsync();
        foreach (var run in unread.Skip(1)) (await run).Status.ShouldBe(StatementStatus.ClientGone);
        pool.Space.Taken.ShouldBe(0);
        Directory.EnumerateFiles(Path.Combine(bench.Folder, "scratch"), "result-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task Unread_results_have_so_much_room_and_then_their_own_reader_is_refused()
    {
        await using var pool = new WorkerPool(bench.Pool.Options with { SpoolBytes = 24L << 20 }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<WorkerPool>.Instance);
        var runner = new StatementRunner(pool);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10));

        var outcome = await runner.RunAsync(Bench.LeaseOf("sleeper"), bench.Guest, Large, LargeRows, pipe.Writer, StatementLimits.Default, Stop);

        (outcome.Status, outcome.BodyStarted).ShouldBe((StatementStatus.TooLarge, true), outcome.Message);
        outcome.Message!.ShouldContain("12 MiB");
        pool.Space.Taken.ShouldBe(0);
        (await Bench.RunAsync(runner, Large, bench.Guest, LargeRows, caller: "fast")).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    private static async Task<StatementStatus> SampleAsync(StatementRunner runner, Bench bench)
    {
        var limits = StatementLimits.Default with { Wait = Patience };
        return (await runner.SampleAsync(Bench.LeaseOf("neighbour"), bench.Orders, 5, PipeWriter.Create(Stream.Null), limits, Stop)).Status;
    }

    private static async Task<string> ReadAsync(Pipe pipe)
    {
        var text = new StringBuilder();
        while (text.Length == 0 || text[^1] != '}') // the writer is not completed by the runner
        {
            var read = await pipe.Reader.ReadAsync(Stop);
            text.Append(Encoding.UTF8.GetString(read.Buffer));
            pipe.Reader.AdvanceTo(read.Buffer.End);
        }
        return text.ToString();
    }

    private static async Task EventuallyAsync(Func<bool> holds, string what)
    {
        for (var i = 0; i < 1200; i++)
        {
            if (holds()) return;
            await Task.Delay(25, Stop);
        }
        throw new TimeoutException($"It never came to be that {what}.");
    }
}
