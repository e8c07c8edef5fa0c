using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Access;

public sealed class SimulationTests(Shops shops, Postgres postgres)
{
    [Fact]
    public async Task An_admin_sees_what_a_person_sees_reads_only_and_is_audited()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        Task<Answer> AsAsync(string who, string token, string path, string method = "GET", string? body = null) =>
            shop.Server.SendAsync(method, path, body, token, request => request.Headers.Add(Simulation.Header, who));

        foreach (var path in (string[])["/api/v2/catalog", "/api/sync/manifest", "/api/catalog/tables"])
        {
            var own = await shop.AsAnalystAsync("GET", path);
            var seen = await AsAsync("ana@example.com", shop.Admin, path);
            seen.Status.ShouldBe(200, seen.Body);
            seen.Body.ShouldNotContain("salaries");
            seen.Header("ETag").ShouldBe(own.Header("ETag"));
        }

        (await AsAsync("ana@example.com", shop.Admin, "/api/v2/schema/orders")).Status.ShouldBe(200);
        (await AsAsync("ana@example.com", shop.Admin, "/api/v2/schema/salaries")).Status.ShouldBe(403);
        (await AsAsync("ana@example.com", shop.Admin, "/api/me/effective-access")).Body.ShouldContain("\"is_admin\":false");
        var audit = (await shop.Server.AuditAsync()).Last(row => row.Action == Simulation.Action);
        var ana = shop.Server.State.Snapshot.UserByEmail("ana@example.com")!.Id;
        (audit.UserId, audit.Resource).ShouldBe((shop.Server.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.Id, $"user:{ana}"));
        audit.Params!.ShouldContain("/api/me/effective-access");

        // Not in her name: nothing of hers that is private, nothing that changes anything, nobody who is no admin.
        foreach (var (method, path, body) in ((string, string, string?)[])[("GET", "/auth/tokens", null), ("GET", "/api/users", null), ("POST", "/api/query", """{"sql":"SELECT 1"}"""), ("POST", "/auth/tokens", """{"name":"x"}"""), ("GET", "/api/data/orders/download", null)])
        {
            (await AsAsync("ana@example.com", shop.Admin, path, method, body)).Status.ShouldBe(403, path);
        }

        (await AsAsync(TestServer.AdminEmail, shop.Analyst, "/api/v2/catalog")).Status.ShouldBe(403);
        (await AsAsync("ana@example.com", shop.Analyst, "/api/v2/catalog")).Status.ShouldBe(403);
        (await AsAsync("nobody@example.com", shop.Admin, "/api/v2/catalog")).Status.ShouldBe(404);
        (await AsAsync("ana@example.com", "", "/api/v2/catalog")).Status.ShouldBe(401);
    }
}
