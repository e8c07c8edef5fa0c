using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class ManifestTests(Postgres postgres, Shops shops)
{
    [Theory, OnBothEngines]
    public async Task A_manifest_has_the_granted_tables_as_clients_know_them(StateEngine engine)
    {
        var shop = await shops.OnAsync(engine, postgres);
        var manifest = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json;
        manifest["tables"]!.AsObject().Select(table => table.Key).ShouldBe(["Orders"]);
        var entry = manifest["tables"]!["Orders"]!;
        var version = shop.Server.State.Snapshot.PublishedTable("orders")!;
        entry["hash"]!.GetValue<string>().ShouldMatch("^[0-9a-f]{32}$");
        entry["sha256"]!.GetValue<string>().ShouldBe(version.Parts[0].Sha256);
        entry["rows"]!.GetValue<long>().ShouldBe(1000);
        entry["size_bytes"]!.GetValue<long>().ShouldBe(version.Bytes);
        entry["query_mode"]!.GetValue<string>().ShouldBe("local");
        entry["source_type"]!.GetValue<string>().ShouldBe("keboola");
        entry["id"]!.GetValue<string>().ShouldBe("orders");
        entry["version"]!.GetValue<long>().ShouldBe(version.Number);
        entry["updated"]!.GetValue<string>().ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$");
        entry.AsObject().ContainsKey("parts_count").ShouldBeFalse();
        manifest["server_time"]!.GetValue<string>().ShouldEndWith("+00:00");
        var loose = (await shop.AsAdminAsync("GET", "/api/sync/manifest")).Json["tables"]!["loose"]!;
        (loose["query_mode"]!.GetValue<string>(), loose["source_type"]!.GetValue<string>()).ShouldBe(("local", ""));
    }

    [Theory]
    [InlineData("/api/sync/manifest")]
    [InlineData("/api/v2/catalog")]
    public async Task An_unchanged_answer_costs_a_304_and_each_set_of_grants_has_its_own_tag(string path)
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var first = await shop.AsAnalystAsync("GET", path);
        var tag = first.Header("ETag")!;
        var again = await shop.AsAnalystAsync("GET", path, change: request => request.Headers.TryAddWithoutValidation("If-None-Match", tag));
        (again.Status, again.Body, again.Header("ETag")).ShouldBe((304, "", tag));
        (await shop.AsAdminAsync("GET", path)).Header("ETag").ShouldNotBe(tag);
        (await shop.Server.SendAsync("GET", path, token: shop.Admin, change: request => request.Headers.TryAddWithoutValidation("If-None-Match", tag))).Status.ShouldBe(200);
        (await shop.Server.SendAsync("GET", path, change: request => request.Headers.TryAddWithoutValidation("If-None-Match", tag))).Status.ShouldBe(401);
    }

    [Fact]
    public async Task The_tag_changes_with_a_publication_and_with_a_grant_and_with_nothing_else()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        async Task<string> TagAsync() => (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Header("ETag")!;
        var first = await TagAsync();
        await shop.AsAdminAsync("POST", "/api/users", """{"email":"other@example.com","name":"Other"}""");
        await shop.RegisterAsync("""{"name":"other"}""");
        (await TagAsync()).ShouldBe(first);
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/other")).Status.ShouldBe(204);

        ForeignExtract.Write(
            shop.DataDir, "erp",
            ("Orders", "SELECT 1 AS id"), ("salaries", "SELECT 'secret' AS who, 2 AS pay"), ("loose", "SELECT 1 AS a"));
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        var second = await TagAsync();
        second.ShouldNotBe(first);
        await shop.GrantAsync("salaries");
        (await TagAsync()).ShouldNotBe(second);
    }
}
