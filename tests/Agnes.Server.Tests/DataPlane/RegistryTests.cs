using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

[Collection("world")]
public sealed class RegistryTests(Postgres postgres, Worlds worlds)
{
    private const string Register = "/api/admin/register-table";

    [Theory, OnBothEngines]
    public async Task Registrations_are_checked_before_anything_is_written(StateEngine engine)
    {
        var world = await worlds.OnAsync(engine, postgres);
        static Scenario Refused(string name, string body, int status, string text) =>
            new(name, "POST", Register, status) { Body = body, Has = [text] };
        var scenarios = new List<Scenario>
        {
            Refused("no name", "{}", 422, "Field required"),
            Refused("blank name", """{"name":"  "}""", 422, "Value error, Table name cannot be empty"),
            Refused("null name", """{"name":null}""", 422, "Input should be a valid string"),
            Refused("name with a blank", """{"name":"Orders V2x"}""", 400, "must match"),
            Refused("name with a newline at its end", "{\"name\":\"orders9\\n\"}", 400, "must match"),
            Refused("name with a quote", """{"name":"x\"; DROP TABLE y"}""", 400, "must match"),
            Refused("unknown source", """{"name":"t1","source_type":"oracle"}""", 422, "source_type must be one of"),
            Refused("unknown mode", """{"name":"t1","query_mode":"fast"}""", 422, "query_mode must be one of"),
            Refused("remote files", """{"name":"t1","source_type":"local","query_mode":"remote"}""", 422, "does not go with"),
            Refused("bad schedule", """{"name":"t1","sync_schedule":"hourly"}""", 422, "Invalid sync_schedule"),
            Refused("blank schedule", """{"name":"t1","sync_schedule":"  "}""", 422, "Invalid sync_schedule"),
            Refused("cron", """{"name":"t1","sync_schedule":"0 3 * * *"}""", 422, "Invalid sync_schedule"),
            Refused("bad strategy", """{"name":"t1","sync_strategy":"magic"}""", 422, "sync_strategy must be one of"),
            Refused("partitioned without a column", """{"name":"t1","sync_strategy":"partitioned"}""", 422, "needs partition_by"),
            Refused("partitioned with filters", """{"name":"t1","sync_strategy":"partitioned","partition_by":"d","where_filters":[{"column":"a","values":["1"]}]}""", 422, "where_filters"),
            Refused("incremental with filters", """{"name":"t1","sync_strategy":"incremental","where_filters":[{"column":"a","values":["1"]}]}""", 422, "where_filters"),
            Refused("operator", """{"name":"t1","where_filters":[{"column":"a","operator":"like","values":["1"]}]}""", 422, "operator must be one of"),
            Refused("no values", """{"name":"t1","where_filters":[{"column":"a","values":[]}]}""", 422, "values must be"),
            Refused("unknown placeholder", """{"name":"t1","where_filters":[{"column":"a","values":["{{tomorrow}}"]}]}""", 422, "unknown placeholder"),
            Refused("filters that are no JSON", """{"name":"t1","where_filters":"[{"}""", 422, "not valid JSON"),
            Refused("query without its mode", """{"name":"t1","source_query":"SELECT 1"}""", 422, "source_query needs"),
            Refused("materialized without a query", """{"name":"t1","query_mode":"materialized"}""", 422, "Value error"),
            Refused("negative days", """{"name":"t1","max_history_days":-1}""", 422, "must not be negative"),
            Refused("days that are no number", """{"name":"t1","max_history_days":"many"}""", 422, "valid integer"),
            Refused("path out of the root", """{"name":"t1","source_type":"local","source_table":"../../etc/passwd"}""", 400, ".."),
            Refused("folder out of the root", """{"name":"t1","source_type":"local","bucket":"..","source_table":"a.csv"}""", 400, ".."),
            Refused("absolute path", """{"name":"t1","source_type":"csv","source_table":"/etc/passwd"}""", 400, "relative"),
            Refused("BigQuery without a project", """{"name":"t1","source_type":"bigquery","bucket":"d","source_table":"t"}""", 400, "BigQuery"),
            Refused("taken id", """{"name":"orders"}""", 409, "Table 'orders' already registered"),
            Refused("taken name in another case", """{"name":"SALARIES"}""", 409, "already registered"),
            Refused("settings that are no object", """{"name":"t1","source_type":"csv","settings":[1]}""", 422, "settings must be an object"),
            Refused("a setting that there is not", """{"name":"t1","source_type":"csv","settings":{"delimter":","}}""", 422, "'delimter' is no setting of files"),
            Refused("a setting that cannot be", """{"name":"t1","source_type":"csv","settings":{"types":{"a":"BLOB"}}}""", 422, "types must be"),
            Refused("settings of another kind of source", """{"name":"t1","source_type":"jira","settings":{"trim":true}}""", 422, "has no settings of its own"),
            Refused("no object", "[]", 422, "valid dictionary"),
        };
        await Scenarios.RunAsync(world, scenarios);
        await Scenarios.RunAsync(world, scenarios.Select(s => s with { Name = $"{s.Name}, precheck", Path = $"{Register}/precheck" }));
        await Scenarios.RunAsync(world, new Scenario("register", "POST", Register, 0) { Body = """{"name":"t1"}""" }.Refusals(adminsOnly: true));
        await Scenarios.RunAsync(world, new Scenario("list", "GET", "/api/admin/registry", 0).Refusals(adminsOnly: true));
    }

    [Theory, OnBothEngines]
    public async Task A_table_is_registered_listed_changed_and_removed(StateEngine engine)
    {
        var world = await worlds.OnAsync(engine, postgres);
        await Scenarios.RunAsync(world,
        [
            new("precheck", "POST", $"{Register}/precheck", 200) { Body = """{"name":"Visits","source_type":"local","source_table":"visits.csv"}""", Has = ["\"ok\":true", "No file matches visits.csv yet."] },
            new("register", "POST", Register, 201)
            {
                Body = """{"name":"Visits","source_type":"local","source_table":"visits.csv","primary_key":"id","description":"one\\nper visit","sync_strategy":"partitioned","partition_by":"day"}""",
                Has = ["""{"id":"visits","name":"Visits","status":"registered"}"""],
                Audit = ["register_table"],
            },
            new("register again", "POST", Register, 409) { Body = """{"name":"Visits"}""", Has = ["already registered"] },
            new("list", "GET", "/api/admin/registry", 200)
            {
                Has = ["\"source_type\":\"csv\"", "\"primary_key\":[\"id\"]", "\"partition_granularity\":\"month\"", "one\\nper visit", "\"registered_by\":\"root@example.com\"", "\"last_sync_error\":null"],
            },
            new("keep all", "PUT", "/api/admin/registry/visits", 200) { Body = "{}", Has = ["""{"id":"visits","updated":[]}"""] },
            new("clear one", "PUT", "/api/admin/registry/visits", 200) { Body = """{"description":null,"sync_schedule":"every 15m"}""", Has = ["description", "sync_schedule"], Audit = ["update_table"] },
            new("break a rule of the merged row", "PUT", "/api/admin/registry/visits", 422) { Body = """{"partition_by":null}""", Has = ["needs partition_by"] },
            new("null name", "PUT", "/api/admin/registry/visits", 422) { Body = """{"name":null}""" },
            new("take another's name", "PUT", "/api/admin/registry/visits", 409) { Body = """{"name":"orders"}""" },
            new("unknown", "PUT", "/api/admin/registry/nonsense", 404) { Body = "{}", Has = ["Table not found"] },
            new("list again", "GET", "/api/admin/registry", 200) { Has = ["\"sync_schedule\":\"every 15m\""], Lacks = ["one\\nper visit"] },
            new("remove", "DELETE", "/api/admin/registry/visits", 204) { Audit = ["unregister_table"] },
            new("remove again", "DELETE", "/api/admin/registry/visits", 404) { Has = ["Table not found"] },
        ]);
    }

    [Theory, OnBothEngines]
    public async Task Many_are_registered_at_once_or_none(StateEngine engine)
    {
        var world = await worlds.OnAsync(engine, postgres);
        await Scenarios.RunAsync(world,
        [
            new("one at fault", "POST", "/api/admin/register-tables", 422)
            {
                Body = """{"tables":[{"name":"b1"},{"name":"b 2"},{"name":"b3","sync_schedule":"hourly"},7]}""",
                Has = ["\"index\":1", "\"index\":2", "\"index\":3", "3 of 4 registrations are at fault; none was registered."],
                Lacks = ["\"index\":0"],
            },
            new("twice the same", "POST", "/api/admin/register-tables", 409) { Body = """{"tables":[{"name":"b1"},{"name":"B1"}]}""" },
            new("none was registered", "GET", "/api/admin/registry", 200) { Lacks = ["\"b1\"", "\"b3\""] },
            new("all", "POST", "/api/admin/register-tables", 201) { Body = """{"tables":[{"name":"b1"},{"name":"b2"}]}""", Has = ["\"count\":2"], Audit = ["register_table", "register_table"] },
            new("remove one", "DELETE", "/api/admin/registry/b1", 204) { Audit = ["unregister_table"] },
            new("remove the other", "DELETE", "/api/admin/registry/b2", 204) { Audit = ["unregister_table"] },
            new("nothing", "POST", "/api/admin/register-tables", 422) { Body = """{"tables":[]}""" },
        ]);
    }

    [Fact]
    public async Task Of_many_who_register_one_name_at_once_one_succeeds()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var token = world.TokenOf(Principal.Admin);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i =>
            world.Server.SendAsync("POST", Register, new JsonObject { ["name"] = i % 2 == 0 ? "race" : "RACE" }.ToJsonString(), token)));
        answers.Count(answer => answer.Status == 201).ShouldBe(1);
        answers.Count(answer => answer.Status == 409).ShouldBe(11);
        await world.AsAdminAsync("DELETE", "/api/admin/registry/race");
    }

    [Fact]
    public async Task Removing_a_table_takes_its_grants_and_versions_along()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var hash = shop.Server.State.Snapshot.PublishedTable("orders")!.Parts[0].Sha256;
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/orders")).Status.ShouldBe(204);
        (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(403);
        shop.Server.State.Snapshot.GrantsOn("table", "orders").ShouldBeEmpty();

        // The extract still offers it: it comes back, for admins only, until it is granted anew.
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("orders") is not null, "the foreign extract's table was published again");
        (await shop.AsAnalystAsync("GET", $"/api/data/Orders/parts/{hash}")).Status.ShouldBe(403);
        (await shop.AsAdminAsync("GET", "/api/data/Orders/download")).Status.ShouldBe(200);
        await shop.RegisterAsync("""{"name":"Orders","source_type":"keboola"}""");
        (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(403);
    }
}
