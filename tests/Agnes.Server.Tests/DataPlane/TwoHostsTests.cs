using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Server.Features.Sync;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>
/// Two hosts on one PostgreSQL, each with a clock of its own, for eight days in which clocks are put forward and back, by whoever looks
/// after them and by law. What pulls is the test's; all that decides what is pulled when is the server's.
/// </summary>
public sealed class TwoHostsTests(Postgres postgres)
{
    private const string Key = "0123456789abcdef0123456789abcdef";
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan TwoHours = TimeSpan.FromHours(2);

    /// <summary>Name, connection, schedule; and for whoever reads it apart from the server: zone, hours and minutes there, workdays only.</summary>
    private static readonly (string Name, string? Connection, string Schedule, string Zone, int[] Hours, int Minute, bool Workdays)[] Tables =
    [
        ("night", null, "cron 30 2 * * * @ Europe/Prague", "Europe/Prague", [2], 30, false),
        ("twice", null, "daily 07:00,13:00", "UTC", [7, 13], 0, false),
        ("office", "depot", "cron 20 8-17 * * MON-FRI @ America/New_York", "America/New_York", [8, 9, 10, 11, 12, 13, 14, 15, 16, 17], 20, true),
        ("evening", "depot", "cron 0 22 * * * @ Europe/Prague", "Europe/Prague", [22], 0, false),
        ("steady", "mill", "every 2h", "UTC", [], 0, false),
    ];

    [Theory]
    [InlineData("2026-03-26T00:00:00", Traits = ["Runs", "long"])] // the clocks of Prague go forward on the 29th
    [InlineData("2026-10-24T00:00:00")] // those of Prague go back on the 25th, those of New York on 1 November
    public async Task Every_run_that_is_due_happens_once(string from)
    {
        if (Postgres.Binaries is null) Assert.Skip("PostgreSQL is not installed.");
        var url = await postgres.NewDatabaseAsync();
        var start = DateTime.SpecifyKind(DateTime.Parse(from, CultureInfo.InvariantCulture), DateTimeKind.Utc);
        var end = start.AddDays(9);
        var pulled = new ConcurrentQueue<(string Table, DateTime At)>();
        var clocks = new[] { new SetClock(start), new SetClock(start) };
        Task<TestServer> HostAsync(SetClock clock) => TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { StateUrl = url, JwtSecretKey = Key, CheckState = false, AllowedPrivateHosts = ["127.0.0.1"] },
            services =>
            {
                services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock));
                services.Remove(services.Single(service => service.ImplementationType == typeof(SyncJob)));
                services.AddSingleton<IJobHandler>(provider => new NotingJob(
                    provider.GetRequiredService<StateDb>(), provider.GetRequiredService<SourceKinds>(), clock, pulled));
            });
        await using var one = await HostAsync(clocks[0]);
        await using var two = await HostAsync(clocks[1]);
        await RegisterAsync(one);
        var schedules = new[] { one, two }.Select(host => host.Services.GetServices<IPeriodic>().OfType<JobSchedules>().Single()).ToArray();
        for (var now = start; now < end; now += Step)
        {
            for (var host = 0; host < clocks.Length; host++) clocks[host].Now = now + Wrong(host, now - start);
            await Task.WhenAll(schedules.Select(schedule => Task.Run(() => schedule.RunAsync(CancellationToken.None))));
            await DoneAsync(one);
        }

        foreach (var table in Tables)
        {
            var times = pulled.Where(one => one.Table == table.Name).Select(one => one.At).Order().Skip(1).ToList(); // the first is due at once
            if (table.Hours.Length == 0) AssertSteady(times, start);
            else AssertEachOnce(table.Name, times, Occurrences(table, start.AddHours(1), end - TwoHours), end - TwoHours);
        }
    }

    /// <summary>How far a host's clock is off: by up to an hour, forward and back, and on the nights on which the law changes it as well.</summary>
    private static TimeSpan Wrong(int host, TimeSpan passed) => (host, passed.TotalHours) switch
    {
        (0, >= 30 and < 33) => TimeSpan.FromMinutes(40),
        (0, >= 25.2 and < 27) or (0, >= 73.2 and < 75) => TimeSpan.FromMinutes(-60), // just after it ran on that night
        (1, >= 50 and < 54) => TimeSpan.FromMinutes(-60),
        (1, >= 79 and < 84) => TimeSpan.FromMinutes(30),
        (_, >= 110 and < 112) => TimeSpan.FromMinutes(-50), // both
        (_, >= 136.5 and < 138) => TimeSpan.FromMinutes(50),
        _ => TimeSpan.Zero,
    };

    private static void AssertEachOnce(string table, List<DateTime> times, List<DateTime> due, DateTime end)
    {
        due.Count.ShouldBeGreaterThan(6);
        for (var i = 0; i < due.Count; i++)
        {
            var next = i + 1 < due.Count ? due[i + 1] : end;
            var of = times.Where(at => at >= due[i] && at < next).ToList();
            of.Count.ShouldBe(1, $"{table}, due at {due[i]:u}: {string.Join(", ", of.Select(at => at.ToString("u", CultureInfo.InvariantCulture)))}");
            (of[0] - due[i]).ShouldBeLessThan(TimeSpan.FromMinutes(66), $"{table}, due at {due[i]:u}");
        }
    }

    private static void AssertSteady(List<DateTime> times, DateTime start)
    {
        times.Count.ShouldBeInRange(90, 9 * 12);
        foreach (var (before, after) in times.Prepend(start).Zip(times).Skip(1)) (after - before).ShouldBeInRange(TwoHours, TwoHours + TimeSpan.FromMinutes(75));
    }

    /// <summary>Read apart from the server: each day there, each hour; an hour that is left out begins when it ends, one that comes twice counts once.</summary>
    private static List<DateTime> Occurrences(
        (string Name, string? Connection, string Schedule, string Zone, int[] Hours, int Minute, bool Workdays) table, DateTime from, DateTime to)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(table.Zone);
        var found = new List<DateTime>();
        for (var day = from.Date.AddDays(-1); day <= to.Date.AddDays(1); day = day.AddDays(1))
        {
            if (table.Workdays && day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday) continue;
            foreach (var hour in table.Hours)
            {
                var local = DateTime.SpecifyKind(day.AddHours(hour).AddMinutes(table.Minute), DateTimeKind.Unspecified);
                while (zone.IsInvalidTime(local)) local = local.AddMinutes(1);
                var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
                found.Add(DateTime.SpecifyKind(local - offset, DateTimeKind.Utc));
            }
        }

        return [.. found.Where(at => at > from && at < to).Order()];
    }

    private static async Task RegisterAsync(TestServer server)
    {
        var admin = await server.SignInAsync();
        foreach (var name in Tables.Select(table => table.Connection).OfType<string>().Distinct())
        {
            var settings = new JsonObject { ["host"] = "127.0.0.1", ["database"] = "d", ["user"] = "u", ["ssl_mode"] = "disable" };
            var connection = new JsonObject { ["name"] = name, ["kind"] = "postgres", ["settings"] = settings };
            var made = await server.SendAsync("POST", "/api/admin/connections", connection.ToJsonString(), admin);
            made.Status.ShouldBe(201, made.Body);
        }

        foreach (var table in Tables)
        {
            var body = new JsonObject
            {
                ["name"] = table.Name,
                ["source_type"] = table.Connection is null ? "local" : "postgres",
                ["source_table"] = $"{table.Name}.csv",
                ["query_mode"] = "local",
                ["sync_schedule"] = table.Schedule,
            };
            if (table.Connection is not null) body["connection"] = table.Connection;
            var made = await server.SendAsync("POST", "/api/admin/register-table", body.ToJsonString(), admin);
            made.Status.ShouldBe(201, made.Body);
        }
    }

    private static async Task DoneAsync(TestServer server)
    {
        for (var i = 0; i < 4_000; i++)
        {
            if ((await server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync' AND finished_at IS NULL"))[0] == 0) return;
            await Task.Delay(5);
        }
        throw new TimeoutException("A run did not end.");
    }

    /// <summary>Stands in for what pulls: notes what it would have, as a pull does.</summary>
    private sealed class NotingJob(StateDb state, SourceKinds kinds, TimeProvider time, ConcurrentQueue<(string Table, DateTime At)> pulled) : IJobHandler
    {
        public string Kind => SyncJob.KindName;

        public Lane Lane { get; } = new("sync", 8);

        public bool FillsDisk => false;

        public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
        {
            var now = time.GetUtcNow().UtcDateTime;
            var plan = await SyncJob.PlanAsync(state, kinds, job.Job, now);
            foreach (var row in plan.Pulls.Where(source => job.Keys.Contains(SyncJob.KeyOf(source.Own))).SelectMany(source => source.Rows))
            {
                var at = SyncJob.PulledFor(row, job.Job, now);
                await state.WriteAsync(write => write.NotePulledAsync([(row.Name, at)]), cancellation);
                pulled.Enqueue((row.Name, at));
            }
            return JobResult.Ok;
        }
    }

    /// <summary>Stands still until it is set. What is to happen after some seconds happens, and what is to happen later does not.</summary>
    private sealed class SetClock(DateTime start) : TimeProvider
    {
        private static readonly TimeSpan LastsMax = TimeSpan.FromSeconds(5);
        private long _ticks = start.Ticks;

        public DateTime Now
        {
            set => Interlocked.Exchange(ref _ticks, value.Ticks);
        }

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > LastsMax ? Timeout.InfiniteTimeSpan : dueTime, period);
    }
}
