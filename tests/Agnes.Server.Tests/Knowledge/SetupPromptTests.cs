using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Knowledge;

/// <summary>What people paste into their agent: shipped or an admin's, for visitors too.</summary>
public sealed class SetupPromptTests(Postgres postgres, Shops shops)
{
    private const string Path = "/api/admin/welcome-template";

    [Theory]
    [OnBothEngines]
    public async Task The_page_shows_the_shipped_text_or_an_admins_and_never_a_token(StateEngine engine)
    {
        var shop = await shops.OnAsync(engine, postgres);
        var before = await shop.AsAdminAsync("GET", Path);
        before.Json["content"].ShouldBeNull();
        before.Text("default").ShouldContain("printf %s '{token}' | agnes init --server-url \"{server_url}\" --token -");
        before.Text("default").ShouldContain("Never switch off TLS checks");
        before.Text("default").ShouldContain("~/Agnes");
        var visitor = (await shop.Server.SendAsync("GET", "/setup")).Body;
        visitor.ShouldContain($"agnes init --server-url &quot;{shop.Server.Url}&quot;");
        visitor.ShouldContain("{token}");
        visitor.ShouldNotContain("{server_url}");
        visitor.ShouldNotContain("/auth/tokens");
        (await shop.AsAnalystAsync("GET", "/setup")).Body.ShouldContain("data-reveal=\"with-token\"");

        var unguarded = await shop.AsAdminAsync("PUT", Path, Content("Hi {{ user.email }}"));
        unguarded.Status.ShouldBe(400);
        unguarded.Body.ShouldContain("anonymous visitors");
        const string Guarded = "{% if user %}Hi {{ user.email }}{% else %}Hi you{% endif %}: {server_url} {token} <img src=x onerror=alert(1)>";
        (await shop.AsAdminAsync("PUT", Path, Content(Guarded))).Status.ShouldBe(200);
        visitor = (await shop.Server.SendAsync("GET", "/setup")).Body;
        visitor.ShouldContain($"Hi you: {shop.Server.Url} {{token}} &lt;img src=x onerror=alert(1)&gt;");
        visitor.ShouldNotContain("<img");
        (await shop.AsAnalystAsync("GET", "/setup")).Body.ShouldContain("Hi ana@example.com: ");
        (await shop.AsAdminAsync("POST", Path + "/preview", Content("{{ user.is_admin }} {token}"))).Text("content").ShouldBe("True {token}");
        foreach (var (text, status) in ((string, int)[])[("{{ tables|length }}", 400), ("{% for", 400), ("", 422), (new string('x', 200_001), 422)])
            (await shop.AsAdminAsync("PUT", Path, Content(text))).Status.ShouldBe(status, text.Length > 99 ? "too long" : text);

        // One that was saved when more was possible must not take the page away.
        await shop.Server.State.WriteAsync(write => write.ExecuteAsync("UPDATE instance_templates SET content = '{{ gone }}' WHERE key = 'welcome'"), TestContext.Current.CancellationToken);
        (await shop.Server.SendAsync("GET", "/setup")).Body.ShouldContain("Never switch off TLS checks");
        (await shop.AsAdminAsync("GET", "/admin/agent-prompt")).Body.ShouldContain("&#x27;gone&#x27; is undefined");

        (await shop.AsAdminAsync("DELETE", Path)).Status.ShouldBe(204);
        (await shop.AsAdminAsync("GET", Path)).Json["content"].ShouldBeNull();
        (await shop.Server.AuditAsync()).Where(row => row.Resource == "template:welcome").Select(row => row.Action).Order(StringComparer.Ordinal).ShouldBe(["setup_prompt.deleted", "setup_prompt.updated"]);
    }

    [Fact]
    public async Task A_folder_name_holds_nothing_that_a_shell_reads()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with
        {
            Variables = name => name switch { "AGNES_INSTANCE_BRAND" => "Acme Data; rm -rf ~", "AGNES_INSTANCE_ADMIN_EMAIL" => "ops@example.com", _ => null },
        });
        var text = (await shop.AsAdminAsync("GET", Path)).Text("default");
        text.ShouldContain("~/AcmeDatarm-rf`");
        text.ShouldContain("from ops@example.com");
        (await shop.AsAnalystAsync("GET", "/api/welcome")).Text("content").ShouldContain("ops@example.com");
    }

    private static string Content(string text) => new JsonObject { ["content"] = text }.ToJsonString();
}
