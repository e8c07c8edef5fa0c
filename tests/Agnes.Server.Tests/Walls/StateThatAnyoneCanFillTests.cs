using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Features.Preferences;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>
/// What people may cause does not grow with how often they try, ends some day, and leaves room for those who have to put things right.
/// </summary>
public sealed class StateThatAnyoneCanFillTests(Postgres postgres)
{
    private const int Tries = 30;
    private static readonly int StoredMax = new LimitOptions().RefusalsStored;

    /// <summary>
    /// What bounds each table of the state. A new one is to be added here, with its bound; one that grows with use is an <see
    /// cref="IRetained"/> or swept.
    /// </summary>
    private static readonly Dictionary<string, string> Bounds = new(StringComparer.Ordinal)
    {
        ["audit_log"] = "retention: audit",
        ["sync_history"] = "retention: history",
        ["jobs"] = "retention: jobs",
        ["job_log"] = "retention: jobs",
        ["job_steps"] = "retention: jobs",
        ["job_schedules"] = "one a schedule; of syncs also one a connection and one a derived table, which are admins'",
        ["scheduler_job_state"] = "50, by the scheduler's secret or admins",
        ["table_pulls"] = "one a registered table",
        ["processes"] = "one a process, gone a day after its end",
        ["outbox"] = "1000 a channel, eight attempts in some hours",
        ["publication_events"] = "retention: publication_events",
        ["sessions"] = "sweep",
        ["auth_tokens"] = "sweep",
        ["sign_in_guesses"] = "sweep",
        ["sign_in_states"] = "swept at sign-in",
        ["users"] = "admins",
        ["user_groups"] = "admins",
        ["user_group_members"] = "admins",
        ["resource_grants"] = "admins",
        ["table_registry"] = "admins",
        ["source_connections"] = "admins, 200",
        ["source_checkpoints"] = "one a registered table, gone when it is done",
        ["metric_definitions"] = "admins",
        ["verified_queries"] = "admins",
        ["column_metadata"] = "admins",
        ["instance_templates"] = "admins",
        ["personal_access_tokens"] = "200 active a user, 30 a minute",
        ["sign_in_identities"] = "one an identity",
        ["sign_in_flags"] = "a fixed set",
        ["desktop_links"] = "one a user",
        ["scan_usage"] = "one a user and day, older ones go with the next scan",
        ["user_sync_settings"] = "2000 a user",
        ["table_profiles"] = "one a table",
        ["bq_metadata_cache"] = "one a registered table",
        ["sync_state"] = "one a table",
        ["view_ownership"] = "one a table",
        ["schema_drifts"] = "one a table",
        ["event_tails"] = "one a source that sends",
        ["table_versions"] = "purge",
        ["version_parts"] = "purge",
        ["state_version"] = "one row",
        ["migrations"] = "one a migration",
    };

    [Fact]
    public async Task What_is_refused_to_somebody_beyond_a_few_a_minute_is_counted_and_what_is_answered_is_stored()
    {
        await using var shop = await Shop.OpenAsync(
            StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { RefusalsStored = StoredMax } });
        var server = shop.Server;
        BeginMinute(server);
        for (var i = 0; i < Tries; i++) (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"SELECT * FROM salaries"}""")).Status.ShouldBe(403);
        for (var i = 0; i < 2 * StoredMax; i++) (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"SELECT 1"}""")).Status.ShouldBe(200);
        for (var i = 0; i < Tries; i++) (await server.SendAsync("POST", "/auth/token", $$"""{"email":"u{{i}}@example.com","password":"wrong"}""")).Status.ShouldBe(401);
        for (var i = 0; i < Tries; i++) (await server.SendAsync("POST", "/auth/email/verify", """{"email":"ana@example.com","token":"wrong"}""")).Status.ShouldBe(401);

        var stored = await server.AuditAsync();
        var ana = server.State.Snapshot.UserByEmail("ana@example.com")!.Id;
        stored.Count(row => row.Action == "query" && row.UserId == ana && row.Result != "ok").ShouldBe(StoredMax);
        stored.Count(row => row.Action == "query" && row.Result == "ok").ShouldBe(2 * StoredMax);
        stored.Count(row => row.Action == "login_failed").ShouldBe(StoredMax, "guests of one network share one count, whomever they name");

        server.Time.Advance(TimeSpan.FromMinutes(1));
        await server.Services.GetRequiredService<AuditLog>().WriteCountsAsync(all: false, CancellationToken.None);
        var counts = (await server.AuditAsync()).Where(row => row.Action == AuditLog.CountedAction).Select(row => (row.UserId, Params: JsonNode.Parse(row.Params!)!)).ToList();
        counts.Count.ShouldBe(2);
        counts.Single(row => row.UserId == ana).Params["actions"]!["query"]!.GetValue<int>().ShouldBe(Tries - StoredMax);
        var guests = counts.Single(row => row.UserId is null).Params;
        (guests["count"]!.GetValue<int>(), guests["network"]!.GetValue<string>()).ShouldBe(((2 * Tries) - StoredMax, "127.0.0.0/24"));
    }

    [Fact]
    public void Many_networks_of_guests_together_store_no_more_than_their_share_and_remember_no_more()
    {
        var counts = new RefusalCounts(StoredMax);
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var stored = 0;
        for (var network = 0; network < 3 * RefusalCounts.CallersMax; network++)
        {
            if (counts.Stores(new AuditOrigin($"10.{network >> 8}.{network & 255}.1", "r"), null, "login_failed", now)) stored++;
        }

        stored.ShouldBe((StoredMax * RefusalCounts.GuestsShares));
        var taken = counts.Take(now.AddMinutes(1), all: false);
        taken.Count.ShouldBeLessThanOrEqualTo(RefusalCounts.CallersMax + 1);
        taken.Sum(counted => counted.Count).ShouldBe((3 * RefusalCounts.CallersMax) - (StoredMax * RefusalCounts.GuestsShares), "each is either stored or counted, once");
    }

    [Theory, OnBothEngines]
    public async Task What_grows_with_use_ends_after_its_time_and_not_before(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        var server = shop.Server;
        var limits = new LimitOptions();
        await UploadAsync(shop, "old.txt");
        var oldJob = (await shop.RunAsync(PublishJob.Request("test"))).Id;
        await server.State.AppendAsync("INSERT INTO job_log (job_id, seq, ts, line) VALUES (@oldJob, 1000, @now, 'x')", new { oldJob, now = server.Time.Micros() });
        await HistoryAsync(server, "old");
        await server.State.FlushAsync();

        async Task<(long Audit, long History, long Jobs, long Lines, bool Upload)> LeftAsync()
        {
            await server.State.FlushAsync();
            async Task<long> CountAsync(string sql) => (await server.State.ReadAsync<long>(sql, new { oldJob }))[0];
            return (await CountAsync("SELECT count(*) FROM audit_log WHERE action = 'user.create'"), await CountAsync("SELECT count(*) FROM sync_history WHERE table_id = 'old'"),
                await CountAsync("SELECT count(*) FROM jobs WHERE id = @oldJob"), await CountAsync("SELECT count(*) FROM job_log WHERE job_id = @oldJob"),
                Directory.EnumerateFiles(Path.Combine(shop.DataDir, "user_artifacts"), "old.txt", SearchOption.AllDirectories).Any());
        }

        var before = await LeftAsync();
        before.ShouldBe((before.Audit, 1, 1, before.Lines, true));
        before.Audit.ShouldBeGreaterThan(0);

        // Each at its own time, the shortest first.
        foreach (var (kept, left) in ((TimeSpan, (long, long, long, long, bool))[])
        [
            (limits.KeepJobs, (before.Audit, 1, 0, 0, true)), (limits.KeepHistory, (before.Audit, 0, 0, 0, true)),
            (limits.KeepUploads, (before.Audit, 0, 0, 0, false)), (limits.KeepAudit, (0, 0, 0, 0, false)),
        ])
        {
            var age = server.Time.GetUtcNow() - TimeProvider.System.GetUtcNow();
            server.Time.Advance(kept - age - TimeSpan.FromHours(1));
            var still = await LeftAsync();
            (await shop.RunAsync(RetentionJob.Request("test"))).Status.ShouldBe("ok");
            (await LeftAsync()).ShouldBe(still, $"nothing goes before {kept.TotalDays} days");
            server.Time.Advance(TimeSpan.FromHours(2));
            await HistoryAsync(server, "new");
            (await shop.RunAsync(RetentionJob.Request("test"))).Status.ShouldBe("ok");
            (await LeftAsync()).ShouldBe(left, $"after {kept.TotalDays} days");
        }

        (await server.State.ReadAsync<long>("SELECT count(*) FROM sync_history WHERE table_id = 'new'"))[0].ShouldBeGreaterThan(0);
        (await server.AuditAsync()).Where(row => row.Action == RetentionJob.Action).ShouldNotBeEmpty("that entries went is an entry");

        var session = await server.SignInAsync();
        server.Time.Advance(TimeSpan.FromDays(30));
        await server.Services.GetRequiredService<SessionSweep>().SweepAsync(CancellationToken.None);
        (await server.State.ReadAsync<long>("SELECT count(*) FROM sessions"))[0].ShouldBe(0);
        (await server.SendAsync("GET", "/auth/me", token: session)).Status.ShouldBe(401);
    }

    [Theory, OnBothEngines]
    public async Task Much_that_is_old_goes_in_pieces(StateEngine engine)
    {
        const int rows = 350;
        const int batch = 100;
        await using var server = await TestServer.StartAsync(engine, postgres);
        var now = server.Time.Micros();
        await server.State.WriteAsync(write => write.InsertAsync(
            "INSERT INTO audit_log (id, timestamp, action) VALUES (@id, @at, 'old')", [.. Enumerable.Range(0, rows).Select(i => (object)new { id = $"{i}", at = now.AddDays(-1_000).AddSeconds(i) })]));
        var audit = server.Services.GetServices<IRetained>().Single(kind => kind.Name == "audit");
        var removed = new List<int>();
        while (await audit.RemoveAsync(now - audit.KeptFor, batch, CancellationToken.None) is > 0 and var count) removed.Add(count);
        removed.ShouldBe([batch, batch, batch, rows - (3 * batch)]);
        (await server.AuditAsync()).ShouldNotBeEmpty("what is young stays");
    }

    [Fact]
    public async Task Every_table_of_the_state_has_a_bound()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var tables = await server.State.ReadAsync<string>("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'");
        tables.Order(StringComparer.Ordinal).ShouldBe(Bounds.Keys.Order(StringComparer.Ordinal), "say in Bounds what keeps a new table from growing for ever");
        Bounds.Values.Where(bound => bound.StartsWith("retention: ", StringComparison.Ordinal)).Select(bound => bound["retention: ".Length..]).Distinct(StringComparer.Ordinal)
            .ShouldBeSubsetOf(server.Services.GetServices<IRetained>().Select(kind => kind.Name));
    }

    /// <summary>What any user fills without an admin: not said but tried, by whatever can be varied.</summary>
    [Theory, OnBothEngines]
    public async Task Every_spelling_of_a_table_is_one_choice_and_choices_of_a_user_are_bounded(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        var state = shop.Server.State;
        async Task<IReadOnlyList<string>> StoredAsync(string email) =>
            await state.ReadAsync<string>("SELECT dataset FROM user_sync_settings WHERE user_id = @Id ORDER BY dataset", new { state.Snapshot.UserByEmail(email)!.Id });
        string Spelling(int number) => string.Concat("orders".Select((letter, at) => (number >> at & 1) == 1 ? char.ToUpperInvariant(letter) : letter));
        static string Datasets(IEnumerable<string> names) => new JsonObject { ["datasets"] = new JsonObject(names.Select(name => KeyValuePair.Create(name, (JsonNode?)true))) }.ToJsonString();

        // As an earlier version stored it: read as one, the last of them, and gone with the next choice.
        var ana = state.Snapshot.UserByEmail("ana@example.com")!.Id;
        await state.WriteAsync(write => write.ExecuteAsync(
            "INSERT INTO user_sync_settings (user_id, dataset, enabled, table_mode, updated_at) VALUES (@ana, @dataset, @enabled, 'all', @at)",
            Enumerable.Range(1, 40).Select(number => new { ana, dataset = Spelling(number), enabled = number == 40, at = write.Now.AddSeconds(number) }).ToList()));
        var shown = (await shop.AsAnalystAsync("GET", "/api/sync/settings")).Json;
        shown["settings"]!.AsArray().Count.ShouldBe(1);
        shown["enabled_datasets"]!.ToJsonString().ShouldBe("""["orders"]""");
        var answer = await shop.AsAnalystAsync("POST", "/api/sync/settings", Datasets(Enumerable.Range(0, 64).Select(Spelling)));
        (answer.Status, answer.Json["updated"]!.AsObject().Count).ShouldBe((200, 64), answer.Body);
        (await StoredAsync("ana@example.com")).ShouldBe([state.Snapshot.TableByName("Orders")!.Id]);
        for (var number = 0; number < 5; number++) (await shop.AsAnalystAsync("PUT", "/api/settings/dataset", $$"""{"dataset":"{{Spelling(number)}}","enabled":true}""")).Status.ShouldBe(200);
        (await StoredAsync("ana@example.com")).Count.ShouldBe(1);

        // Admins may choose whatever has a name: as many as there is room for.
        for (var part = 0; part < 3; part++) (await shop.AsAdminAsync("POST", "/api/sync/settings", Datasets(Enumerable.Range(0, 1_000).Select(number => $"n{part}_{number}")))).Status.ShouldBe(200);
        (await shop.AsAdminAsync("PUT", "/api/settings/dataset", """{"dataset":"Orders","enabled":true}""")).Status.ShouldBe(200);
        (await StoredAsync(TestServer.AdminEmail)).Count.ShouldBeInRange(1_000, PreferenceStore.OfUserMax);
    }

    [Fact]
    public async Task Below_the_reserve_what_fills_the_disk_is_refused_and_reads_and_control_writes_go_on()
    {
        var reserve = new Rising();
        await using var full = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { DiskReserve = reserve } });
        var disk = full.Server.Services.GetRequiredService<DiskReserve>();
        disk.IsLow.ShouldBeFalse();
        (await full.AsAdminAsync("GET", "/api/health/detailed")).Json["services"]!["disk"]!.AsObject().ContainsKey("detail").ShouldBeFalse();
        reserve.IsAll = true;
        await full.EventuallyAsync(() => disk.IsLow, "the server looked at its disk again");
        foreach (var (path, body) in ((string, string)[])[("/api/v2/scan", """{"table_id":"orders"}"""), ("/api/catalog/profile/orders/refresh", "{}"), ("/api/upload/local-md", """{"content":"x"}"""), ("/api/sync/trigger", "[]")])
        {
            var refused = await full.Server.SendAsync("POST", path, body, full.Admin);
            (refused.Status, refused.Json["detail"]!["error"]!.GetValue<string>()).ShouldBe((507, DiskReserve.Code), path);
        }

        (await full.RunAsync(PublishJob.Request("test"))).Error.ShouldNotBeNull().ShouldStartWith(DiskReserve.Code);
        (await full.RunAsync(PurgeJob.Request("test"))).Status.ShouldBe("ok");
        (await full.RunAsync(RetentionJob.Request("test"))).Status.ShouldBe("ok");
        (await full.AsAdminAsync("POST", "/api/admin/groups", """{"name":"Made while full"}""")).Status.ShouldBe(201);
        (await full.AsAdminAsync("GET", "/api/data/orders/download")).Status.ShouldBe(200);
        (await full.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT count(*) FROM orders"}""")).Status.ShouldBe(200);
        var health = (await full.AsAdminAsync("GET", "/api/health/detailed")).Json["services"]!["disk"]!;
        (health["status"]!.GetValue<string>(), health["detail"]!.GetValue<string>().Contains("AGNES_DISK_RESERVE", StringComparison.Ordinal)).ShouldBe(("error", true));
    }

    [Fact]
    public async Task What_people_send_to_be_kept_says_that_it_fills_the_disk()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<DiskFilling>() is not null).Select(route => "/" + route.RoutePattern.RawText!.Trim('/')).Order(StringComparer.Ordinal)
            .ShouldBe(["/api/catalog/profile/{table_name}/refresh", "/api/jira/webhook", "/api/sync/trigger", "/api/upload/artifacts", "/api/upload/local-md", "/api/upload/sessions", "/api/v2/scan", "/webhooks/in/{connection}", "/webhooks/jira"]);

        // Whoever takes more than a control write's megabyte takes it to keep it, or is for admins, or says here why it may.
        string[] read = ["/api/query", "/api/query/explain"];
        server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize > 1 << 20 && route.Metadata.GetMetadata<DiskFilling>() is null)
            .Where(route => route.Metadata.GetMetadata<EndpointAccess>() is not EndpointAccess.AdminAccess).Select(route => "/" + route.RoutePattern.RawText!.Trim('/')).ShouldBe(read);
    }

    [Theory]
    [InlineData("5%", 1000L << 30, 50L << 30)]
    [InlineData("2GiB", 1000L << 30, 2L << 30)]
    [InlineData("500 MiB", 1L << 30, 500L << 20)]
    [InlineData("1.5GiB", 1L << 40, 3L << 29)]
    [InlineData("4096", 1L << 40, 4096L)]
    public void A_reserve_is_a_size_or_a_share(string text, long disk, long bytes) => DiskShare.Parse("AGNES_DISK_RESERVE", text).On(disk).ShouldBe(bytes);

    [Theory]
    [InlineData("lots")]
    [InlineData("-1")]
    [InlineData("95%")]
    [InlineData("")]
    public void What_is_no_reserve_is_not_started_with(string text) => Should.Throw<OptionsException>(() => DiskShare.Parse("AGNES_DISK_RESERVE", text)).Message.ShouldContain("AGNES_DISK_RESERVE");

    [Fact]
    public async Task Who_calls_too_fast_waits_whatever_token_they_use_and_others_do_not_nor_does_a_pull()
    {
        const int rate = 5;
        const int burst = rate * 6;
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { CallsPerSecond = rate } });
        var made = await shop.AsAnalystAsync("POST", "/auth/tokens", """{"name":"second"}""");
        string[] tokens = [shop.Analyst, made.Text("token")];
        var watch = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => shop.Server.SendAsync("GET", "/api/catalog/tables", token: tokens[i % 2])));
        var passed = answers.Count(answer => answer.Status == 200);
        passed.ShouldBeInRange(burst / 2, burst + (int)(watch.Elapsed.TotalSeconds * rate) + 1);
        var refused = answers.First(answer => answer.Status != 200);
        refused.Status.ShouldBe(429);
        int.Parse(refused.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(1, 2);
        (await shop.AsAdminAsync("GET", "/api/catalog/tables")).Status.ShouldBe(200);

        // The parts of a pull count little: somebody who used up their burst still gets on with it.
        var parts = await Task.WhenAll(Enumerable.Range(0, 400).Select(_ => shop.Server.SendAsync("GET", "/api/sync/manifest", token: shop.Admin)));
        parts.ShouldAllBe(answer => answer.Status == 200);
    }

    [Fact]
    public void To_be_asked_how_fast_somebody_calls_costs_next_to_nothing()
    {
        const int calls = 1_000_000;
        var rates = new ApiRates(new ServerOptions { DataDir = "", StateDir = "", Limits = new LimitOptions { CallsPerSecond = 1_000_000 } }, TimeProvider.System);
        for (var i = 0; i < 10_000; i++) rates.Refusal("ana", countsLittle: true);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < calls; i++) rates.Refusal("ana", countsLittle: true);
        watch.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(5)), "a microsecond each, on a machine that does five other things");
    }

    /// <summary>A disk cannot be filled here, but what is to stay free can grow.</summary>
    private sealed record Rising() : DiskShare(0, null)
    {
        public bool IsAll { get; set; }

        public override long On(long diskBytes) => IsAll ? long.MaxValue / 2 : 0;
    }

    /// <summary>Counts are of a minute of the clock: begin at its start.</summary>
    private static void BeginMinute(TestServer server) => server.Time.Advance(TimeSpan.FromSeconds(61 - server.Time.GetUtcNow().Second));

    private static Task HistoryAsync(TestServer server, string table) => server.State.WriteAsync(write => write.ExecuteAsync(
        "INSERT INTO sync_history (id, table_id, synced_at, status) VALUES (@id, @table, @now, 'ok')", new { id = write.NewId(), table, now = write.Now }));

    private static async Task UploadAsync(Shop shop, string name)
    {
        var answer = await shop.Server.SendAsync("POST", "/api/upload/artifacts", "{}", shop.Admin, request =>
        {
            var form = new MultipartFormDataContent();
            var file = new ByteArrayContent(Encoding.UTF8.GetBytes("x"));
            file.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
            form.Add(file, "file", name);
            request.Content = form;
        });
        answer.Status.ShouldBe(200, answer.Body);
    }
}
