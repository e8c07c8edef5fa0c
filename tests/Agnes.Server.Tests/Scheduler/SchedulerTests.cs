using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Agnes.Server.Commands.Scheduler;
using Agnes.Server.Features.Scheduler;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Agnes.Server.Tests.Scheduler;

/// <summary>A scheduler beside the server calls it when its jobs are due, knows after a restart what it did before, and opens nothing.</summary>
public sealed class SchedulerTests(Postgres postgres)
{
    private const string Token = "0123456789abcdef0123456789abcdef-scheduler";

    [Theory]
    [InlineData(900, "every 15m")]
    [InlineData(90, "every 2m")]
    [InlineData(3601, "every 61m")]
    [InlineData(7200, "every 2h")]
    [InlineData(1, "every 1m")]
    public void Seconds_become_whole_hours_or_minutes_rounded_up(int seconds, string schedule) => SchedulerOptions.ScheduleOf(seconds).ShouldBe(schedule);

    [Theory]
    [InlineData("SCHEDULER_DATA_REFRESH_INTERVAL", "")]
    [InlineData("SCHEDULER_DATA_REFRESH_INTERVAL", "0")]
    [InlineData("SCHEDULER_HEALTH_CHECK_INTERVAL", "five")]
    [InlineData("SCHEDULER_BQ_METADATA_REFRESH_INTERVAL", "-1")]
    [InlineData("SCHEDULER_HEALTH_CHECK_INTERVAL", "20")] // shorter than a tick
    [InlineData("SCHEDULER_TICK_SECONDS", "301")]
    [InlineData("SCHEDULER_STARTUP_GRACE_SECONDS", "-1")]
    [InlineData("API_URL", "data.example.com")]
    [InlineData("API_URL", "https://user:word@data.example.com")]
    public void What_cannot_be_meant_stops_the_start(string name, string value) => Should.Throw<OptionsException>(() => SchedulerOptions.From([], asked => asked == name ? value : null));

    [Fact]
    public void What_is_not_set_is_as_it_always_was()
    {
        var options = SchedulerOptions.From([], name => name == "SCHEDULER_STARTUP_GRACE_SECONDS" ? "0" : null);
        (options.Api.AbsoluteUri, options.Tick, options.Grace, options.Token).ShouldBe(("http://localhost:8000/", TimeSpan.FromSeconds(30), TimeSpan.Zero, null));
        options.Calls.Select(call => (call.Name, call.Schedule)).ShouldBe([("data-refresh", "every 15m"), ("health-check", "every 5m"), ("bq-metadata-refresh", "every 4h")]);
        SchedulerOptions.IsAsked(["--role", "scheduler"], _ => null).ShouldBeTrue();
        SchedulerOptions.IsAsked([], name => name == "AGNES_ROLE" ? "scheduler" : null).ShouldBeTrue();
        SchedulerOptions.IsAsked([], _ => null).ShouldBeFalse();
    }

    [Fact]
    public async Task Against_a_server_its_calls_are_made_when_due_and_not_again_after_a_restart()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SchedulerToken = Token });
        var time = new MovableTime();
        await using (var first = Loop(server.Url, time))
        {
            await first.TickedAsync();
            var jobs = await ReportAsync(server);
            jobs.Select(job => job!["name"]!.GetValue<string>()).ShouldBe(["data-refresh", "health-check"], "that of metadata has some of its four hours left");
            jobs.ShouldAllBe(job => job!["last_status"]!.GetValue<string>() == "ok" && job["last_http_status"]!.GetValue<int>() == 200);
        }
        (await server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync'")).ShouldBe([1L]);
        for (var i = 0; i < 400 && (await server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE finished_at IS NULL"))[0] > 0; i++) await Task.Delay(25);

        await using var second = Loop(server.Url, time);
        time.Advance(TimeSpan.FromMinutes(6));
        await second.TickedAsync();
        (await server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync'")).ShouldBe([1L], "it was done six minutes ago");
        var health = (await ReportAsync(server)).Single(job => job!["name"]!.GetValue<string>() == "health-check")!;
        health["last_started"]!.GetValue<string>().ShouldBe((await ReportAsync(server))[1]!["last_started"]!.GetValue<string>());
        time.Advance(TimeSpan.FromMinutes(10));
        await second.TickedAsync();
        (await server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = 'sync'")).ShouldBe([2L], (await ReportAsync(server)).ToJsonString());
        (await second.HealthAsync()).ShouldContain("\"seconds_since_tick\":");
    }

    [Fact]
    public async Task A_call_under_way_is_not_made_again_a_busy_server_is_no_failure_and_what_fails_is_called_less_often()
    {
        await using var stub = await Stub.StartAsync();
        var time = new MovableTime();
        await using var loop = Loop(stub.Url, time);
        stub.Answers["/api/sync/trigger"] = 409;
        stub.Answers["/api/health"] = 500;
        stub.Hold = new TaskCompletionSource();
        await loop.Loop.TickAsync(CancellationToken.None);
        await UntilAsync(() => stub.Called("/api/sync/trigger") == 1 && stub.Reports.Count == 1);
        time.Advance(TimeSpan.FromMinutes(20));
        for (var i = 0; i < 400 && stub.Called("/api/health") < 2; i++)
        {
            await loop.Loop.TickAsync(CancellationToken.None); // the first may not have ended quite
            await Task.Delay(25);
        }
        stub.Called("/api/sync/trigger").ShouldBe(1, "it is under way");
        stub.Hold.SetResult();
        await loop.Loop.IdleAsync();
        var reports = stub.Reports.Select(body => JsonNode.Parse(body)!).ToLookup(body => body["name"]!.GetValue<string>());
        reports["data-refresh"].Single()["status"]!.GetValue<string>().ShouldBe("ok");
        reports["health-check"].Select(report => (report["status"]!.GetValue<string>(), report["http_status"]!.GetValue<int>()))
            .ShouldBe([("failed", 500), ("failed", 500)]);
        stub.Bearers.ShouldAllBe(bearer => bearer == $"Bearer {Token}");

        time.Advance(TimeSpan.FromMinutes(6));
        await loop.TickedAsync();
        stub.Called("/api/health").ShouldBe(2, "it failed twice, so it waits for ten minutes");
        time.Advance(TimeSpan.FromMinutes(5));
        await loop.TickedAsync();
        await UntilAsync(() => stub.Called("/api/health") == 3);
    }

    [Fact]
    public async Task The_process_opens_no_state_tells_its_health_and_waits_at_its_end_for_what_is_under_way()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("No SIGTERM there.");
        await using var stub = await Stub.StartAsync();
        stub.Hold = new TaskCompletionSource();
        using var folder = new TemporaryFolder();
        var data = folder["data"];
        var port = FreePort();
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "agnes-server"), ["--role", "scheduler", "--data-dir", data, "--urls", $"http://127.0.0.1:{port}"])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in ((string, string)[])[("API_URL", stub.Url), ("SCHEDULER_STARTUP_GRACE_SECONDS", "0"), ("SCHEDULER_TICK_SECONDS", "1"), ("SCHEDULER_API_TOKEN", Token)])
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await UntilAsync(() => stub.Called("/api/sync/trigger") == 1);
            using var client = new HttpClient();
            var health = JsonNode.Parse(await client.GetStringAsync($"http://127.0.0.1:{port}/healthz"))!;
            health["status"]!.GetValue<string>().ShouldBe("ok");
            health["seconds_since_tick"]!.GetValue<long>().ShouldBeInRange(0, 60);
            using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
            await Task.Delay(1000);
            process.HasExited.ShouldBeFalse("a call is under way");
            stub.Hold.SetResult();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            process.ExitCode.ShouldBe(0);
            stub.Reports.ShouldContain(body => body.Contains("data-refresh"));
            Directory.Exists(data).ShouldBeFalse("nothing was opened");
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        (await errors).ShouldNotContain(Token);
    }

    [Theory, OnBothEngines]
    public async Task Reports_are_kept_a_row_a_job_and_not_without_end(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres, options => options with { SchedulerToken = Token });
        string Body(string name, string status) => $$"""
            {"name":"{{name}}","started_at":"2026-11-30T01:00:00.1234567Z","finished_at":"2026-11-30T01:00:05Z","status":"{{status}}","http_status":500,"error":"password=hunter2 is wrong"}
            """;
        for (var i = 0; i < 3; i++) (await server.SendAsync("POST", "/api/admin/scheduler/report", Body("data-refresh", "failed"), Token)).Status.ShouldBe(200);
        var job = (await ReportAsync(server)).Single()!;
        job["consecutive_failures"]!.GetValue<int>().ShouldBe(3);
        job["last_error"]!.GetValue<string>().ShouldNotContain("hunter2");
        (await server.SendAsync("POST", "/api/admin/scheduler/report", Body("data-refresh", "ok"), Token)).Status.ShouldBe(200);
        (await ReportAsync(server)).Single()!["consecutive_failures"]!.GetValue<int>().ShouldBe(0);
        (await server.SendAsync("POST", "/api/admin/scheduler/report", Body("Data Refresh", "ok"), Token)).Status.ShouldBe(422);
        (await server.SendAsync("POST", "/api/admin/scheduler/report", Body("x", "ok").Replace("2026-11-30T01:00:05Z", "soon"), Token)).Status.ShouldBe(422);
        for (var i = 0; i < SchedulerJobs.JobsMax - 1; i++) (await server.SendAsync("POST", "/api/admin/scheduler/report", Body($"job{i}", "ok"), Token)).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/api/admin/scheduler/report", Body("one-more", "ok"), Token)).Status.ShouldBe(409);
        (await server.SendAsync("POST", "/api/admin/scheduler/report", Body("data-refresh", "ok"), Token)).Status.ShouldBe(200);
    }

    private static Running Loop(string url, TimeProvider time)
    {
        var options = SchedulerOptions.From(["--urls", "http://127.0.0.1:0"], name => name switch { "API_URL" => url, "SCHEDULER_API_TOKEN" => Token, _ => null });
        return new Running(SchedulerMain.Build(options with { Grace = TimeSpan.FromDays(1), LogLevel = LogLevel.Critical }, services => services.Replace(ServiceDescriptor.Singleton(time))));
    }

    private static async Task<JsonArray> ReportAsync(TestServer server) =>
        (await server.SendAsync("GET", "/api/admin/scheduler/report", token: Token)).Json["jobs"]!.AsArray();

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 1200 && !holds(); i++) await Task.Delay(25);
        holds().ShouldBeTrue();
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Running(WebApplication app) : IAsyncDisposable
    {
        private bool _isStarted;

        public SchedulerLoop Loop => app.Services.GetRequiredService<SchedulerLoop>();

        /// <summary>A tick, and all that it started.</summary>
        public async Task TickedAsync()
        {
            await Loop.TickAsync(CancellationToken.None);
            await Loop.IdleAsync();
        }

        public async Task<string> HealthAsync()
        {
            if (!_isStarted) await app.StartAsync();
            _isStarted = true;
            using var client = new HttpClient();
            return await client.GetStringAsync($"{app.Urls.First()}/healthz");
        }

        public async ValueTask DisposeAsync()
        {
            if (_isStarted) await app.StopAsync();
            await app.DisposeAsync();
        }
    }

    /// <summary>Stands in for a server that is slow, busy or ill.</summary>
    private sealed class Stub(WebApplication app) : IAsyncDisposable
    {
        private readonly ConcurrentQueue<string> _paths = new();

        public ConcurrentDictionary<string, int> Answers { get; } = new();

        public ConcurrentQueue<string> Reports { get; } = new();

        public ConcurrentQueue<string> Bearers { get; } = new();

        /// <summary>What the trigger waits for.</summary>
        public TaskCompletionSource? Hold { get; set; }

        public string Url => app.Urls.First();

        public int Called(string path) => _paths.Count(called => called == path);

        public static async Task<Stub> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var stub = new Stub(app);
            app.Urls.Add("http://127.0.0.1:0");
            app.Map("/{**path}", async (HttpContext context) =>
            {
                var path = context.Request.Path.Value!;
                stub._paths.Enqueue(path);
                stub.Bearers.Enqueue(context.Request.Headers.Authorization.ToString());
                using var reader = new StreamReader(context.Request.Body);
                if (path.EndsWith("/report") && context.Request.Method == "POST") stub.Reports.Enqueue(await reader.ReadToEndAsync());
                if (path == "/api/sync/trigger" && stub.Hold is { } hold) await hold.Task;
                context.Response.StatusCode = stub.Answers.GetValueOrDefault(path, 200);
                if (path.EndsWith("/report") && context.Request.Method == "GET") await context.Response.WriteAsync("{\"jobs\":[]}");
            });
            await app.StartAsync();
            return stub;
        }

        public ValueTask DisposeAsync()
        {
            Hold?.TrySetResult();
            return app.DisposeAsync();
        }
    }
}
