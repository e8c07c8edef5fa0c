using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Access;

/// <summary>What was taken away is gone with the next request, also while many others ask; and from streams within five seconds.</summary>
public sealed class RevocationTests(Postgres postgres)
{
    private const int Askers = 8;
    private static readonly TimeSpan StreamMax = TimeSpan.FromSeconds(5);

    [Fact]
    [Long]
    public async Task Under_load_the_next_request_after_a_revocation_is_refused()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, Askers).Select(i => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) (await shop.Server.SendAsync("GET", i % 2 == 0 ? "/api/v2/catalog" : "/api/sync/manifest", token: shop.Admin)).Status.ShouldBe(200);
        })).ToList();
        try
        {
            for (var round = 0; round < 10; round++)
            {
                var grants = (await shop.AsAdminAsync("GET", $"/api/admin/grants?group_id={shop.GroupId}")).Json.AsArray();
                var token = await shop.Server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", shop.Analyst);
                async Task<int> StatusAsync(string path) => (await shop.Server.SendAsync("GET", path, token: token.Text("token"))).Status;
                (await StatusAsync("/api/data/orders/download")).ShouldBe(200);
                (await shop.AsAdminAsync("DELETE", $"/api/admin/grants/{grants.Single()!["id"]}")).Status.ShouldBe(204);
                (await StatusAsync("/api/data/orders/download")).ShouldBe(403);
                (await shop.Server.SendAsync("POST", "/api/query", """{"sql":"SELECT count(*) FROM orders"}""", token.Text("token"))).Status.ShouldNotBe(200);
                await shop.GrantAsync("orders");
                (await StatusAsync("/api/data/orders/download")).ShouldBe(200);
                (await shop.Server.SendAsync("DELETE", $"/auth/tokens/{token.Text("id")}", token: shop.Analyst)).Status.ShouldBe(204);
                (await StatusAsync("/api/data/orders/download")).ShouldBe(401);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(load);
        }
    }

    [Fact]
    public async Task A_running_query_and_a_download_end_within_five_seconds_whatever_was_revoked()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options =>
        {
            ForeignExtract.Write(options.DataDir, "large", ("bulk", "SELECT i, random() AS a FROM range(1500000) t(i)"));
            return options;
        });
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("bulk") is not null, "the large table was published");
        foreach (var what in (string[])["grant", "token", "user"])
        {
            await shop.GrantAsync("bulk");
            await EndsAsync(shop, what);
        }
    }

    private static async Task EndsAsync(Shop shop, string what)
    {
        var token = await shop.Server.SendAsync("POST", "/auth/tokens", new JsonObject { ["name"] = what }.ToJsonString(), shop.Analyst);
        var query = shop.Server.SendAsync("POST", "/api/query", """{"sql":"SELECT count(*) FROM bulk a, bulk b WHERE hash(a.i, b.i) % 7 = 1"}""", token.Text("token"));

        // A laptop on a slow line: it has the head of the answer, and takes the rest later.
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Text("token"));
        using var download = await client.GetAsync("/api/data/bulk/download", HttpCompletionOption.ResponseHeadersRead);
        download.EnsureSuccessStatusCode();
        await Task.Delay(1000); // the statement is on its way, on a busy machine too
        var watch = Stopwatch.StartNew();
        await RevokeAsync(shop, what, token.Text("id"));
        var ended = await query.WaitAsync(StreamMax + TimeSpan.FromSeconds(10));
        watch.Elapsed.ShouldBeLessThan(MachineLoad.Allow(StreamMax));
        (ended.Status, ended.Body.Contains("taken away", StringComparison.Ordinal)).ShouldBe((403, true), ended.Body);
        (await shop.Server.AuditAsync()).Last(row => row.Action == "query").Result.ShouldBe("revoked");
        await Task.Delay(TimeSpan.FromSeconds(1.2) - watch.Elapsed is { Ticks: > 0 } rest ? rest : TimeSpan.Zero);
        await Should.ThrowAsync<Exception>(download.Content.ReadAsByteArrayAsync(), $"the rest of the table was sent in spite of: {what}");
        if (what == "token") (await shop.AsAdminAsync("DELETE", $"/api/admin/grants/{shop.Server.State.Snapshot.Grant(shop.GroupId, "table", "bulk")!.Id}")).Status.ShouldBe(204);
    }

    private static async Task RevokeAsync(Shop shop, string what, string tokenId)
    {
        var user = shop.Server.State.Snapshot.UserByEmail("ana@example.com")!.Id;
        var grant = shop.Server.State.Snapshot.Grant(shop.GroupId, "table", "bulk")!.Id;
        var answer = what switch
        {
            "grant" => await shop.AsAdminAsync("DELETE", $"/api/admin/grants/{grant}"),
            "token" => await shop.AsAdminAsync("DELETE", $"/auth/admin/tokens/{tokenId}"),
            _ => await shop.AsAdminAsync("POST", $"/api/users/{user}/deactivate"),
        };
        answer.Status.ShouldBeInRange(200, 204, answer.Body);
    }

    [Fact]
    public async Task Open_streams_end_within_five_seconds_under_load_whatever_was_revoked()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        async Task<string> TokenAsync(string name) => (await shop.Server.SendAsync("POST", "/auth/tokens", new JsonObject { ["name"] = name }.ToJsonString(), shop.Admin)).Text("token");
        var revoked = await TokenAsync("revoked");
        var id = (await shop.AsAdminAsync("GET", "/auth/tokens")).Json.AsArray().First(token => token!["name"]!.GetValue<string>() == "revoked")!["id"]!.GetValue<string>();

        // A second admin, who is deactivated while looking on.
        var leaver = (await shop.AsAdminAsync("POST", "/api/users", """{"email":"lee@example.com","name":"Lee"}""")).Text("id");
        (await shop.AsAdminAsync("POST", $"/api/users/{leaver}/set-password", """{"password":"correct horse"}""")).Status.ShouldBe(204);
        var admins = shop.Server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        (await shop.AsAdminAsync("POST", $"/api/admin/groups/{admins}/members", """{"email":"lee@example.com"}""")).Status.ShouldBe(201);
        var left = await shop.Server.SignInAsync("lee@example.com", "correct horse");

        // A third, who is an admin no longer, and one session that its owner ends elsewhere.
        var former = (await shop.AsAdminAsync("POST", "/api/users", """{"email":"fay@example.com","name":"Fay"}""")).Text("id");
        (await shop.AsAdminAsync("POST", $"/api/users/{former}/set-password", """{"password":"correct horse"}""")).Status.ShouldBe(204);
        (await shop.AsAdminAsync("POST", $"/api/admin/groups/{admins}/members", """{"email":"fay@example.com"}""")).Status.ShouldBe(201);
        var degraded = await shop.Server.SignInAsync("fay@example.com", "correct horse");
        var ended = await shop.Server.SignInAsync();
        var sessionId = (await shop.Server.SendAsync("GET", "/auth/sessions", token: ended)).Json.AsArray().Single(session => session!["current"]!.GetValue<bool>())!["id"]!.GetValue<string>();

        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, Askers).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) (await shop.Server.SendAsync("GET", "/api/v2/catalog", token: shop.Admin)).Status.ShouldBe(200);
        })).ToList();
        var streams = await Task.WhenAll(OpenAsync(shop, revoked), OpenAsync(shop, left), OpenAsync(shop, degraded), OpenAsync(shop, ended), OpenAsync(shop, await TokenAsync("good")));
        var watch = Stopwatch.StartNew();
        (await shop.AsAdminAsync("DELETE", $"/auth/admin/tokens/{id}")).Status.ShouldBe(204);
        (await shop.AsAdminAsync("POST", $"/api/users/{leaver}/deactivate")).Status.ShouldBe(200);
        (await shop.AsAdminAsync("DELETE", $"/api/admin/groups/{admins}/members/{former}")).Status.ShouldBe(204);
        (await shop.AsAdminAsync("DELETE", $"/auth/sessions/{sessionId}")).Status.ShouldBe(204);
        foreach (var stream in streams[..^1]) await stream.Content.ReadAsStringAsync().WaitAsync(StreamMax + TimeSpan.FromSeconds(10));
        watch.Elapsed.ShouldBeLessThan(StreamMax + TimeSpan.FromSeconds(1)); // the machine's own time
        var going = streams[^1].Content.ReadAsStringAsync();
        going.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();
        await Task.WhenAll(load);
        foreach (var stream in streams) stream.Dispose();
    }

    private static async Task<HttpResponseMessage> OpenAsync(Shop shop, string token)
    {
        var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var response = await client.GetAsync("/api/sync/runs/stream", HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return response;
    }
}
