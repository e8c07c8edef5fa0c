using System.Collections.Concurrent;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What is due is started, once, by one of however many servers.</summary>
public sealed class JobScheduleTests(Postgres postgres)
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task Of_two_servers_on_one_state_one_starts_what_is_due()
    {
        if (Postgres.Binaries is null) Assert.Skip("PostgreSQL is not installed.");
        var url = await postgres.NewDatabaseAsync();
        var chime = new Chime();
        Task<TestServer> StartAsync() => TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { StateUrl = url, JwtSecretKey = Key }, chime.AddTo);
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        var (here, there) = (SchedulesOf(one), SchedulesOf(two));
        await here.RunAsync(CancellationToken.None);
        chime.Rung.ShouldBeEmpty("the first is due in an hour");
        for (var round = 1; round <= 5; round++)
        {
            foreach (var server in (TestServer[])[one, two]) server.Time.Advance(TimeSpan.FromMinutes(61));
            await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => (i % 2 == 0 ? here : there).RunAsync(CancellationToken.None))));
            for (var i = 0; i < 400 && chime.Rung.Count < round; i++) await Task.Delay(25);
            chime.Rung.Count.ShouldBe(round);
            (await one.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'chime'")).ShouldBe([round]);
        }
    }

    [Fact]
    public async Task The_time_outlives_the_server_and_what_was_missed_is_done_once()
    {
        using var place = await StatePlace.NewAsync(StateEngine.DuckDb, postgres);
        var time = new MovableTime();
        var options = place.Options with { Time = time };
        async Task<long> DueAsync(TimeSpan later, TimeSpan every)
        {
            time.Advance(later);
            await using var state = await StateDb.OpenAsync(options);
            var services = new ServiceCollection().BuildServiceProvider();
            using var runner = new JobRunner(state, new JobEvents(), services, null!, time, Microsoft.Extensions.Logging.Abstractions.NullLogger<JobRunner>.Instance);
            var schedules = new JobSchedules(state, runner, [new JobSchedule("chime", every, every, _ => new JobRequest("chime", null, null, "schedule", null))]);
            await schedules.RunAsync(CancellationToken.None);
            await schedules.RunAsync(CancellationToken.None);
            return (await state.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'chime'"))[0];
        }

        var day = TimeSpan.FromDays(1);
        (await DueAsync(TimeSpan.Zero, day)).ShouldBe(0);
        (await DueAsync(TimeSpan.FromHours(20), day)).ShouldBe(0, "a server that is restarted every few hours");
        (await DueAsync(TimeSpan.FromHours(5), day)).ShouldBe(1, "gets there all the same");
        (await DueAsync(TimeSpan.FromDays(10), day)).ShouldBe(2, "ten days are made up for once");
        (await DueAsync(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1))).ShouldBe(2);
        (await DueAsync(TimeSpan.FromMinutes(61), TimeSpan.FromHours(1))).ShouldBe(3, "a shorter interval holds at once");
    }

    [Fact]
    public async Task Tables_that_are_due_are_pulled_without_anybody_asking()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var schedules = SchedulesOf(shop.Server);
        async Task TickAsync()
        {
            await schedules.RunAsync(CancellationToken.None);
            shop.Server.Time.Advance(shop.Server.Services.GetRequiredService<Platform.Config.ServerOptions>().SyncEvery + TimeSpan.FromSeconds(1));
            await schedules.RunAsync(CancellationToken.None);
        }

        await TickAsync();
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync'")).ShouldBe([0L], "there is nothing that this server pulls");
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv","sync_schedule":"every 1h"}""");
        await TickAsync();
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("visits") is not null, "it was pulled");
        await shop.SignInAgainAsync();
        var runs = (await shop.AsAdminAsync("GET", "/api/sync/runs")).Json["runs"]!.AsArray();
        runs.Count.ShouldBe(1);
        runs[0]!["trigger"]!.GetValue<string>().ShouldBe("schedule");
        await TickAsync();
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync'")).ShouldBe([1L], "it is not due for an hour");
    }

    private static JobSchedules SchedulesOf(TestServer server) => server.Services.GetServices<IPeriodic>().OfType<JobSchedules>().Single();

    /// <summary>A feature's schedule: these lines are all that one takes.</summary>
    private sealed class Chime : IJobHandler
    {
        public ConcurrentQueue<string> Rung { get; } = new();

        public string Kind => "chime";

        public Lane Lane => Lane.Light;

        public bool FillsDisk => false;

        public void AddTo(IServiceCollection services)
        {
            services.AddSingleton<IJobHandler>(this);
            services.AddSingleton(new JobSchedule(Kind, TimeSpan.FromHours(1), TimeSpan.FromHours(1), _ => new JobRequest(Kind, null, null, JobSchedules.Trigger, null)));
        }

        public Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
        {
            Rung.Enqueue(job.Job.Id);
            return Task.FromResult(JobResult.Ok);
        }
    }
}
