using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.EndToEnd.Fixtures;
using Agnes.Testing;

[assembly: AssemblyFixture(typeof(DemoServer))]

namespace Agnes.EndToEnd.Fixtures;

/// <summary>Somebody of the demo.</summary>
public sealed record Person(string Email, string Password, string Token);

/// <summary>One real server with the demo's people and tables, started when the first test asks for it, shared by all, ended with them. Do not break it for the others.</summary>
public sealed class DemoServer : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly Lazy<Task<Started>> _started;
    private readonly TemporaryFolder _data = new();
    private readonly ConcurrentDictionary<Person, Lazy<Task<string>>> _sessions = new();

    public DemoServer() => _started = new Lazy<Task<Started>>(StartAsync);

    /// <summary>Without a trailing slash.</summary>
    public async Task<string> UrlAsync() => (await _started.Value).Url;

    public async Task<int> ProcessIdAsync() => await (await _started.Value).Process.Pid;

    public async Task<Person> AdminAsync() => (await _started.Value).Admin;

    /// <param name="group"><c>finance</c> or <c>marketing</c>.</param>
    public async Task<Person> AnalystAsync(string group) => (await _started.Value).Analysts[group];

    /// <summary>A client that is signed in by token, or not at all; it follows no redirects.</summary>
    public async Task<HttpClient> ClientAsync(Person? person = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(await UrlAsync()) };
        if (person is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", person.Token);
        return client;
    }

    /// <summary>A session as browsers have it, for the cookie <c>access_token</c>.</summary>
    public Task<string> SessionAsync(Person person) => _sessions.GetOrAdd(person, who => new Lazy<Task<string>>(() => SignInAsync(who))).Value;

    private async Task<string> SignInAsync(Person person)
    {
        using var client = await ClientAsync();
        using var response = await client.PostAsJsonAsync("/auth/token", new { email = person.Email, password = person.Password });
        response.EnsureSuccessStatusCode();
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["access_token"]!;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated && _started.Value.IsCompletedSuccessfully) await (await _started.Value).Process.DisposeAsync();
        _data.Dispose();
    }

    private async Task<Started> StartAsync()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["AGNES_AUTH_RATELIMIT_ENABLED"] = "0", ["AGNES_API_RATE"] = "0", ["AGNES_CHECK_STATE"] = "1", ["AGNES_MEMORY"] = "1GiB" };
        var process = Processes.Start([Processes.Program("agnes-server"), "--demo", "--data-dir", _data.Path, "--urls", "http://127.0.0.1:0"], environment);
        var deadline = Environment.TickCount64 + (long)StartLimit.TotalMilliseconds;

        // It is written when the demo's tables are published, and holds whatever else a test wants to know.
        var file = _data["demo.json"];
        while (!File.Exists(file))
        {
            if (Environment.TickCount64 < deadline && await process.IsRunningAsync())
            {
                await Task.Delay(LookEvery);
                continue;
            }

            var said = process.Said;
            await process.DisposeAsync();
            throw new InvalidOperationException($"The demo server did not become ready:\n{said}");
        }

        return Read(process, JsonNode.Parse(await File.ReadAllTextAsync(file))!);
    }

    private static Started Read(Running process, JsonNode demo) => new(
        process,
        (string)demo["url"]!,
        PersonOf(demo["admin"]!),
        demo["analysts"]!.AsArray().ToDictionary(analyst => (string)analyst!["groups"]![0]!, analyst => PersonOf(analyst!), StringComparer.Ordinal));

    private static Person PersonOf(JsonNode node) => new((string)node["email"]!, (string)node["password"]!, (string)node["token"]!);

    private sealed record Started(Running Process, string Url, Person Admin, IReadOnlyDictionary<string, Person> Analysts);
}
