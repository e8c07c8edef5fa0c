using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Http;

/// <summary>The API's description, and the pages that fail on demand.</summary>
public sealed partial class ApiDocsTests(Postgres postgres, Worlds worlds)
{
    [Fact]
    public async Task The_description_is_one_document_at_both_addresses_and_says_what_refusals_look_like()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var document = await world.AsAdminAsync("GET", "/openapi.json");
        document.Status.ShouldBe(200);
        (await world.AsAdminAsync("GET", "/openapi/v1.json")).Body.ShouldBe(document.Body);
        var operations = document.Json["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => (Path: $"{operation.Key} {path.Key}", operation.Value!["responses"]))).ToList();
        operations.Count.ShouldBeGreaterThan(100);
        operations.Where(operation => operation.Item2!["200"] is null && operation.Item2["201"] is null && operation.Item2["202"] is null && operation.Item2["204"] is null).Select(operation => operation.Path).ShouldBeEmpty();
        document.Json["paths"]!["/api/users"]!["get"]!["responses"]!["403"]!["content"]!["application/json"]!["schema"]!["required"]!.ToJsonString().ShouldBe("""["detail"]""");
        (await world.Server.SendAsync("GET", "/openapi.json")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Answers_are_described_under_the_names_that_they_have()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var document = (await world.AsAdminAsync("GET", "/openapi.json")).Json;
        var faults = new List<string>();
        var compared = 0;
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            if (path.Contains('{', StringComparison.Ordinal) || methods!["get"]?["responses"]?["200"]?["content"]?["application/json"]?["schema"] is not { } schema) continue;
            var answer = await world.Server.SendAsync("GET", path, token: world.TokenOf(Principal.Admin));
            if (answer.Status != 200) continue;
            var item = answer.Json is JsonArray list ? list.FirstOrDefault() : answer.Json;
            if (item is not JsonObject found) continue;
            var described = Resolved(document, answer.Json is JsonArray ? schema["items"]! : schema)["properties"]!.AsObject().Select(property => property.Key).ToHashSet(StringComparer.Ordinal);
            faults.AddRange(found.Select(property => property.Key).Where(name => !described.Contains(name)).Select(name => $"{path}: {name} is not among {string.Join(", ", described)}"));
            compared++;
        }

        faults.ShouldBeEmpty();
        compared.ShouldBeGreaterThan(8);
    }

    private static JsonNode Resolved(JsonNode document, JsonNode schema) =>
        schema["$ref"]?.GetValue<string>() is { } reference ? document["components"]!["schemas"]![reference.Split('/')[^1]]! : schema;

    [Fact]
    public async Task The_page_loads_nothing_from_elsewhere_and_its_policy_lets_nothing_out()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var page = await world.AsAdminAsync("GET", "/docs");
        page.Status.ShouldBe(200);
        var policy = page.Header("Content-Security-Policy")!;
        policy.ShouldContain("default-src 'none'; script-src 'self';");
        policy.ShouldContain("connect-src 'self';");
        Address().Matches(page.Body).Select(match => match.Groups[1].Value).ShouldBe(["/favicon.svg", "/openapi.json", "/docs/scalar.js", "/docs/start.js"]);
        var viewer = await world.Server.SendAsync("GET", "/docs/scalar.js");
        viewer.Body.Length.ShouldBeGreaterThan(1_000_000);
        viewer.Body.ShouldContain("createApiReference");
        (await world.Server.SendAsync("GET", "/docs/start.js")).Body.ShouldContain("url: '/openapi.json'");
    }

    [Fact]
    public async Task An_old_link_to_grants_leads_on_with_its_query()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var answer = await world.Server.SendAsync("GET", "/admin/grants?group=a%20b", token: world.TokenOf(Principal.Admin));
        (answer.Status, answer.Header("Location")).ShouldBe((308, "/admin/access?group=a%20b"));
    }

    [Fact]
    public async Task Faults_on_demand_are_there_only_for_finding_faults()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        foreach (var path in (string[])["/api/debug/throw", "/_debug/throw/http/418", "/_debug/throw/exc"]) (await world.Server.SendAsync("GET", path, token: world.TokenOf(Principal.Admin))).Status.ShouldBe(404, path);

        await using var debug = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { Debug = true });
        var token = await debug.SignInAsync();
        var thrown = await debug.SendAsync("GET", "/api/debug/throw?kind=KeyError&msg=what", token: token);
        (thrown.Status, thrown.Text("error")).ShouldBe((500, "what"));
        (await debug.SendAsync("GET", "/api/debug/throw?kind=x", token: token)).Status.ShouldBe(422);
        (await debug.SendAsync("GET", "/api/debug/throw")).Status.ShouldBe(401);
        (await debug.SendAsync("GET", "/_debug/throw/http/418")).Status.ShouldBe(418);
        (await debug.SendAsync("GET", "/_debug/throw/exc")).Status.ShouldBe(500);
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Address();
}
