using System.Text.Json.Nodes;
using Agnes.Emulators.Keboola;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Knowledge;

/// <summary>What columns mean: kept, shown to whoever may read the table, and given back to Keboola.</summary>
public sealed class ColumnMetadataTests(Postgres postgres)
{
    private const string Orders = "/api/admin/metadata/orders";

    [Theory]
    [InlineData(StateEngine.DuckDb)]
    [InlineData(StateEngine.Postgres)]
    public async Task What_is_said_of_columns_is_laid_over_what_was_known_and_shown_with_the_schema(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        (await shop.AsAdminAsync("GET", Orders)).Body.ShouldBe("""{"table_id":"orders","columns":[]}""");
        (await SaveAsync(shop, """{"columns":[{"column_name":"name","basetype":"STRING","description":"Who ordered"},{"column_name":"amount","basetype":"NUMERIC","confidence":"low","source":"ai_enrichment"}]}""")).ShouldBe(2);
        (await SaveAsync(shop, """{"columns":[{"column_name":"amount","description":" Gross, in EUR "},{"column_name":"name","description":null}]}""")).ShouldBe(2);

        var columns = JsonNode.Parse((await shop.AsAnalystAsync("GET", "/api/admin/metadata/Orders")).Body)!["columns"]!.AsArray().Select(column => column!.AsObject()).ToList();
        foreach (var column in columns) ((string)column["updated_at"]!).ShouldNotBeEmpty();
        string Fields(JsonObject column) => string.Join('|', ((string[])["table_id", "column_name", "basetype", "description", "confidence", "source"]).Select(field => (string?)column[field] ?? "-"));
        columns.Select(Fields).ShouldBe(["orders|amount|NUMERIC|Gross, in EUR|manual|manual", "orders|name|STRING|-|manual|manual"]);

        var schema = JsonNode.Parse((await shop.AsAnalystAsync("GET", "/api/v2/schema/orders")).Body)!["columns"]!.AsArray();
        schema.Select(column => $"{column!["name"]}: {column["description"]}").ShouldBe(["id: ", "name: ", "amount: Gross, in EUR"]);
        (await shop.Server.SendAsync("GET", "/catalog/orders", token: shop.Analyst)).Body.ShouldContain("Gross, in EUR");
        (await shop.Server.AuditAsync()).Count(row => row is { Action: "column_metadata.saved", Resource: "table:orders" }).ShouldBe(2);
    }

    [Fact]
    public async Task What_is_said_of_a_column_that_is_not_there_is_refused_and_case_does_not_count()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var refused = await shop.AsAdminAsync("POST", Orders, """{"columns":[{"column_name":"amount","description":"x"},{"column_name":"amuont","description":"x"},{"column_name":"zz"}]}""");
        (refused.Status, refused.Body.Contains("no column 'amuont'; did you mean amount?", StringComparison.Ordinal), refused.Body.Contains("no column 'zz'", StringComparison.Ordinal)).ShouldBe((422, true, true), refused.Body);
        (await shop.AsAdminAsync("GET", Orders)).Body.ShouldBe("""{"table_id":"orders","columns":[]}""");
        (await SaveAsync(shop, """{"columns":[{"column_name":"AMOUNT","description":"Gross"}]}""")).ShouldBe(1);
        (await shop.AsAdminAsync("GET", "/api/v2/schema/orders")).Body.ShouldContain("Gross", customMessage: "what is said shows, however it was spelt");

        // Of what has no rows yet, nobody knows the columns.
        await shop.RegisterAsync("""{"name":"later","source_type":"local","source_table":"later.csv"}""");
        (await shop.AsAdminAsync("POST", "/api/admin/metadata/later", """{"columns":[{"column_name":"a","description":"x"}]}""")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task It_is_only_for_who_may_read_the_table_and_goes_with_it()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        foreach (var (table, column) in ((string, string)[])[("salaries", "who"), ("loose", "a")])
        {
            (await shop.AsAdminAsync("POST", $"/api/admin/metadata/{table}", $$"""{"columns":[{"column_name":"{{column}}","description":"hidden words"}]}""")).Status.ShouldBe(200);
        }

        var hidden = await shop.AsAnalystAsync("GET", "/api/admin/metadata/salaries");
        var never = await shop.AsAnalystAsync("GET", "/api/admin/metadata/never_was");
        (hidden.Status, hidden.Body).ShouldBe((403, never.Body));
        (await shop.AsAdminAsync("GET", "/api/admin/metadata/never_was")).Body.ShouldBe("""{"table_id":"never_was","columns":[]}""");

        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/salaries")).Status.ShouldBe(204);
        (await shop.Server.State.ReadAsync<string>("SELECT table_id FROM column_metadata", cancellation: TestContext.Current.CancellationToken)).ShouldBe(["loose"]);
    }

    [Theory]
    [InlineData("{}", 422, "Field required")]
    [InlineData("""{"columns":{}}""", 422, "must be a list")]
    [InlineData("""{"columns":[]}""", 422, "1 to 5000")]
    [InlineData("""{"columns":["a"]}""", 422, "dictionary")]
    [InlineData("""{"columns":[{"description":"x"}]}""", 422, "Field required")]
    [InlineData("""{"columns":[{"column_name":""}]}""", 422, "1 to 255")]
    [InlineData("""{"columns":[{"column_name":"a"},{"column_name":"a"}]}""", 422, "twice")]
    [InlineData("""{"columns":[{"column_name":"a","description":7}]}""", 422, "string")]
    public async Task A_body_of_another_shape_changes_nothing_and_says_why(string body, int status, string why)
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var answer = await shop.AsAdminAsync("POST", Orders, body);
        (answer.Status, answer.Body.Contains(why, StringComparison.Ordinal)).ShouldBe((status, true), answer.Body);
        (await shop.AsAdminAsync("POST", "/api/admin/metadata/never_was", """{"columns":[{"column_name":"a"}]}""")).Status.ShouldBe(404);
        (await shop.Server.State.ReadAsync<string>("SELECT table_id FROM column_metadata", cancellation: TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Keboola_gets_what_is_known_column_by_column_and_what_it_refuses_is_said()
    {
        await using var keboola = await KeboolaServer.StartAsync();
        keboola.Add("in.c-crm.deals", 10, "id", "size of it", "stage");
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["KBC_STACK_URL"] = keboola.Address, ["KEBOOLA_STORAGE_TOKEN"] = KeboolaServer.Token };
        await using var server = await StartAsync(environment);
        var admin = await server.SignInAsync();
        (await server.SendAsync("POST", "/api/admin/register-table", """{"name":"Deals","source_type":"keboola","bucket":"in.c-crm","source_table":"deals","query_mode":"materialized"}""", admin)).Status.ShouldBeInRange(200, 202);
        Task<Answer> PushAsync() => server.SendAsync("POST", "/api/admin/metadata/deals/push", null, admin);

        JsonNode.Parse((await PushAsync()).Body)!["pushed"]!.GetValue<int>().ShouldBe(0);
        await server.SendAsync("POST", "/api/admin/metadata/deals", """{"columns":[{"column_name":"size of it","basetype":"NUMERIC","description":"In EUR"},{"column_name":"gone","description":"x"},{"column_name":"id"}]}""", admin);
        var first = await PushAsync();
        first.Body.ShouldBe("""{"status":"ok","pushed":1,"errors":["gone: 404 Keboola has no such table or column"]}""");
        keboola.Metadata.ShouldBe([("in.c-crm.deals", "size of it", "ai-metadata-enrichment", "KBC.datatype.basetype", "NUMERIC"), ("in.c-crm.deals", "size of it", "ai-metadata-enrichment", "KBC.description", "In EUR")]);
        keboola.AnswerNext(500);
        (await PushAsync()).Body.ShouldContain("gone: 500");
        (await server.AuditAsync()).Count(row => row is { Action: "column_metadata.pushed", Result: "error" }).ShouldBe(2);

        environment.Remove("KBC_STACK_URL");
        (await PushAsync()).Status.ShouldBe(500);
        (await server.SendAsync("POST", "/api/admin/metadata/never_was/push", null, admin)).Status.ShouldBe(404);
    }

    /// <summary>Whoever may store an address could otherwise have the operator's token sent to themselves.</summary>
    [Fact]
    public async Task A_token_of_the_environment_does_not_go_to_an_address_that_an_admin_stored()
    {
        await using var elsewhere = await KeboolaServer.StartAsync();
        elsewhere.Add("in.c-crm.deals", 10, "id");
        await using var server = await StartAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["KEBOOLA_STORAGE_TOKEN"] = KeboolaServer.Token });
        var admin = await server.SignInAsync();
        await server.SendAsync("POST", "/api/admin/register-table", """{"name":"deals","source_type":"keboola","bucket":"in.c-crm","query_mode":"materialized"}""", admin);
        await server.SendAsync("POST", "/api/admin/metadata/deals", """{"columns":[{"column_name":"id","description":"x"}]}""", admin);
        (await server.SendAsync("PUT", "/api/admin/secrets/KEBOOLA_STACK_URL", new JsonObject { ["value"] = elsewhere.Address }.ToJsonString(), admin)).Status.ShouldBe(204);
        (await server.SendAsync("POST", "/api/admin/metadata/deals/push", null, admin)).Status.ShouldBe(500);
        elsewhere.Metadata.ShouldBeEmpty();
    }

    private static async Task<int> SaveAsync(Shop shop, string body)
    {
        var answer = await shop.AsAdminAsync("POST", Orders, body);
        answer.Status.ShouldBe(200, answer.Body);
        return JsonNode.Parse(answer.Body)!["count"]!.GetValue<int>();
    }

    private Task<TestServer> StartAsync(Dictionary<string, string> environment) => TestServer.StartAsync(StateEngine.DuckDb, postgres, options =>
        options with { ConfigDir = options.StateDir + "/none", AllowedPrivateHosts = ["127.0.0.1"], Variables = name => environment.GetValueOrDefault(name) });
}
