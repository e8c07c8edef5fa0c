using System.Collections.Concurrent;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Server.Tests.DataPlane;

public sealed class JobRunnerTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task Of_two_jobs_with_one_key_the_first_is_taken_until_it_ends(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var gate = new TaskCompletionSource();
        await using var jobs = new Jobs(state, (_, cancellation) => gate.Task.WaitAsync(cancellation));
        var first = await jobs.StartAsync("k");
        first.ShouldBeOfType<JobStart.Started>();
        var others = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => jobs.StartAsync("k")));
        others.ShouldAllBe(other => other == new JobStart.Busy(((JobStart.Started)first).Id));
        (await jobs.StartAsync("other")).ShouldBeOfType<JobStart.Started>();
        gate.SetResult();
        (await jobs.EndOfAsync(first)).Status.ShouldBe("ok");
        (await jobs.StartAsync("k")).ShouldBeOfType<JobStart.Started>();
    }

    [Theory, OnBothEngines]
    public async Task Of_many_who_start_one_at_once_one_succeeds(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var gate = new TaskCompletionSource();
        await using var jobs = new Jobs(state, (_, cancellation) => gate.Task.WaitAsync(cancellation));
        var starts = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => jobs.StartAsync("k")));
        starts.OfType<JobStart.Started>().Count().ShouldBe(1);
        starts.OfType<JobStart.Busy>().Count().ShouldBe(19);
        gate.SetResult();
    }

    [Theory, OnBothEngines]
    public async Task A_failure_is_the_jobs_own_and_is_told_without_secrets(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await using var jobs = new Jobs(state, (_, _) => throw new InvalidOperationException("no luck with password=hunter22"));
        var ended = await jobs.EndOfAsync(await jobs.StartAsync("k"));
        (ended.Status, ended.Error).ShouldBe(("failed", "no luck with password=***"));
        (await jobs.EndOfAsync(await jobs.StartAsync("k"))).Status.ShouldBe("failed");
    }

    [Theory, OnBothEngines]
    public async Task A_job_is_cancelled_while_it_runs_and_while_it_waits(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await using var jobs = new Jobs(state, (_, cancellation) => Task.Delay(Timeout.Infinite, cancellation));
        var running = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => jobs.StartAsync($"k{i}")));
        var waiting = await jobs.StartAsync("waits");
        await jobs.UntilAsync(() => jobs.Begun.Count == 4);
        (await jobs.Runner.CancelAsync(((JobStart.Started)waiting).Id, CancellationToken.None)).ShouldBeTrue();
        (await jobs.EndOfAsync(waiting)).Status.ShouldBe("cancelled");
        foreach (var job in running) (await jobs.Runner.CancelAsync(((JobStart.Started)job).Id, CancellationToken.None)).ShouldBeTrue();
        foreach (var job in running) (await jobs.EndOfAsync(job)).Status.ShouldBe("cancelled");
        (await jobs.Runner.CancelAsync(((JobStart.Started)waiting).Id, CancellationToken.None)).ShouldBeFalse();
        jobs.Begun.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_job_that_its_process_left_is_taken_up_once_with_its_checkpoint_and_then_given_up()
    {
        using var place = await StatePlace.NewAsync(StateEngine.DuckDb, postgres);
        string id;
        await using (var state = await place.OpenAsync())
        {
            await using var jobs = new Jobs(state, async (job, cancellation) =>
            {
                await job.SaveCheckpointAsync("""{"upstream":"job-7"}""", cancellation);
                await Task.Delay(Timeout.Infinite, cancellation);
            });
            id = ((JobStart.Started)await jobs.StartAsync("k")).Id;
            await jobs.UntilAsync(() => jobs.Begun.Count == 1);
            await jobs.UntilAsync(async () => (await jobs.RowAsync(id)).Checkpoint is not null);
        }
        await using (var state = await place.OpenAsync())
        {
            string? checkpoint = null;
            await using var jobs = new Jobs(state, (job, cancellation) =>
            {
                checkpoint = job.Checkpoint;
                return Task.Delay(Timeout.Infinite, cancellation);
            });
            await jobs.UntilAsync(() => checkpoint is not null);
            checkpoint.ShouldBe("""{"upstream":"job-7"}""");
            (await jobs.StartAsync("k")).ShouldBe(new JobStart.Busy(id));
        }
        await using (var state = await place.OpenAsync())
        {
            await using var jobs = new Jobs(state, (_, _) => Task.CompletedTask);
            await jobs.UntilAsync(async () => (await jobs.RowAsync(id)).FinishedAt is not null);
            var row = await jobs.RowAsync(id);
            row.Status.ShouldBe("failed");
            row.Error!.ShouldContain("Interrupted twice");
            jobs.Begun.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_job_that_breaks_off_because_its_process_stops_is_taken_up_again()
    {
        using var place = await StatePlace.NewAsync(StateEngine.DuckDb, postgres);
        string id;
        await using (var state = await place.OpenAsync())
        {
            await using var jobs = new Jobs(state, async (_, cancellation) =>
            {
                await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new InvalidOperationException("what it works with is gone");
            });
            id = ((JobStart.Started)await jobs.StartAsync("k")).Id;
            await jobs.UntilAsync(() => jobs.Begun.Count == 1);
        }
        await using (var state = await place.OpenAsync())
        {
            await using var jobs = new Jobs(state, (_, _) => Task.CompletedTask);
            await jobs.UntilAsync(async () => (await jobs.RowAsync(id)).FinishedAt is not null);
            var row = await jobs.RowAsync(id);
            (row.Status, row.Attempts, row.Error).ShouldBe(("ok", 2, null));
        }
    }

    [Theory, OnBothEngines]
    public async Task A_job_that_gets_on_between_interruptions_is_taken_up_again_however_often(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        string? id = null;
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            await using var state = await place.OpenAsync();
            if (id is not null) await LeaveAsync(state, id);
            await using var jobs = new Jobs(state, async (job, cancellation) =>
            {
                await job.SaveCheckpointAsync($$"""{"page":{{job.Job.Attempts}}}""", cancellation);
                await Task.Delay(Timeout.Infinite, cancellation);
            });
            id ??= ((JobStart.Started)await jobs.StartAsync("k")).Id;
            await jobs.UntilAsync(async () => (await jobs.RowAsync(id)).Checkpoint == $$"""{"page":{{attempt}}}""");
        }

        await using var last = await place.OpenAsync();
        await LeaveAsync(last, id!);
        await using var ended = new Jobs(last, (_, _) => Task.CompletedTask);
        await ended.UntilAsync(async () => (await ended.RowAsync(id!)).FinishedAt is not null);
        var row = await ended.RowAsync(id!);
        (row.Status, row.Attempts).ShouldBe(("ok", 6));
    }

    /// <summary>As after the time of a lease, which PostgreSQL's states wait for.</summary>
    private static Task LeaveAsync(StateDb state, string id) => state.WriteAsync(
        write => write.QueryAsync<string>("UPDATE jobs SET heartbeat_at = NULL WHERE id = @id RETURNING id", new { id }));

    [Theory, OnBothEngines]
    public async Task A_log_ends_at_its_bound(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await using var jobs = new Jobs(state, async (job, cancellation) =>
        {
            for (var i = 0; i < 10_050; i++) await job.LogAsync($"line {i}", cancellation);
        });
        var ended = await jobs.EndOfAsync(await jobs.StartAsync("k"));
        var lines = await state.ReadAsync<JobLogLine>(JobSql.Log, new { id = ended.Id, after = 0L, limit = 20_000 });
        lines.Count.ShouldBe(10_000);
        lines[^1].Line.ShouldContain("The log ends here");
    }

    /// <summary>A runner with one kind of job.</summary>
    private sealed class Jobs : IAsyncDisposable, IJobHandler
    {
        private readonly StateDb _state;
        private readonly Func<JobContext, CancellationToken, Task> _work;

        public Jobs(StateDb state, Func<JobContext, CancellationToken, Task> work)
        {
            (_state, _work) = (state, work);
            var services = new ServiceCollection().AddSingleton<IJobHandler>(this).BuildServiceProvider();
            var disk = new DiskReserve(new ServerOptions { DataDir = Path.GetTempPath(), StateDir = Path.GetTempPath() }, TimeProvider.System);
            Runner = new JobRunner(state, new JobEvents(), services, disk, TimeProvider.System, NullLogger<JobRunner>.Instance);
            _ = Runner.StartAsync(CancellationToken.None);
        }

        public JobRunner Runner { get; }

        public ConcurrentQueue<string> Begun { get; } = new();

        public string Kind => "test";

        public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
        {
            Begun.Enqueue(job.Job.Id);
            await _work(job, cancellation);
            return JobResult.Ok;
        }

        public Task<JobStart> StartAsync(string key) => Runner.StartAsync(new JobRequest(Kind, null, key, "test", null), CancellationToken.None);

        public async Task<JobRow> RowAsync(string id) => (await _state.ReadAsync<JobRow>(JobSql.ById, new { id }))[0];

        public async Task<JobRow> EndOfAsync(JobStart start)
        {
            var id = ((JobStart.Started)start).Id;
            await UntilAsync(async () => (await RowAsync(id)).FinishedAt is not null);
            return await RowAsync(id);
        }

        public Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

        public async Task UntilAsync(Func<Task<bool>> holds)
        {
            for (var i = 0; i < 1200; i++)
            {
                if (await holds()) return;
                await Task.Delay(25);
            }
            throw new TimeoutException("It did not happen.");
        }

        public async ValueTask DisposeAsync()
        {
            await Runner.StopAsync(CancellationToken.None);
            Runner.Dispose();
        }
    }
}
