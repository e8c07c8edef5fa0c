using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane.Events;

/// <summary>A system that nobody here knows posts its records, and they become a table.</summary>
public sealed class RecordsTests(Postgres postgres)
{
    private const string Secret = "a secret of the shop";

    private const string Settings =
        """
        {"name":"orders","kind":"webhook","settings":{"key":"order.id","time":"changed_at","deleted":"event=order.deleted",
        "columns":"id bigint order.id; state text order.state; total double order.total; first text order.items[0].name; paid boolean order.paid"}}
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Posted_records_become_rows_the_newest_of_each_key()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var admin = await server.SignInAsync();
        (await server.SendAsync("POST", "/api/admin/connections", Settings.Replace("order.id", "order..id", StringComparison.Ordinal), admin)).Body.ShouldContain("no path");
        (await server.SendAsync("POST", "/api/admin/connections", Settings, admin)).Status.ShouldBe(201);
        (await PostAsync(server, "{}")).Status.ShouldBe(503, "without a secret nobody's word counts");
        await server.Services.GetRequiredService<SecretStore>().SetAsync("AGNES_CONNECTION_ORDERS_SECRET", Secret, Stop);

        (await PostAsync(server, Order(1, "open", "2026-05-01T10:00:00Z"))).Status.ShouldBe(200);
        (await PostAsync(server, Order(1, "paid", "2026-05-01T11:00:00Z", """,{"name":"cup"}"""))).Status.ShouldBe(200);
        (await PostAsync(server, Order(1, "late", "2026-05-01T10:30:00Z"))).Status.ShouldBe(200);
        (await PostAsync(server, $"[{Order(2, "open", "2026-06-01T10:00:00Z")},{Order(3, "open", "2026-06-01T10:00:00Z")}]")).Status.ShouldBe(200);
        (await PostAsync(server, Order(3, "open", "2026-06-02T10:00:00Z").Replace("order.changed", "order.deleted", StringComparison.Ordinal))).Status.ShouldBe(200);
        await SeenAsync(server, admin, "SELECT id, state, total, first, paid, _time::VARCHAR FROM orders ORDER BY id",
            """[[1,"paid",9.5,"pen",true,"2026-05-01 11:00:00+00"],[2,"open",9.5,"pen",true,"2026-06-01 10:00:00+00"]]""");
        server.State.Snapshot.PublishedTable("orders")!.Source.ShouldBe("orders");
    }

    [Fact]
    public async Task Only_whoever_knows_the_secret_is_heard_and_nobody_learns_which_connections_there_are()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var admin = await server.SignInAsync();
        (await server.SendAsync("POST", "/api/admin/connections", Settings, admin)).Status.ShouldBe(201);
        await server.Services.GetRequiredService<SecretStore>().SetAsync("AGNES_CONNECTION_ORDERS_SECRET", Secret, Stop);
        var good = Order(1, "open", "2026-05-01T10:00:00Z");
        (await PostAsync(server, good, secret: "another")).Body.ShouldBe("""{"detail":"Invalid signature"}""");
        (await PostAsync(server, good, connection: "nothing")).Body.ShouldBe("""{"detail":"Invalid signature"}""");
        (await server.SendAsync("POST", "/webhooks/in/orders", good)).Status.ShouldBe(401);
        (await PostAsync(server, "{")).Status.ShouldBe(400);
        (await PostAsync(server, "7")).Status.ShouldBe(400);
        var bearer = Settings.Replace("\"key\"", "\"scheme\":\"bearer\",\"key\"", StringComparison.Ordinal).Replace("\"orders\"", "\"posts\"", StringComparison.Ordinal);
        (await server.SendAsync("POST", "/api/admin/connections", bearer, admin)).Status.ShouldBe(201);
        await server.Services.GetRequiredService<SecretStore>().SetAsync("AGNES_CONNECTION_POSTS_SECRET", Secret, Stop);
        (await server.SendAsync("POST", "/webhooks/in/posts", good, token: Secret)).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/webhooks/in/posts", good, token: Secret + "x")).Status.ShouldBe(401);
    }

    private static string Order(int id, string state, string at, string more = "") =>
        $$$"""{"event":"order.changed","changed_at":"{{{at}}}","order":{"id":{{{id}}},"state":"{{{state}}}","total":9.5,"paid":true,"items":[{"name":"pen"}{{{more}}}]} }""";

    private static Task<Answer> PostAsync(TestServer server, string body, string secret = Secret, string connection = "orders") =>
        server.SendAsync("POST", $"/webhooks/in/{connection}", body, change: request => request.Headers.Add(
            "X-Hub-Signature-256", "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)))));

    private static async Task SeenAsync(TestServer server, string admin, string sql, string rows)
    {
        var last = "";
        for (var i = 0; i < 200; i++)
        {
            var answer = await server.SendAsync("POST", "/api/query", new JsonObject { ["sql"] = sql }.ToJsonString(), admin);
            last = answer.Status == 200 ? answer.Json["rows"]!.ToJsonString().Replace("\\u002B", "+", StringComparison.Ordinal) : answer.Body;
            if (last == rows) return;
            await Task.Delay(100, Stop);
        }

        last.ShouldBe(rows);
    }
}
