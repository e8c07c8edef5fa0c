using System.IO.Pipelines;
using System.Reflection;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Scans;
using Agnes.Engine.Query.Workers;
using Agnes.Engine.Tests.Query;
using Agnes.Protocol;

namespace Agnes.Engine.Tests.Walls;

/// <summary>
/// Every way to a worker is counted by who asks, and ends when what it was allowed by does. Found by looking at the runner itself: a new
/// one is tried too.
/// </summary>
public sealed class EveryStatementHasALeaseTests(Bench bench) : IClassFixture<Bench>
{
    private const string Heavy = "SELECT count(*) FROM range(2000000) a, range(2000000) b";
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(5);

    public static TheoryData<string> Entrances() => [.. Methods().Select(method => method.Name)];

    [Fact]
    public void The_runner_is_the_only_public_way_to_a_worker_and_every_method_takes_a_lease()
    {
        Methods().Count().ShouldBeGreaterThanOrEqualTo(5);
        Methods().Select(method => method.GetParameters()[0].ParameterType).ShouldAllBe(first => first == typeof(Lease));
        typeof(WorkerPool).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => !method.IsSpecialName).Select(method => method.Name)
            .ShouldBe([nameof(WorkerPool.Warm), nameof(WorkerPool.ProcessIds), nameof(WorkerPool.DisposeAsync)], ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(Entrances))]
    public async Task It_takes_a_slot(string entrance) =>
        (await RunAsync(entrance, Bench.LeaseOf("greedy"), StatementLimits.Default with { PerCaller = 0 })).ShouldBe(StatementStatus.Busy);

    [Theory]
    [MemberData(nameof(Entrances))]
    public async Task It_ends_with_its_lease_while_it_waits(string entrance)
    {
        await using var pool = bench.NewPool(workers: 1);
        var wait = TimeSpan.FromSeconds(30);
        QueryWorker?[] held = [await pool.RentAsync("other", isShort: false, "", wait, CancellationToken.None), await pool.RentAsync("other", isShort: true, "", wait, CancellationToken.None)];
        using var revoked = new CancellationTokenSource();
        var lease = new Lease("asker", revoked.Token);

        var running = RunAsync(entrance, lease, StatementLimits.Default, new StatementRunner(pool));
        await Task.Delay(50);
        running.IsCompleted.ShouldBeFalse();
        await revoked.CancelAsync();

        (await running.WaitAsync(EndMax)).ShouldBe(StatementStatus.Revoked);
        foreach (var worker in held) pool.Return(worker!);
    }

    [Fact]
    public async Task It_ends_with_its_lease_while_it_runs_or_is_read_slowly()
    {
        using var revoked = new CancellationTokenSource();
        var lease = new Lease("asker", revoked.Token);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10));
        await using var pool = bench.NewPool(workers: 3); // of which one caller has two at most for what takes long, as both may
        var runner = new StatementRunner(pool);
        var heavy = runner.RunAsync(lease, bench.Guest, $"{Heavy}, orders", 1, PipeWriter.Create(Stream.Null), StatementLimits.Default, CancellationToken.None);
        var slow = runner.RunAsync(lease, bench.Guest, "SELECT repeat('x', 1000) FROM range(20000)", 20_000, pipe.Writer, StatementLimits.Default, CancellationToken.None);
        await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken); // it is being sent
        lease.Read.Select(table => table.Name).ShouldBe(["orders"]);

        await revoked.CancelAsync();

        (await heavy.WaitAsync(EndMax)).Status.ShouldBe(StatementStatus.Revoked);
        var cut = await slow.WaitAsync(EndMax);
        (cut.Status, cut.BodyStarted).ShouldBe((StatementStatus.Revoked, true));
        pool.Space.Taken.ShouldBe(0);
    }

    /// <summary>Two entrances go to another system, where others would go to a worker.</summary>
    private ScopedTable TableOf(string entrance) => entrance is nameof(StatementRunner.DescribeAsync) or nameof(StatementRunner.EstimateAsync)
        ? bench.Orders with { Source = new RowSource.Remote(new Silent(), "orders") }
        : bench.Orders;

    private static IEnumerable<MethodInfo> Methods() => typeof(StatementRunner)
        .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(method => method.Name != nameof(StatementRunner.DisposeAsync) && !method.IsSpecialName); // what runs can be looked at without a lease

    private async Task<StatementStatus> RunAsync(string entrance, Lease lease, StatementLimits limits, StatementRunner? runner = null)
    {
        var method = Methods().Single(method => method.Name == entrance);
        object Argument(ParameterInfo parameter) => parameter.ParameterType switch
        {
            var type when type == typeof(Lease) => lease,
            var type when type == typeof(Scope) => bench.Guest,
            var type when type == typeof(ScopedTable) => TableOf(entrance),
            var type when type == typeof(ScanStatement) => new ScanStatement(TableOf(entrance), [], null, [], 10),
            var type when type == typeof(SourceQuery) => new SourceQuery("SELECT id FROM orders", new Silent(), (_, table) => table),
            var type when type == typeof(HybridStatement) => new HybridStatement("SELECT id FROM orders", []),
            var type when type == typeof(AnswersMost) => new AnswersMost(10, 1 << 20),
            var type when type == typeof(ScanForm) => ScanForm.Parquet,
            var type when type == typeof(StatementLimits) => limits,
            var type when type == typeof(PipeWriter) => PipeWriter.Create(Stream.Null),
            var type when type == typeof(CancellationToken) => CancellationToken.None,
            var type when type == typeof(int) => 10,
            var type when type == typeof(Func<IReadOnlyList<string>, Task>) => (IReadOnlyList<string> _) => Task.CompletedTask,
            _ => parameter.Name switch { "sql" => "SELECT id FROM orders", "predicate" => "id = 1", "alias" => "orders", "file" => Path.Combine(bench.Folder, Guid.NewGuid().ToString("N")), _ => "" },
        };
        var task = (Task)method.Invoke(runner ?? bench.Runner, [.. method.GetParameters().Select(Argument)])!;
        await task;
        return task switch
        {
            Task<StatementOutcome> run => run.Result.Status,
            Task<HybridOutcome> run => run.Result.Outcome.Status,
            Task<StatementCheck> run => run.Result.Status,
            Task<StatementExplanation> run => run.Result.Failure!.Status,
            Task<PredicateCheck> run => run.Result.Failure!.Status,
            Task<(StatementOutcome? Failure, RemoteDescription? Found)> run => run.Result.Failure!.Status,
            Task<(StatementOutcome? Failure, RemoteEstimate? Found)> run => run.Result.Failure!.Status,
            _ => throw new NotSupportedException($"What does {entrance} answer?"),
        };
    }

    /// <summary>A system that takes questions and never answers.</summary>
    private sealed class Silent : IRemoteTables
    {
        public string Connection => "silent";

        public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) => NeverAsync<RemoteDescription>(cancellation);

        public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) => NeverAsync<RemoteEstimate>(cancellation);

        public Task AnswerAsync(RemoteQuestion question, string file, CancellationToken cancellation) => NeverAsync<bool>(cancellation);

        private static async Task<T> NeverAsync<T>(CancellationToken cancellation)
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            throw new InvalidOperationException();
        }
    }
}
