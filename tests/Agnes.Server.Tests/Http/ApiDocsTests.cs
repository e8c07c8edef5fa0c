using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Access;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Http;

/// <summary>The API's description, and the pages that fail on demand.</summary>
public sealed partial class ApiDocsTests(Postgres postgres, Worlds worlds)
{
    /// <summary>Of <see cref="EveryChangeIsAuditedTests.Steps"/>, those after which there is something to be shown.</summary>
    private static readonly string[] Filling =
    [
        "/api/admin/connections", "/api/admin/secrets/{name}", "/api/admin/metadata/{table_id}", "/api/admin/metrics",
        "/api/admin/verified-queries/import",
    ];

    private static readonly Dictionary<string, string> Queries = new(StringComparer.Ordinal)
    {
        ["/api/admin/access/explain"] = "?user=ana@example.com&type=table&id=orders",
        ["/api/admin/access/holders"] = "?type=table&id=orders",
    };

    [Fact]
    public async Task The_description_is_one_document_at_both_addresses_and_says_what_refusals_look_like()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var document = await world.AsAdminAsync("GET", "/openapi.json");
        document.Status.ShouldBe(200);
        (await world.AsAdminAsync("GET", "/openapi/v1.json")).Body.ShouldBe(document.Body);
        var operations = OperationsOf(document.Json).ToList();
        operations.Count.ShouldBeGreaterThan(100);
        operations.Where(operation => !Described.IsWhole(operation.Says)).Select(operation => $"{operation.Method} {operation.Path}")
            .ShouldBeEmpty();
        document.Json["paths"]!["/api/users"]!["get"]!["responses"]!["403"]!["content"]!["application/json"]!["schema"]!["required"]!.ToJsonString().ShouldBe("""["detail"]""");
        (await world.Server.SendAsync("GET", "/openapi.json")).Status.ShouldBe(401);
    }

    /// <summary>
    /// Whatever can be asked for by an address alone, in which stands what a list names first. Each answer is compared as every other one that a
    /// test's server gives: <see cref="Described.CheckAsync"/>.
    /// </summary>
    [Fact]
    public async Task Answers_are_described_under_the_names_that_they_have()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        await FillAsync(shop);
        var document = (await shop.AsAdminAsync("GET", "/openapi.json")).Json;
        var compared = new List<string>();
        foreach (var (_, path, says) in OperationsOf(document).Where(operation => operation.Method == "GET"))
        {
            if (Described.SchemaOf(says, 200) is null || await AddressAsync(shop, path) is not { } address) continue;
            if ((await shop.AsAdminAsync("GET", address)).Status == 200) compared.Add(path);
        }

        compared.Count.ShouldBeGreaterThan(60, string.Join('\n', compared));
    }

    /// <summary>What nobody has by themselves.</summary>
    private static async Task FillAsync(Shop shop)
    {
        shop.WriteCsv("fruits.csv", "name,price\napple,1\npear,2\n");
        EveryChangeIsAuditedTests.Step[] steps =
        [
            new("POST", "/auth/tokens", Body: """{"name":"x"}"""),
            new("POST", "/api/admin/register-table", Body: """{"name":"fruits","source_type":"csv","source_table":"fruits.csv"}"""),
            new("POST", "/api/admin/register-table", Body: """{"name":"absent","source_type":"csv","source_table":"absent.csv"}"""),
            .. EveryChangeIsAuditedTests.Steps.Where(step => step.Method != "DELETE" && Filling.Contains(step.Route)),
            new("PUT", "/api/settings/dataset", Body: """{"dataset":"orders","enabled":true}"""),
            new(
                "POST", "/api/admin/scheduler/report",
                Body: """{"name":"x","started_at":"2026-01-05T10:00:00Z","finished_at":"2026-01-05T10:00:01Z","status":"ok"}"""),
        ];
        foreach (var step in steps)
        {
            var answer = await EveryChangeIsAuditedTests.SendAsync(shop, step, step.Path ?? step.Route, step.Body);
            answer.Status.ShouldBeInRange(200, 299, $"{step.Route}: {answer.Body}");
        }

        await shop.SyncAsync();
    }

    private static IEnumerable<(string Method, string Path, JsonNode Says)> OperationsOf(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key.ToUpperInvariant(), path.Key, operation.Value);

    /// <returns>Null: there is nothing that could stand there.</returns>
    private static async Task<string?> AddressAsync(Shop shop, string path)
    {
        while (Parameter().Match(path) is { Success: true } parameter)
        {
            var value = EveryRouteTests.Values(shop).GetValueOrDefault(parameter.Groups[1].Value)
                ?? await FirstIdAsync(shop, path[..(parameter.Index - 1)]);
            if (value is null) return null;
            path = string.Concat(path.AsSpan(0, parameter.Index), value, path.AsSpan(parameter.Index + parameter.Length));
        }

        return path + Queries.GetValueOrDefault(path);
    }

    private static async Task<string?> FirstIdAsync(Shop shop, string list)
    {
        var answer = await shop.AsAdminAsync("GET", list.Replace("/api/admin/users", "/api/users", StringComparison.Ordinal));
        if (answer.Status != 200) return null;
        var items = answer.Json as JsonArray
            ?? answer.Json.AsObject().Select(property => property.Value).OfType<JsonArray>().FirstOrDefault();
        return items?.FirstOrDefault()?["id"]?.GetValue<string>();
    }

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

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Address();
}
