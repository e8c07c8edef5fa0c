using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Knowledge;

public sealed class WorkspacePromptTests(Postgres postgres, Shops shops)
{
    private const string Path = "/api/admin/workspace-prompt-template";

    [Theory]
    [OnBothEngines]
    public async Task The_shipped_text_is_about_the_caller_and_an_admins_takes_its_place(StateEngine engine)
    {
        var shop = await shops.OnAsync(engine, postgres);
        var shipped = (await shop.AsAnalystAsync("GET", "/api/welcome")).Text("content");
        shipped.Split('\n')[0].ShouldEndWith("AI Data Analyst");
        shipped.ShouldContain("- `Orders`: what was bought");
        shipped.ShouldContain(shop.Server.Url);
        shipped.ShouldContain("Ana");
        shipped.ShouldNotContain("salaries");
        shipped.ShouldNotContain("{{");
        shipped.Length.ShouldBeLessThan(6_000, "an agent reads it in every session");
        (await shop.AsAdminAsync("GET", "/api/welcome")).Text("content").ShouldContain("salaries");

        var before = await shop.AsAdminAsync("GET", Path);
        before.Json["content"].ShouldBeNull();
        before.Text("default").ShouldContain("AI Data Analyst");
        (await shop.AsAdminAsync("PUT", Path, Content("Hi {{ user.name or user.email }}, {{ tables|length }} tables; da sync"))).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("GET", "/api/welcome")).Text("content").ShouldStartWith("Hi Ana, ");
        var stored = await shop.AsAdminAsync("GET", Path);
        stored.Json["legacy_strings_detected"]!.ToJsonString().ShouldBe("""["da sync"]""");

        // Whoever saw the text before that change must not overwrite it unknowingly.
        (await shop.Server.SendAsync("PUT", Path, Content("mine"), shop.Admin, request => request.Headers.TryAddWithoutValidation("If-Match", before.Header("ETag")))).Status.ShouldBe(412);
        (await shop.Server.SendAsync("PUT", Path, Content("mine {{ today }}"), shop.Admin, request => request.Headers.TryAddWithoutValidation("If-Match", stored.Header("ETag")))).Status.ShouldBe(200);
        (await shop.AsAdminAsync("POST", Path + "/restore")).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("GET", "/api/welcome")).Text("content").ShouldStartWith("Hi Ana, ");
        (await shop.AsAdminAsync("POST", Path + "/preview", Content("{{ user.is_admin }}"))).Text("content").ShouldBe("True");

        foreach (var (text, status) in ((string, int)[])[("{{ nonsense }}", 400), ("{% if user.admin %}x{% endif %}", 400), ("{% for", 400), ("", 422), (new string('x', 200_001), 422)])
            (await shop.AsAdminAsync("PUT", Path, Content(text))).Status.ShouldBe(status, text.Length > 99 ? "too long" : text);
        (await shop.AsAnalystAsync("PUT", Path, Content("x"))).Status.ShouldBe(403);
        (await shop.AsAdminAsync("DELETE", Path)).Status.ShouldBe(204);
        (await shop.AsAnalystAsync("GET", "/api/welcome")).Text("content").ShouldBe(shipped);
        (await shop.Server.AuditAsync()).Count(row => row.Resource == "template:claude_md").ShouldBe(4);
    }

    [Theory]
    [InlineData("http://evil.example/", 400)]
    [InlineData("javascript:alert(1)", 400)]
    [InlineData("http://user:pw@localhost/", 400)]
    [InlineData("http://localhost:1/x?y", 400)]
    [InlineData("http://localhost:9/agnes/", 200)]
    public async Task Only_an_address_of_this_server_is_written_into_the_text(string url, int status)
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var answer = await shop.AsAnalystAsync("GET", $"/api/welcome?server_url={Uri.EscapeDataString(url)}");
        answer.Status.ShouldBe(status, answer.Body);
        if (status == 200) answer.Text("content").ShouldContain("http://localhost:9/agnes/tokens");
    }

    private static string Content(string text) => new JsonObject { ["content"] = text }.ToJsonString();
}
