using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Http;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Agnes.Server.Tests.Serving;

/// <summary>The real server on a port of its own, over a real state in a temporary folder.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string AdminEmail = "root@example.com";
    public const string AdminPassword = "a long password";

    /// <summary>Hundreds of tests sign in; what a hash costs is tested by itself.</summary>
    private const int PasswordIterations = 100;

    /// <summary>A state of which nobody has made anything: making its tables takes as long as the rest of a start.</summary>
    private static readonly Lazy<Task<EndedServer>> Migrated = new(MigratedAsync);

    private readonly TemporaryFolder _folder;
    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private TestServer(TemporaryFolder folder, WebApplication app, MovableTime time)
    {
        _folder = folder;
        _app = app;
        Time = time;
        Url = app.Urls.First();
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(Url) };
    }

    /// <summary>What a test names that stands in a proxy's place itself, by sending its headers.</summary>
    public static IReadOnlyList<System.Net.IPNetwork> ThisMachine { get; } = [System.Net.IPNetwork.Parse("127.0.0.0/8")];

    public string Url { get; }

    public MovableTime Time { get; }

    public IServiceProvider Services => _app.Services;

    public StateDb State => Services.GetRequiredService<StateDb>();

    public string StateDir => _folder["state"];

    /// <param name="change">What the test's server does differently; by default it has the seeded admin and no rate limits.</param>
    /// <param name="like">A server that has ended: this one goes on from what it left. Null: it begins with nothing.</param>
    public static async Task<TestServer> StartAsync(
        StateEngine engine, Postgres postgres, Func<ServerOptions, ServerOptions>? change = null, Action<IServiceCollection>? adjust = null,
        Action<WebApplication>? map = null, EndedServer? like = null)
    {
        var folder = new TemporaryFolder();
        if (like is not null) await like.CopyToAsync(folder.Path);
        else if (engine == StateEngine.DuckDb) await (await Migrated.Value).CopyToAsync(folder.Path);
        var time = new MovableTime();
        var options = new ServerOptions
        {
            DataDir = folder.Path,
            StateDir = folder["state"],
            Settings = SettingList.All,
            StateUrl = engine == StateEngine.Postgres ? await postgres.NewDatabaseAsync(like?.StateUrl) : null,
            Urls = "http://127.0.0.1:0",
            SeedAdminEmail = AdminEmail,
            SeedAdminPassword = AdminPassword,
            RateLimits = false,
            CheckState = true,
            Limits = new LimitOptions { CallsPerSecond = 0, RefusalsStored = 100_000 },
        };
        var app = await ServerApp.BuildAsync(change is null ? options : change(options), services =>
        {
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(time));
            services.Replace(ServiceDescriptor.Singleton(new Passwords(PasswordIterations)));
            services.Configure<LoggerFilterOptions>(filter => filter.MinLevel = LogLevel.Critical);
            adjust?.Invoke(services);
        });
        map?.Invoke(app);
        await app.StartAsync();
        return new TestServer(folder, app, time) { StateUrl = options.StateUrl };
    }

    private string? StateUrl { get; init; }

    private static async Task<EndedServer> MigratedAsync()
    {
        var folder = new TemporaryFolder();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        await (await StateDb.OpenAsync(new StateOptions { DataDir = folder.Path, StateDir = folder["state"] })).DisposeAsync();
        return new EndedServer(folder, null);
    }

    /// <summary>Ends it and keeps what it had, for others to go on from.</summary>
    public async Task<EndedServer> EndAsync()
    {
        await StopAsync();
        return new EndedServer(_folder, StateUrl);
    }

    public async Task<Answer> SendAsync(string method, string path, string? body = null, string? token = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, body.StartsWith('{') || body.StartsWith('[') ? "application/json" : "application/x-www-form-urlencoded");
        change?.Invoke(request);
        using var response = await _client.SendAsync(request);
        var answer = new Answer(
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync(),
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join("; ", header.Value), StringComparer.OrdinalIgnoreCase));
        await Described.CheckAsync(Services, method, path, answer);
        return answer;
    }

    /// <summary>A session of the user, as the command line gets one.</summary>
    public async Task<string> SignInAsync(string email = AdminEmail, string password = AdminPassword)
    {
        var answer = await SendAsync("POST", "/auth/token", new JsonObject { ["email"] = email, ["password"] = password }.ToJsonString());
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Text("access_token");
    }

    /// <summary>The developer's session, as a browser gets it from the address of this start.</summary>
    public async Task<string> OpenLocalDoorAsync() =>
        SignIn.SignInVisit.SessionOf(await SendAsync("GET", Services.GetRequiredService<Agnes.Server.Features.SignIn.LocalDoor>().Path)) ?? throw new InvalidOperationException("The address opened nothing.");

    /// <summary>What opens the way to the first admin.</summary>
    public Task<string> BootstrapCodeAsync() => File.ReadAllTextAsync(Path.Combine(StateDir, ".bootstrap_code"));

    /// <summary>The audit log, oldest first, once everything appended is in it.</summary>
    public async Task<IReadOnlyList<AuditRow>> AuditAsync()
    {
        await State.FlushAsync();
        return await State.ReadAsync<AuditRow>("SELECT user_id, action, resource, params, result FROM audit_log ORDER BY timestamp, id");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private async Task StopAsync()
    {
        _client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>What a server left behind: its folder, and its database where it had one.</summary>
internal sealed record EndedServer(TemporaryFolder Folder, string? StateUrl)
{
    /// <summary>With attributes and times, which tell of a table's parts that they are whole.</summary>
    public async Task CopyToAsync(string folder)
    {
        using var copy = Process.Start("/bin/cp", ["-a", $"{Folder.Path}/.", folder]);
        await copy.WaitForExitAsync();
        copy.ExitCode.ShouldBe(0);
    }
}

internal sealed record AuditRow
{
    public string? UserId { get; init; }
    public string Action { get; init; } = "";
    public string? Resource { get; init; }
    public string? Params { get; init; }
    public string? Result { get; init; }
}

internal sealed record Answer(int Status, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    public string Text(string key) => Json[key]!.GetValue<string>();

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>The machine's clock, moved as a test likes.</summary>
internal sealed class MovableTime : TimeProvider
{
    private TimeSpan _ahead;

    public void Advance(TimeSpan by) => _ahead += by;

    /// <summary>So that what is counted by the minute falls into one.</summary>
    public void AdvanceToNextMinute() => Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(GetUtcNow().Ticks % TimeSpan.TicksPerMinute));

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;
}
