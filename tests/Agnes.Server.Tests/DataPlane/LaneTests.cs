using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Which jobs wait for which: those of one lane for a slot, those of one key for each other, and the others for nobody.</summary>
public sealed class LaneTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task A_features_lane_has_its_own_slots_and_a_full_lane_holds_up_no_other(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var narrow = new Held("narrow", new Lane("ours", 1));
        var disk = new Held("disk", Lane.Disk);
        var network = new Held("network", Lane.Network);
        await using var jobs = new Runner(state, narrow, disk, network);
        foreach (var handler in (Held[])[narrow, disk, network])
        {
            for (var i = 0; i < 6; i++) (await jobs.StartAsync(new JobRequest(handler.Kind, null, null, "test", null))).ShouldBeOfType<JobStart.Started>();
        }
        await UntilAsync(() => narrow.Running == 1 && disk.Running == Lane.Disk.Slots && network.Running == Lane.Network.Slots);
        await Task.Delay(200);
        (narrow.Running, disk.Running, network.Running).ShouldBe((1, 4, 4));
        network.Gate.SetResult();
        await UntilAsync(() => network.Done == 6);
        (narrow.Done, disk.Done).ShouldBe((0, 0));
        narrow.Gate.SetResult();
        await UntilAsync(() => narrow.Done == 6);
        narrow.MostAtOnce.ShouldBe(1);
        disk.Gate.SetResult();
    }

    [Theory, OnBothEngines]
    public async Task A_run_over_many_sources_takes_those_that_are_free_and_gives_back_what_it_is_done_with(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var held = new Held("run", Lane.Disk) { Releases = "a" };
        await using var jobs = new Runner(state, held);
        JobRequest Over(bool takesWhatIsFree, params string[] keys) => new("run", null, null, "test", null) { Keys = keys, TakesWhatIsFree = takesWhatIsFree };
        var first = ((JobStart.Started)await jobs.StartAsync(Over(false, "a", "b"))).Id;
        await UntilAsync(() => held.Running == 1);
        (await jobs.StartAsync(Over(false, "b", "c"))).ShouldBe(new JobStart.Busy(first));
        (await jobs.StartAsync(Over(true, "b"))).ShouldBe(new JobStart.Busy(first));

        var second = ((JobStart.Started)await jobs.StartAsync(Over(true, "b", "c"))).Id;
        (await state.ReadAsync<string>("SELECT key FROM jobs WHERE id = @second", new { second })).ShouldBe(["c"]);
        (await jobs.StartAsync(Over(false, "a"))).ShouldBeOfType<JobStart.Started>("the first is done with it");
        held.Gate.SetResult();
        await UntilAsync(() => held.Done == 3);
        (await jobs.StartAsync(Over(false, "a", "b", "c"))).ShouldBeOfType<JobStart.Started>();
    }

    [Fact]
    public void One_lane_cannot_have_two_sizes() =>
        Should.Throw<InvalidOperationException>(() => new JobHandlers([new Held("one", new Lane("ours", 1)), new Held("two", new Lane("ours", 2))])).Message.ShouldContain("ours");

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 1200 && !holds(); i++) await Task.Delay(25);
        holds().ShouldBeTrue();
    }

    /// <summary>Jobs that wait until the test lets them go on.</summary>
    private sealed class Held(string kind, Lane lane) : IJobHandler
    {
        private int _running, _done, _most;

        public string Kind => kind;

        public Lane Lane => lane;

        public bool FillsDisk => false;

        public string? Releases { get; init; }

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Running => Volatile.Read(ref _running);

        public int Done => Volatile.Read(ref _done);

        public int MostAtOnce => Volatile.Read(ref _most);

        public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
        {
            if (Releases is { } key) await job.ReleaseAsync([key], cancellation);
            var running = Interlocked.Increment(ref _running);
            if (running > _most) _most = running;
            await Gate.Task.WaitAsync(cancellation);
            Interlocked.Decrement(ref _running);
            Interlocked.Increment(ref _done);
            return JobResult.Ok;
        }
    }

    private sealed class Runner : IAsyncDisposable
    {
        private readonly JobRunner _runner;

        public Runner(StateDb state, params IJobHandler[] handlers)
        {
            var services = new ServiceCollection();
            foreach (var handler in handlers) services.AddSingleton(handler);
            var disk = new DiskReserve(new ServerOptions { DataDir = Path.GetTempPath(), StateDir = Path.GetTempPath() }, TimeProvider.System);
            _runner = new JobRunner(state, new JobEvents(), services.BuildServiceProvider(), disk, TimeProvider.System, NullLogger<JobRunner>.Instance);
            _ = _runner.StartAsync(CancellationToken.None);
        }

        public Task<JobStart> StartAsync(JobRequest request) => _runner.StartAsync(request, CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            await _runner.StopAsync(CancellationToken.None);
            _runner.Dispose();
        }
    }
}
