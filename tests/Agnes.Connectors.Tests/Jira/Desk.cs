using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Emulators.Jira;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>An emulated Jira and a client that asks it as plainly as can be.</summary>
internal sealed class Desk : IAsyncDisposable
{
    private readonly HttpClient _client;

    private Desk(JiraServer server)
    {
        Server = server;
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
    }

    public JiraServer Server { get; }

    public JiraSite Site => Server.Site;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<Desk> OpenAsync(int issues = 90, TimeProvider? time = null) =>
        new(await JiraServer.StartAsync(new JiraSite(new SiteShape { Issues = issues }, time)));

    /// <param name="path">Below the API's version 3, or a whole path.</param>
    public async Task<HttpResponseMessage> SendAsync(
        string path, JsonNode? body = null, bool isService = false, CancellationToken? stop = null, bool isHeadOnly = false)
    {
        var address = path.StartsWith('/') ? $"{Server.Address}{path}" : $"{Server.Address}/rest/api/3/{path}";
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, address);
        var account = isService ? $"{JiraServer.SlaEmail}:{JiraServer.SlaToken}" : $"{JiraServer.Email}:{JiraServer.Token}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(account)));
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        var until = isHeadOnly ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead;
        return await _client.SendAsync(request, until, stop ?? Stop);
    }

    public async Task<JsonNode> GetAsync(string path, bool isService = false)
    {
        using var response = await SendAsync(path, isService: isService);
        var text = await response.Content.ReadAsStringAsync(Stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>What is answered with that status: the first message of the error.</summary>
    public async Task<string> RefusedAsync(int status, string path, JsonNode? body = null)
    {
        using var response = await SendAsync(path, body);
        var text = await response.Content.ReadAsStringAsync(Stop);
        ((int)response.StatusCode).ShouldBe(status, text);
        return (string)JsonNode.Parse(text)!["errorMessages"]![0]!;
    }

    public async Task<JsonNode> PostAsync(string path, JsonNode body)
    {
        using var response = await SendAsync(path, body);
        var text = await response.Content.ReadAsStringAsync(Stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>The ids that a query finds, over all of its pages.</summary>
    public async Task<List<string>> FindAsync(string jql, int pageSize = 7)
    {
        var found = new List<string>();
        string? token = null;
        do
        {
            var page = await PostAsync("search/jql",
                new JsonObject { ["jql"] = jql, ["maxResults"] = pageSize, ["nextPageToken"] = token });
            found.AddRange(page["issues"]!.AsArray().Select(issue => (string)issue!["id"]!));
            token = (string?)page["nextPageToken"];
            ((bool)page["isLast"]!).ShouldBe(token is null);
        }
        while (token is not null);
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Server.DisposeAsync();
        Server.Faults.ShouldBeEmpty();
    }
}
