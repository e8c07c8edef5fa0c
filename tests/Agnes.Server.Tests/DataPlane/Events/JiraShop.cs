using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>A server whose Jira is the emulator.</summary>
internal sealed class JiraShop : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Readable =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly HttpClient Client = new();

    private JiraShop(TestServer server, JiraServer jira, string admin) => (Server, Jira, Admin) = (server, jira, admin);

    public TestServer Server { get; }

    public JiraServer Jira { get; }

    public string Admin { get; }

    /// <summary>The server has ended already, and is not ended again.</summary>
    public bool IsEnded { get; set; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="change">Variables that are set besides.</param>
    public static async Task<JiraShop> OpenAsync(
        Postgres postgres, JiraServer jira, EndedServer? from = null, StateEngine engine = StateEngine.DuckDb,
        Action<Dictionary<string, string>>? change = null)
    {
        var variables = new Dictionary<string, string>
        {
            ["JIRA_WEBHOOK_SECRET"] = JiraDeliveries.Secret,
            ["JIRA_DOMAIN"] = "site.example.com",
            ["JIRA_EMAIL"] = JiraServer.Email,
            ["JIRA_API_TOKEN"] = JiraServer.Token,
            ["JIRA_CLOUD_ID"] = JiraServer.CloudId,
            ["JIRA_SLA_EMAIL"] = JiraServer.SlaEmail,
            ["JIRA_SLA_API_TOKEN"] = JiraServer.SlaToken,
            ["JIRA_BASE_URL"] = jira.Address,
            ["JIRA_CLOUD_API_BASE"] = jira.Address,
        };
        change?.Invoke(variables);
        var server = await TestServer.StartAsync(
            engine, postgres,
            options => options with
            {
                Variables = name => variables.GetValueOrDefault(name) ?? options.Variables(name),
                AllowedPrivateHosts = ["127.0.0.1"],
            },
            like: from);
        return new JiraShop(server, jira, await server.SignInAsync());
    }

    /// <summary>Has Jira post what happened there.</summary>
    public async Task PostAsync(params IReadOnlyList<WebhookEvent> events)
    {
        var deliveries = await new JiraWebhooks(Client, new Uri($"{Server.Url}{JiraDeliveries.Address}"), JiraDeliveries.Secret)
            .PostAsync(events, new DeliveryOptions { RetriesMax = 0 }, Stop);
        deliveries.Where(one => one.Event.Json["issue"] is not null).ShouldAllBe(one => one.IsAcknowledged);
    }

    public async Task<string> RowsAsync(string sql)
    {
        var answer = await Server.SendAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString(), Admin);
        return answer.Status == 200 ? answer.Json["rows"]!.ToJsonString(Readable) : answer.Body;
    }

    public Task SeenAsync(string sql, string rows) => EventuallyAsync(() => RowsAsync(sql), rows, sql);

    public async Task EventuallyAsync<T>(Func<Task<T>> look, T expected, string what)
    {
        T last = default!;
        for (var i = 0; i < 300; i++)
        {
            last = await look();
            if (Equals(last, expected)) return;
            await Task.Delay(100, Stop);
        }

        last.ShouldBe(expected, what);
    }

    /// <summary>Starts a job and waits for its end.</summary>
    public async Task<JsonNode> RunAsync(string what, string body = "{}")
    {
        var started = await Server.SendAsync("POST", $"/api/admin/jira/{what}", body, Admin);
        started.Status.ShouldBe(200, started.Body);
        return await EndOfAsync(started.Text("run_id"));
    }

    public async Task<JsonNode> EndOfAsync(string run)
    {
        JsonNode last = new JsonObject();
        for (var i = 0; i < 600; i++)
        {
            last = (await StatusAsync())["jobs"]!.AsArray().Single(job => (string?)job!["run_id"] == run)!;
            if (last["finished_at"] is not null) return last;
            await Task.Delay(100, Stop);
        }

        throw new InvalidOperationException($"The job does not end: {last.ToJsonString()}");
    }

    public async Task<JsonNode> StatusAsync()
    {
        var answer = await Server.SendAsync("GET", "/api/admin/jira/status", token: Admin);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Json;
    }

    public ValueTask DisposeAsync() => IsEnded ? ValueTask.CompletedTask : Server.DisposeAsync();
}
