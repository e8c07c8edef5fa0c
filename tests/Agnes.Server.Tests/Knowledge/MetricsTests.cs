using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Knowledge;

public sealed class MetricsTests(Postgres postgres, Shops shops)
{
    private const string Total =
        """
        name: total
        display_name: Total
        category: revenue
        unit: EUR
        table: Orders
        description: What was bought.
        dimensions: [name]
        notes: [All rows count.]
        sql: SELECT sum(amount) AS total FROM orders
        sql_by_name: |
          SELECT name, sum(amount) AS total
          FROM orders
          GROUP BY 1
        validation: {min: 0, ok: true}
        """;

    [Theory]
    [OnBothEngines]
    public async Task A_definition_goes_in_as_yaml_is_answered_as_json_and_comes_out_as_the_same_yaml(StateEngine engine)
    {
        var shop = await shops.OnAsync(engine, postgres);
        var imported = await ImportAsync(shop, "metrics", ("revenue/total.yml", Total));
        imported.Status.ShouldBe(200, imported.Body);
        imported.Json["count"]!.GetValue<int>().ShouldBe(1);
        imported.Json["warnings"]!.AsArray().ShouldBeEmpty(imported.Body);

        var one = await shop.AsAnalystAsync("GET", "/api/metrics/revenue/total");
        one.Status.ShouldBe(200, one.Body);
        one.Text("id").ShouldBe("revenue/total");
        one.Text("grain").ShouldBe("monthly");
        one.Text("source").ShouldBe("yaml_import");
        one.Text("table_name").ShouldBe("Orders");
        one.Json["dimensions"]!.AsArray().Count.ShouldBe(1);
        one.Json["filters"].ShouldBeNull();
        JsonNode.Parse(one.Text("sql_variants"))!["by_name"]!.GetValue<string>().ShouldStartWith("SELECT name");
        JsonNode.Parse(one.Text("validation"))!["ok"]!.GetValue<bool>().ShouldBeTrue();
        (await shop.AsAnalystAsync("GET", "/api/metrics?category=revenue")).Body.ShouldContain("revenue/total");
        (await shop.AsAnalystAsync("GET", "/api/metrics?category=other")).Json["count"]!.GetValue<int>().ShouldBe(0);
        var moved = await shop.AsAnalystAsync("GET", "/api/catalog/metrics/revenue/total.yml");
        (moved.Status, moved.Header("Location")).ShouldBe((301, "/api/metrics/revenue/total"));

        var exported = (await shop.AsAdminAsync("GET", "/api/admin/metrics/export")).Json["files"]!.AsArray().Single(file => file!["path"]!.GetValue<string>() == "revenue/total.yml")!;
        var again = await ImportAsync(shop, "metrics", ("x.yml", exported["content"]!.GetValue<string>()));
        again.Status.ShouldBe(200, again.Body);
        var second = (await shop.AsAnalystAsync("GET", "/api/metrics/revenue/total")).Json;
        foreach (var field in (string[])["description", "sql", "sql_variants", "validation", "notes", "unit", "created_at"]) second[field]!.ToJsonString().ShouldBe(one.Json[field]!.ToJsonString(), field);
    }

    [Fact]
    public async Task A_metric_over_a_hidden_table_does_not_exist_for_the_asker()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        (await ImportAsync(
            shop, "metrics",
            ("people/pay.yml", "{name: pay, category: people, table: Orders, sql: 'SELECT sum(pay) FROM salaries'}"),
            ("people/pay2.yml", "{name: pay2, category: people, table: Orders, sql: 'SELECT 1', sql_by_who: 'SELECT * FROM orders, (SELECT who FROM main.salaries)'}"),
            ("people/pay3.yml", "{name: pay3, category: people, table: salaries, sql: 'SELECT 1'}"),
            ("people/pay4.yml", "{name: pay4, category: people, tables: [Orders, salaries], sql: 'SELECT 1'}"),
            ("people/gone.yml", "{name: gone, category: people, sql: 'SELECT 1 FROM nowhere'}"))).Status.ShouldBe(200);
        var never = await shop.AsAnalystAsync("GET", "/api/metrics/people/none");
        never.Status.ShouldBe(404);
        foreach (var name in (string[])["pay", "pay2", "pay3", "pay4", "gone"])
        {
            var hidden = await shop.AsAnalystAsync("GET", $"/api/metrics/people/{name}");
            hidden.Status.ShouldBe(404);
            hidden.Body.Replace(name, "none", StringComparison.Ordinal).ShouldBe(never.Body);
            (await shop.AsAdminAsync("GET", $"/api/metrics/people/{name}")).Status.ShouldBe(200);
        }
        (await shop.AsAnalystAsync("GET", "/api/metrics")).Body.ShouldNotContain("people");
        (await shop.AsAnalystAsync("GET", "/business-metrics")).Body.ShouldNotContain("people/");
        (await shop.AsAnalystAsync("GET", "/business-metrics/people/pay")).Body.Replace("people/pay", "people/none", StringComparison.Ordinal).ShouldBe((await shop.AsAnalystAsync("GET", "/business-metrics/people/none")).Body);
        (await shop.AsAnalystAsync("GET", "/api/welcome")).Text("content").ShouldNotContain("people");
        (await shop.AsAdminAsync("GET", "/api/welcome")).Text("content").ShouldContain("people");
        (await shop.AsAdminAsync("GET", "/api/metrics?category=people")).Json["count"]!.GetValue<int>().ShouldBe(5);
    }

    [Fact]
    public async Task What_is_no_definition_is_refused_whole_with_every_fault()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var before = (await shop.AsAdminAsync("GET", "/api/metrics")).Json["count"]!.GetValue<int>();
        foreach (var (yaml, text) in ((string, string)[])[
            ("[", "Invalid YAML"), ("", "Empty YAML file"), ("a: &x 1\nb: *x", "aliases"), ("name: a\ncategory: b", "sql is missing"), ("sql: SELECT 1", "'name' is missing"),
            ("- {name: fine, category: c, sql: SELECT 1}\n- {name: bad name, category: c, sql: SELECT 1}", "not of the form"),
            ("{name: a, category: c, sql: 'SELECT 1; SELECT 2'}", "Only single SELECT"), ("{name: a, category: c, sql: 'DROP TABLE orders'}", "Only single SELECT"),
            ("{name: a, category: c, sql: 'SELECT 1) UNION (SELECT 2'}", "Parser Error"), ("{name: a, category: c, sql: SELECT 1, tabel: x}", "'tabel' is not a field"),
            ("{name: ../../etc, category: c, sql: SELECT 1}", "not of the form"), ("{id: c/b, name: a, category: c, sql: SELECT 1}", "category and name say 'c/a'")])
        {
            var answer = await ImportAsync(shop, "metrics", ("c/x.yml", yaml));
            answer.Status.ShouldBe(400, yaml);
            answer.Body.ShouldContain(text, customMessage: yaml);
        }
        (await shop.AsAdminAsync("GET", "/api/metrics")).Json["count"]!.GetValue<int>().ShouldBe(before);
        (await shop.Server.SendAsync("POST", "/api/admin/metrics/import", token: shop.Admin)).Status.ShouldBe(422);
        (await shop.AsAnalystAsync("POST", "/api/admin/metrics/import")).Status.ShouldBe(403);
        (await shop.AsAnalystAsync("GET", "/api/admin/metrics/export")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task The_starter_pack_goes_in_whole_and_comes_out_as_it_went_in()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Agnes.slnx"))) folder = folder.Parent!;
        (string Name, string Yaml)[] files = [.. Directory.EnumerateFiles(Path.Combine(folder.FullName, "docs", "metrics"), "*.yml", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "metrics.yml").Select(file => ($"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}", File.ReadAllText(file)))];
        var imported = await ImportAsync(shop, "metrics", files);
        imported.Status.ShouldBe(200, imported.Body);
        imported.Json["count"]!.GetValue<int>().ShouldBe(11);
        var mrr = await shop.AsAdminAsync("GET", "/api/metrics/revenue/mrr");
        mrr.Text("sql_variants").ShouldContain("by_plan");
        mrr.Json["dimensions"]!.AsArray().Select(item => item!.GetValue<string>()).ShouldBe(["plan_type", "region"]);

        async Task<Dictionary<string, string>> AllAsync() => (await shop.AsAdminAsync("GET", "/api/metrics")).Json["metrics"]!.AsArray()
            .Where(metric => files.Any(file => file.Name == $"{metric!["id"]}.yml"))
            .ToDictionary(metric => metric!["id"]!.GetValue<string>(), metric => { metric!["updated_at"] = null; return metric.ToJsonString(); }, StringComparer.Ordinal);
        var before = await AllAsync();
        before.Count.ShouldBe(11);
        var exported = (await shop.AsAdminAsync("GET", "/api/admin/metrics/export")).Json["files"]!.AsArray().Where(file => before.ContainsKey(file!["path"]!.GetValue<string>()[..^".yml".Length]));
        (await ImportAsync(shop, "metrics", [.. exported.Select(file => (file!["path"]!.GetValue<string>(), file["content"]!.GetValue<string>()))])).Status.ShouldBe(200);
        (await AllAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task A_file_as_Windows_editors_write_it_is_read()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var imported = await ImportAsync(shop, "metrics", ("windows/crlf.yml", "\uFEFFname: crlf\r\nnotes:\r\n  - Größe\r\nsql: |\r\n  SELECT 1\r\n  AS one\r\n"));
        imported.Status.ShouldBe(200, imported.Body);
        var metric = await shop.AsAnalystAsync("GET", "/api/metrics/windows/crlf");
        metric.Text("sql").ShouldBe("SELECT 1\nAS one\n");
        metric.Json["notes"]![0]!.GetValue<string>().ShouldBe("Größe");
        (await shop.AsAdminAsync("DELETE", "/api/admin/metrics/windows/crlf")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Validation_binds_each_statement_to_the_tables_as_they_are()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var body = new JsonObject { ["id"] = "checks/broken", ["name"] = "broken", ["display_name"] = "Broken", ["category"] = "checks", ["sql"] = "SELECT sum(amuont) FROM orders", ["table_name"] = "Orders" };
        var made = await shop.AsAdminAsync("POST", "/api/admin/metrics", body.ToJsonString());
        made.Status.ShouldBe(201, made.Body);
        body["id"] = "checks/unregistered";
        (await shop.AsAdminAsync("POST", "/api/admin/metrics", body.ToJsonString())).Status.ShouldBe(422, "an id that is not category and name would come back from an export as another metric");
        body["name"] = "unregistered";
        body["table_name"] = "nowhere";
        body["sql"] = "SELECT 1;";
        (await shop.AsAdminAsync("POST", "/api/admin/metrics", body.ToJsonString())).Status.ShouldBe(201);

        var found = (await shop.AsAdminAsync("GET", "/api/admin/metrics/validate")).Json;
        string Messages(string id) => found["metrics"]!.AsArray().Single(metric => metric!["id"]!.GetValue<string>() == id)!["messages"]!.ToJsonString();
        Messages("checks/broken").ShouldContain("amuont");
        Messages("checks/unregistered").ShouldContain("not registered");
        found["failed"]!.GetValue<int>().ShouldBeGreaterThanOrEqualTo(2);

        foreach (var id in (string[])["checks/broken", "checks/unregistered"]) (await shop.AsAdminAsync("DELETE", $"/api/admin/metrics/{id}")).Json["status"]!.GetValue<string>().ShouldBe("deleted");
        (await shop.AsAdminAsync("DELETE", "/api/admin/metrics/checks/broken")).Status.ShouldBe(404);
        (await shop.Server.AuditAsync()).Count(row => row is { Action: "metric.deleted", Resource: "metric:checks/broken" }).ShouldBe(1);
        body.Remove("sql");
        (await shop.AsAdminAsync("POST", "/api/admin/metrics", body.ToJsonString())).Status.ShouldBe(422);
    }

    [Theory]
    [OnBothEngines]
    public async Task A_verified_query_is_seen_once_marked_runs_with_values_and_only_over_granted_tables(StateEngine engine)
    {
        var shop = await shops.OnAsync(engine, postgres);
        const string Cheap = "{name: cheap, category: sales, question: 'Which are cheap?', parameters: [{name: most, type: number, default: 3}], sql: 'SELECT id FROM orders, parameters WHERE amount <= most ORDER BY id'}";
        var imported = await ImportAsync(shop, "verified-queries", ("sales/cheap.yml", Cheap), ("sales/pay.yml", "{name: pay, category: sales, question: 'Who earns what?', sql: SELECT * FROM salaries}"));
        imported.Status.ShouldBe(200, imported.Body);
        (await shop.AsAnalystAsync("GET", "/api/verified-queries/sales/cheap")).Status.ShouldBe(404);
        (await shop.AsAnalystAsync("POST", "/api/admin/verified-queries/canonical", """{"id":"sales/cheap"}""")).Status.ShouldBe(403);
        foreach (var id in (string[])["sales/cheap", "sales/pay"]) (await shop.AsAdminAsync("POST", "/api/admin/verified-queries/canonical", $$"""{"id":"{{id}}"}""")).Status.ShouldBe(200);

        var list = (await shop.AsAnalystAsync("GET", "/api/verified-queries")).Json;
        list["queries"]!.AsArray().Select(query => query!["id"]!.GetValue<string>()).ShouldBe(["sales/cheap"]);
        var hidden = await shop.AsAnalystAsync("POST", "/api/verified-queries/run", """{"id":"sales/pay"}""");
        var never = await shop.AsAnalystAsync("POST", "/api/verified-queries/run", """{"id":"sales/nil"}""");
        hidden.Status.ShouldBe(404);
        hidden.Body.Replace("pay", "nil", StringComparison.Ordinal).ShouldBe(never.Body);

        (await shop.AsAnalystAsync("POST", "/api/verified-queries/run", """{"id":"sales/cheap"}""")).Json["row_count"]!.GetValue<int>().ShouldBe(3);
        (await shop.AsAnalystAsync("POST", "/api/verified-queries/run", """{"id":"sales/cheap","parameters":{"most":1.5}}""")).Json["row_count"]!.GetValue<int>().ShouldBe(2);
        foreach (var (parameters, text) in ((string, string)[])[("""{"most":"1; DROP TABLE x"}""", "must be a number"), ("""{"leats":1}""", "no parameter 'leats'")])
        {
            var refused = await shop.AsAnalystAsync("POST", "/api/verified-queries/run", $$"""{"id":"sales/cheap","parameters":{{parameters}}}""");
            refused.Status.ShouldBe(400);
            refused.Body.ShouldContain(text);
        }

        (await ImportAsync(shop, "verified-queries", ("sales/cheap.yml", Cheap))).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("GET", "/api/verified-queries/sales/cheap")).Status.ShouldBe(200, "the same again keeps its mark");
        (await ImportAsync(shop, "verified-queries", ("sales/cheap.yml", Cheap.Replace("ORDER BY id", "ORDER BY 1", StringComparison.Ordinal)))).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("GET", "/api/verified-queries/sales/cheap")).Status.ShouldBe(404, "other SQL must be vouched for again");
        (await ImportAsync(shop, "verified-queries", ("sales/cheap.yml", Cheap.Replace("amount", "amuont", StringComparison.Ordinal)))).Status.ShouldBe(400);
        foreach (var id in (string[])["sales/cheap", "sales/pay"]) (await shop.AsAdminAsync("DELETE", $"/api/admin/verified-queries/{id}")).Status.ShouldBe(200);
    }

    private static async Task<Answer> ImportAsync(Shop shop, string what, params (string Name, string Yaml)[] files) =>
        await shop.Server.SendAsync("POST", $"/api/admin/{what}/import", token: shop.Admin, change: request =>
        {
            var form = new MultipartFormDataContent();
            foreach (var (name, yaml) in files) form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(yaml)) { Headers = { ContentType = new MediaTypeHeaderValue("application/yaml") } }, "file", name);
            request.Content = form;
        });
}
