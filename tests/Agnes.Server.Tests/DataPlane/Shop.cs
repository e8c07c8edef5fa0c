using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(Agnes.Server.Tests.DataPlane.Shops))]

namespace Agnes.Server.Tests.DataPlane;

/// <summary>
/// A server with published tables: <c>orders</c> (registered, granted to the analyst), <c>salaries</c> (registered, granted to nobody) and <c>loose</c>
/// (published by an extract, registered by nobody).
/// </summary>
internal sealed class Shop : IAsyncDisposable
{
    private Shop(TestServer server, string dataDir) => (Server, DataDir) = (server, dataDir);

    public TestServer Server { get; }

    public string DataDir { get; }

    public string Admin { get; private set; } = "";

    public string Analyst { get; private set; } = "";

    public string GroupId { get; private set; } = "";

    /// <param name="isFresh">Its server has just published its first tables; else it goes on from where another ended.</param>
    public static async Task<Shop> OpenAsync(
        StateEngine engine, Postgres postgres, Func<ServerOptions, ServerOptions>? change = null, Action<IServiceCollection>? adjust = null,
        Action<WebApplication>? map = null, bool isFresh = false)
    {
        if (OperatingSystem.IsWindows() || isFresh) return await FillAsync(engine, postgres, change, adjust, map);
        var shop = await Template.OfAsync(engine, postgres);
        var dataDir = "";
        var server = await TestServer.StartAsync(engine, postgres, options =>
        {
            dataDir = options.DataDir;
            WriteExtract(dataDir); // its views name the folder that they are in
            return change is null ? options : change(options);
        }, adjust, app =>
        {
            app.Services.GetRequiredService<SourcePublisher>().Seen("erp"); // as where it was published
            map?.Invoke(app);
        }, shop.Server);
        return new Shop(server, dataDir) { Admin = shop.Admin, Analyst = shop.Analyst, GroupId = shop.GroupId };
    }

    public Task<Answer> AsAdminAsync(string method, string path, string? body = null) => Server.SendAsync(method, path, body, Admin);

    public Task<Answer> AsAnalystAsync(string method, string path, string? body = null, Action<HttpRequestMessage>? change = null) => Server.SendAsync(method, path, body, Analyst, change);

    /// <summary>Starts a run and waits for its end.</summary>
    public async Task<JsonNode> SyncAsync(string? body = null)
    {
        var started = await AsAdminAsync("POST", "/api/sync/trigger", body);
        started.Status.ShouldBe(200, started.Body);
        return await EndOfAsync(started.Text("run_id"));
    }

    public async Task<JsonNode> EndOfAsync(string runId)
    {
        for (var i = 0; i < 600; i++)
        {
            var run = (await AsAdminAsync("GET", $"/api/sync/runs/{runId}")).Json;
            if (run["finished_at"] is not null) return run;
            await Task.Delay(100);
        }
        throw new TimeoutException($"The run {runId} did not end.");
    }

    public async Task EventuallyAsync(Func<bool> holds, string what)
    {
        for (var i = 0; i < 600; i++)
        {
            if (holds()) return;
            await Task.Delay(50);
        }
        throw new TimeoutException($"It never came to be that {what}.");
    }

    public async Task SignInAgainAsync() => Admin = await Server.SignInAsync();

    /// <summary>Runs a job and waits for its end.</summary>
    public async Task<JobRow> RunAsync(JobRequest request)
    {
        var jobs = Server.Services.GetRequiredService<JobRunner>();
        JobStart start;
        while ((start = await jobs.StartAsync(request, CancellationToken.None)) is not JobStart.Started) await Task.Delay(50); // the server's own
        var started = (JobStart.Started)start;
        for (var i = 0; i < 600; i++)
        {
            var job = (await Server.State.ReadAsync<JobRow>("SELECT * FROM jobs WHERE id = @Id", new { started.Id }))[0];
            if (job.FinishedAt is not null) return job;
            await Task.Delay(50);
        }
        throw new TimeoutException($"The {request.Kind} job did not end.");
    }

    public async Task RegisterAsync(string body) => (await AsAdminAsync("POST", "/api/admin/register-table", body)).Status.ShouldBe(201);

    /// <summary>As the analyst asks.</summary>
    public Task<Answer> QueryAsync(string sql) => AsAnalystAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString());

    /// <summary>The rows of an answer that is there, as JSON.</summary>
    public async Task<string> RowsAsync(string sql)
    {
        var answer = await QueryAsync(sql);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Json["rows"]!.ToJsonString();
    }

    public async Task GrantAsync(string table) =>
        (await AsAdminAsync("POST", "/api/admin/grants", new JsonObject { ["group_id"] = GroupId, ["resource_type"] = "table", ["resource_id"] = table }.ToJsonString())).Status.ShouldBe(201);

    public string WriteCsv(string name, string text)
    {
        var path = Path.Combine(DataDir, "csv", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static async Task<Shop> FillAsync(
        StateEngine engine, Postgres postgres, Func<ServerOptions, ServerOptions>? change, Action<IServiceCollection>? adjust, Action<WebApplication>? map)
    {
        var dataDir = "";
        var server = await TestServer.StartAsync(engine, postgres, options =>
        {
            dataDir = options.DataDir;
            WriteExtract(dataDir);
            return change is null ? options : change(options);
        }, adjust, map);
        var shop = new Shop(server, dataDir);
        await shop.FillAsync();
        return shop;
    }

    private static void WriteExtract(string dataDir) => ForeignExtract.Write(
        dataDir, "erp",
        ("Orders", "SELECT i AS id, 'name ' || i AS name, i * 1.5 AS amount FROM range(1000) t(i)"),
        ("salaries", "SELECT 'secret' AS who, 1 AS pay"),
        ("loose", "SELECT 1 AS a"));

    private async Task FillAsync()
    {
        Admin = await Server.SignInAsync();
        await EventuallyAsync(() => Server.State.Snapshot.PublishedTable("loose") is not null, "the extract was published");
        await RegisterAsync("""{"name":"Orders","source_type":"keboola","description":"what was bought"}""");
        await RegisterAsync("""{"name":"salaries","source_type":"keboola"}""");
        var user = (await AsAdminAsync("POST", "/api/users", """{"email":"ana@example.com","name":"Ana"}""")).Text("id");
        (await AsAdminAsync("POST", $"/api/users/{user}/set-password", """{"password":"correct horse"}""")).Status.ShouldBeInRange(200, 299);
        GroupId = (await AsAdminAsync("POST", "/api/admin/groups", """{"name":"Analysts"}""")).Text("id");
        (await AsAdminAsync("POST", $"/api/admin/groups/{GroupId}/members", """{"email":"ana@example.com"}""")).Status.ShouldBeInRange(200, 299);
        await GrantAsync("orders");
        Analyst = await Server.SignInAsync("ana@example.com", "correct horse");
    }
}

/// <summary>A shop that was filled and has ended, for each engine: filling one takes four times as long as going on from it.</summary>
internal sealed record Template(EndedServer Server, string Admin, string Analyst, string GroupId)
{
    /// <summary>What is due each quarter of an hour would be at once where it is older.</summary>
    private static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(5);

    private static readonly Lock Making = new();
    private static readonly Dictionary<(StateEngine, Postgres?), (Task<Template> Made, long Since)> Newest = []; // under Making
    private static readonly ConcurrentBag<EndedServer> All = [];

    static Template() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var server in All) server.Folder.Dispose();
    };

    public static Task<Template> OfAsync(StateEngine engine, Postgres postgres)
    {
        var key = (engine, engine == StateEngine.Postgres ? postgres : null);
        lock (Making)
        {
            if (Newest.TryGetValue(key, out var newest) && Stopwatch.GetElapsedTime(newest.Since) < AgeMax) return newest.Made;
            var made = MakeAsync(engine, postgres);
            Newest[key] = (made, Stopwatch.GetTimestamp());
            return made;
        }
    }

    private static async Task<Template> MakeAsync(StateEngine engine, Postgres postgres)
    {
        var shop = await Shop.OpenAsync(engine, postgres, isFresh: true);
        var ended = await shop.Server.EndAsync();
        All.Add(ended);
        return new(ended, shop.Admin, shop.Analyst, shop.GroupId);
    }
}

/// <summary>One shop for each engine, for tests that only read.</summary>
public sealed class Shops : IAsyncDisposable
{
    private readonly Dictionary<StateEngine, Task<Shop>> _shops = [];
    private readonly Lock _making = new();

    internal Task<Shop> OnAsync(StateEngine engine, Postgres postgres)
    {
        lock (_making)
        {
            return _shops.TryGetValue(engine, out var shop) ? shop : _shops[engine] = Shop.OpenAsync(engine, postgres);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var shop in _shops.Values.Where(shop => shop.IsCompletedSuccessfully)) await (await shop).DisposeAsync();
    }
}
