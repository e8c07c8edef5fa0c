using System.Text.Json.Nodes;
using Agnes.Server.Features.Sync;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What a schedule pulls when: each source for itself, what failed less and less often, and nothing twice.</summary>
public sealed class SyncLookTests(Postgres postgres)
{
    [Fact]
    public async Task A_source_that_hangs_holds_up_no_other_that_is_due()
    {
        var address = await postgres.NewDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(address);
        var role = $"reader_{Guid.NewGuid():N}";
        await using (var setUp = database.CreateCommand(
            $"CREATE ROLE {role} LOGIN; CREATE TABLE slow AS SELECT 1 AS id; CREATE TABLE fast AS SELECT 2 AS id; GRANT SELECT ON slow, fast TO {role}; ANALYZE"))
            await setUp.ExecuteNonQueryAsync();
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address] });
        foreach (var (connection, table) in ((string, string)[])[("stuck", "slow"), ("swift", "fast")])
        {
            var settings = new JsonObject
            {
                ["host"] = postgres.Address,
                ["database"] = new NpgsqlConnectionStringBuilder(address).Database,
                ["user"] = role,
                ["ssl_mode"] = "disable",
            };
            var body = new JsonObject { ["name"] = connection, ["kind"] = "postgres", ["settings"] = settings };
            (await shop.AsAdminAsync("POST", "/api/admin/connections", body.ToJsonString())).Status.ShouldBe(201);
            await shop.RegisterAsync($$"""
                {"name":"{{table}}","source_type":"postgres","connection":"{{connection}}","query_mode":"local","source_table":"{{table}}","sync_schedule":"every 1h"}
                """);
        }

        await using var holder = await database.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE slow IN ACCESS EXCLUSIVE MODE", holder, transaction)) await hold.ExecuteNonQueryAsync();

        await LookAsync(shop);
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("fast") is not null, "the other source was pulled");
        shop.Server.State.Snapshot.PublishedTable("slow").ShouldBeNull();
        await shop.SignInAgainAsync();

        // Tables over tables: that of the source which is done is made, that of the one which hangs waits for it.
        foreach (var table in (string[])["slow", "fast"]) await RegisterDerivedAsync(shop, $"over_{table}", "SELECT count(*) AS n FROM orders");
        await shop.Server.State.WriteAsync(async write =>
        {
            foreach (var table in (string[])["slow", "fast"])
            {
                var row = write.Current.Table($"over_{table}")! with { ReadsTables = $"[\"{table}\"]", SourceQuery = $"SELECT count(*) AS n FROM {table}" };
                await write.ExecuteAsync("UPDATE table_registry SET reads_tables = @ReadsTables, source_query = @SourceQuery WHERE id = @Id", row);
                write.Apply(snapshot => snapshot.WithTable(row));
            }
        });
        await LookAsync(shop);
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("over_fast") is not null, "what is derived from the other was made");
        await shop.SignInAgainAsync();
        (await shop.AsAdminAsync("POST", "/api/sync/trigger", """["slow"]""")).Status.ShouldBe(409, "a run has its source");
        var asked = await shop.SyncAsync("""["fast"]""");
        asked["status"]!.GetValue<string>().ShouldBe("ok", asked.ToJsonString());
        await TickAsync(shop);
        shop.Server.State.Snapshot.Pulls.ContainsKey("over_slow").ShouldBeFalse("it comes after what it reads");

        // What a change of the registry has brought comes after the run too: both write the connection's extract.
        await shop.RegisterAsync("""{"name":"extra","source_type":"postgres","connection":"stuck","query_mode":"local","source_table":"fast","sync_schedule":"every 1h"}""");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/extra", """{"name":"spare"}""")).Status.ShouldBe(200);
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        shop.Server.State.Snapshot.PublishedTable("spare").ShouldBeNull("the extract has one writer");

        await transaction.RollbackAsync();
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("spare") is not null, "it was brought after the run");
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("slow") is not null, "the source went on");
        for (var i = 0; i < 400 && shop.Server.State.Snapshot.PublishedTable("over_slow") is null; i++)
        {
            await TickAsync(shop);
            await Task.Delay(50);
        }
        shop.Server.State.Snapshot.PublishedTable("over_slow").ShouldNotBeNull("what waited for it was made without another look");
        var runs = (await shop.AsAdminAsync("GET", "/api/sync/runs")).Json["runs"]!.AsArray();
        runs.Where(run => run!["trigger"]!.GetValue<string>() == "schedule").Select(run => run!["connection"]!.GetValue<string>())
            .ShouldBe(["stuck", "swift", "derived", "derived"], ignoreOrder: true);
    }

    [Fact]
    public async Task Of_triggers_each_quarter_of_an_hour_every_fourth_pulls_what_is_due_each_hour()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv","sync_schedule":"every 1h"}""");
        var pulled = new List<int>();
        for (var minute = 0; minute <= 120; minute += 15)
        {
            await shop.SignInAgainAsync();
            var run = await shop.SyncAsync();
            if (run["steps"]!.AsArray().Count > 0) pulled.Add(minute);
            shop.Server.State.Snapshot.PublishedTable("visits").ShouldNotBeNull();
            shop.Server.Time.Advance(TimeSpan.FromMinutes(15));
        }
        pulled.ShouldBe([0, 60, 120], "also where there was nothing new");
    }

    [Fact]
    public async Task What_is_put_off_is_tried_at_once_when_its_connection_or_a_secret_is_another()
    {
        if (OperatingSystem.IsWindows()) return;
        using var programs = new TemporaryFolder();
        var script = Path.Combine(Directory.CreateDirectory(programs["broken"]).FullName, "extractor.sh");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nexit 1\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { ConnectorsDir = programs.Path });
        const string connection = """{"name":"web","kind":"custom","settings":{"program":"broken"}}""";
        (await shop.AsAdminAsync("POST", "/api/admin/connections", connection)).Status.ShouldBe(201);
        await shop.RegisterAsync("""{"name":"visits","source_type":"custom","connection":"web","sync_schedule":"every 12h"}""");
        await shop.RegisterAsync("""{"name":"absent","source_type":"local","source_table":"absent.csv","sync_schedule":"every 12h"}""");
        (await shop.SyncAsync("""["visits","absent"]"""))["status"]!.GetValue<string>().ShouldBe("failed");
        bool IsPutOff(string table) => shop.Server.State.Snapshot.Pulls[table].RetryAt is not null;
        (IsPutOff("visits"), IsPutOff("absent")).ShouldBe((true, true));

        (await shop.AsAdminAsync("PUT", "/api/admin/connections/web", """{"settings":{"program":"broken"}}""")).Status.ShouldBe(200);
        (IsPutOff("visits"), IsPutOff("absent")).ShouldBe((false, true));
        (await shop.AsAdminAsync("PUT", "/api/admin/secrets/KBC_STORAGE_TOKEN", """{"value":"not-a-real-token"}""")).Status.ShouldBe(204);
        IsPutOff("absent").ShouldBeFalse();
        shop.Server.State.Snapshot.Pulls["absent"].Failures.ShouldBe(1, "that it failed is still known");
    }

    [Theory, OnEitherEngine]
    public async Task What_fails_is_tried_less_and_less_often_and_at_once_where_somebody_asks(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        await shop.RegisterAsync("""{"name":"absent","source_type":"local","source_table":"absent.csv","sync_schedule":"every 12h"}""");
        async Task<JsonNode> RowAsync()
        {
            await shop.SignInAgainAsync();
            return (await shop.AsAdminAsync("GET", "/api/admin/registry")).Json["tables"]!.AsArray().Single(row => row!["id"]!.GetValue<string>() == "absent")!;
        }

        var waits = new List<double>();
        for (var failure = 1; failure <= 5; failure++)
        {
            await LookAsync(shop);
            await shop.EventuallyAsync(() => shop.Server.State.Snapshot.Pulls.GetValueOrDefault("absent")?.Failures == failure, $"it failed {failure} times");
            await EndedAsync(shop);
            var pull = shop.Server.State.Snapshot.Pulls["absent"];
            var wait = pull.RetryAt!.Value - pull.FailedAt!.Value;
            waits.Add(wait.TotalMinutes);
            if (wait > TimeSpan.FromMinutes(16))
            {
                await LookAsync(shop);
                await EndedAsync(shop);
                shop.Server.State.Snapshot.Pulls["absent"].ShouldBe(pull, "it is not due at every look");
            }
            shop.Server.Time.Advance(wait);
        }
        var exact = new double[] { 5, 10, 20, 40, 80 };
        for (var i = 0; i < exact.Length; i++) waits[i].ShouldBeInRange(exact[i] * 0.79, exact[i] * 1.21);
        waits.Zip(exact, (wait, minutes) => wait / minutes).Distinct().Count().ShouldBeGreaterThan(1, "a little more or less");
        (await RowAsync())["sync_failures"]!.GetValue<int>().ShouldBe(5);
        (await RowAsync())["next_try"].ShouldNotBeNull();
        (await RowAsync())["last_sync_error"].ShouldNotBeNull();

        // Somebody asks: nothing is put off, and their failure puts nothing off.
        await LookAsync(shop);
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.Pulls["absent"].Failures == 6, "it failed once more");
        await EndedAsync(shop);
        var before = shop.Server.State.Snapshot.Pulls["absent"];
        await shop.SignInAgainAsync();
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("failed");
        shop.Server.State.Snapshot.Pulls["absent"].ShouldBe(before with { FailedAt = shop.Server.State.Snapshot.Pulls["absent"].FailedAt });
        shop.WriteCsv("absent.csv", "id\n1\n");
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        shop.Server.State.Snapshot.Pulls["absent"].ShouldSatisfyAllConditions(
            pull => pull.Failures.ShouldBe(0), pull => pull.RetryAt.ShouldBeNull(), pull => pull.PulledAt.ShouldNotBeNull());
        (await RowAsync())["next_try"].ShouldBeNull();
        shop.Server.Time.Advance(TimeSpan.FromHours(1));
        await LookAsync(shop);
        await EndedAsync(shop);
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM sync_history WHERE table_id = 'absent' AND status = 'ok'")).ShouldBe([1L], "it is well, and not due");
    }

    [Fact]
    [Long]
    public async Task A_start_that_is_spread_moves_none_after_it()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv","sync_schedule":"every 1h"}""");
        Task<IReadOnlyList<JobScheduleRow>> PutOffAsync() => shop.Server.State.ReadAsync<JobScheduleRow>(
            "SELECT kind, subject, due_at, started_at FROM job_schedules WHERE kind = 'sync' AND subject <> ''");
        void GoTo(DateTime time) => shop.Server.Time.Advance(time - shop.Server.Time.GetUtcNow().UtcDateTime);

        await LookAsync(shop);
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.Pulls.ContainsKey("visits"), "the first is not kept waiting");
        await EndedAsync(shop);
        shop.Server.Time.Advance(TimeSpan.FromHours(1));
        for (var round = 0; round < 3; round++)
        {
            await TickAsync(shop);
            var late = (await PutOffAsync()).Single();
            late.Subject.ShouldBe("connection:csv");
            (late.DueAt - late.StartedAt!.Value).ShouldBeInRange(TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(3));
            shop.Server.State.Snapshot.Pulls["visits"].PulledAt.ShouldNotBe(late.StartedAt);
            GoTo(late.DueAt.AddSeconds(2));
            await TickAsync(shop);
            await shop.EventuallyAsync(() => shop.Server.State.Snapshot.Pulls["visits"].PulledAt == late.StartedAt, "it was pulled, and for the time of the look");
            await EndedAsync(shop);
            (await PutOffAsync()).ShouldBeEmpty();
            GoTo(late.StartedAt.Value.AddHours(1).AddSeconds(1)); // less than an hour after it began, and due
        }
    }

    [Fact]
    public async Task What_waited_for_its_turn_keeps_it_while_its_connection_is_busy_and_counts_as_of_when_it_was_due()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv","sync_schedule":"every 1h"}""");
        await RegisterDerivedAsync(shop, "over_orders", "SELECT count(*) AS n FROM orders");
        var look = new SyncLook(shop.Server.Services.GetRequiredService<SourceKinds>(), TimeSpan.FromMinutes(15));
        var now = shop.Server.Time.GetUtcNow().UtcDateTime;
        var (turn, table) = (new PutOff("connection:csv", now, now.AddMinutes(-2)), new PutOff("table:over_orders", now, now.AddMinutes(-1)));
        ScheduleStarts Found(params string[] busy) =>
            look.Find(new ScheduleLook(shop.Server.State.Snapshot, now, IsMain: false, busy.ToHashSet(StringComparer.Ordinal), [turn, table]));

        var held = Found("sync:csv", "sync:derived");
        (held.Now.Count, held.Later.Contains(turn), held.Later.Contains(table)).ShouldBe((0, true, true));
        var slots = Found().Now.ToDictionary(request => request.Subject!, request => JsonNode.Parse(request.Input!)!["slot"]!.GetValue<DateTime>());
        (slots["csv"], slots["derived"]).ShouldBe((turn.Slot, table.Slot));
    }

    [Theory]
    [InlineData("every 15m", 9, 15)]
    [InlineData("every 0m", 3, 0)]
    [InlineData("every 24h", 12, 24 * 60)]
    [InlineData("daily 07:00", 12, 6 * 60)]
    [InlineData("cron 0 3 * * * @ UTC", 40, 6 * 60)]
    [InlineData(null, 1000, 6 * 60)]
    public void A_table_that_fails_is_tried_no_less_often_than_it_is_pulled_when_it_is_well(string? schedule, int failures, int minutes)
    {
        var wait = PullRetry.After("orders", failures, schedule).TotalMinutes;
        wait.ShouldBeInRange(minutes * 0.8, minutes * 1.2);
        PullRetry.After("orders", failures, schedule).TotalMinutes.ShouldBe(wait, "the same after a start");
    }

    [Fact]
    public void Starts_are_spread_by_name_and_by_little()
    {
        var hour = Enumerable.Range(0, 200).Select(i => StartSpread.Of($"source{i}", TimeSpan.FromHours(1))).ToList();
        hour.ShouldAllBe(after => after >= TimeSpan.Zero && after <= TimeSpan.FromMinutes(3));
        hour.Select(after => (int)after.TotalSeconds).Distinct().Count().ShouldBeGreaterThan(80);
        StartSpread.Of("source1", TimeSpan.FromHours(1)).ShouldBe(hour[1]);
        Enumerable.Range(0, 200).ShouldAllBe(i => StartSpread.Of($"source{i}", TimeSpan.FromDays(7)) <= TimeSpan.FromMinutes(5));
        StartSpread.Of("source1", TimeSpan.Zero).ShouldBe(TimeSpan.Zero);
        StartSpread.Of("source1", null).ShouldBe(TimeSpan.Zero);
    }

    /// <summary>The time of the schedule's own look has come.</summary>
    private static async Task LookAsync(Shop shop, TimeSpan? later = null)
    {
        await TickAsync(shop); // makes the row, where there is none
        shop.Server.Time.Advance(later ?? shop.Server.Services.GetRequiredService<ServerOptions>().SyncEvery + TimeSpan.FromSeconds(1));
        await TickAsync(shop);
    }

    private static Task TickAsync(Shop shop) => shop.Server.Services.GetServices<IPeriodic>().OfType<JobSchedules>().Single().RunAsync(CancellationToken.None);

    private static async Task EndedAsync(Shop shop)
    {
        for (var i = 0; i < 600; i++)
        {
            if ((await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync' AND finished_at IS NULL"))[0] == 0) return;
            await Task.Delay(25);
        }
        throw new TimeoutException("A run did not end.");
    }

    private static Task RegisterDerivedAsync(Shop shop, string name, string query) => shop.RegisterAsync(
        new JsonObject { ["name"] = name, ["source_type"] = "derived", ["query_mode"] = "materialized", ["source_query"] = query }.ToJsonString());
}
