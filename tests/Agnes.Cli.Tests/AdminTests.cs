using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>Each admin command: what it asks the server for, and what it says.</summary>
public sealed class AdminTests : IAsyncLifetime
{
    private readonly List<string> _asked = [];
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        _server.Intercept = Answer;
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("add-user|bo@example.com", """POST /api/users {"email":"bo@example.com","name":"bo"}""", "In no group yet")]
    [InlineData("remove-user|ana@example.com", "DELETE /api/users/u1", "Removed")]
    [InlineData("deactivate|ana@example.com", "POST /api/users/u1/deactivate", "deactivated")]
    [InlineData("activate|u1", "POST /api/users/u1/activate", "activated")]
    [InlineData("reset-password|u1", "POST /api/users/u1/reset-password", "https://reset")]
    [InlineData("set-password|u1|--password|longenough", """POST /api/users/u1/set-password {"password":"longenough"}""", "set.")]
    [InlineData("group|create|new|--description|d", """POST /api/admin/groups {"name":"new","description":"d"}""", "created")]
    [InlineData("group|delete|analysts", "DELETE /api/admin/groups/g1", "deleted")]
    [InlineData("group|members|analysts", "GET /api/admin/groups/g1/members", "ana@example.com")]
    [InlineData("group|add-member|analysts|ana@example.com", """POST /api/admin/groups/g1/members {"email":"ana@example.com"}""", "is now in")]
    [InlineData("group|remove-member|analysts|ana@example.com", "DELETE /api/admin/groups/g1/members/u1", "no longer")]
    [InlineData("grant|list|--type|table|--group|analysts", "GET /api/admin/grants?resource_type=table&group_id=g1", "orders")]
    [InlineData("grant|create|analysts|table|orders", """POST /api/admin/grants {"group_id":"g1","resource_type":"table","resource_id":"orders"}""", "may now read")]
    [InlineData("grant|create|analysts|table|a|b", """POST /api/admin/grants/bulk {"group_id":"g1","resource_type":"table","add":["a","b"]}""", "may now read 2")]
    [InlineData("grant|delete|x1", "DELETE /api/admin/grants/x1", "revoked")]
    [InlineData("explain-access|ana@example.com|orders", "GET /api/admin/access/explain?user=ana%40example.com&type=table&id=orders", "Through: analysts")]
    [InlineData("access|explain|ana@example.com|tools/sql|--type|marketplace_plugin", "GET /api/admin/access/explain?user=ana%40example.com&type=marketplace_plugin&id=tools%2Fsql", "Reason: granted")]
    [InlineData("access|who|orders", "GET /api/admin/access/holders?type=table&id=orders", "ana@example.com")]
    [InlineData("access|show|ana@example.com", "GET /api/admin/users/u1/effective-access", "analysts")]
    [InlineData("access|simulate|ana@example.com", "GET /api/v2/catalog as ana@example.com", "orders")]
    [InlineData("token|list", "GET /auth/admin/tokens", "laptop")]
    [InlineData("token|revoke|t1", "DELETE /auth/admin/tokens/t1", "revoked")]
    [InlineData("audit|list|--user|ana@example.com|--action|user.*|--limit|3", "GET /api/admin/audit?user_id=u1&action=user.%2A&limit=3", "user.update")]
    [InlineData("audit|export|--format|csv|--since|2026-01-01", "GET /api/admin/audit/export?since=2026-01-01&format=csv", "timestamp,user_id")]
    [InlineData("config|show|instance", "GET /api/admin/server-config", "Acme")]
    [InlineData("config|set|instance.name=New|materialize.lock_ttl_seconds=60|--dry-run", """POST /api/admin/server-config {"sections":{"instance":{"name":"New"},"materialize":{"lock_ttl_seconds":60}},"confirm_danger":false,"dry_run":true}""", "Nothing was changed")]
    [InlineData("config|unset|auth.allowed_domain|--confirm-danger", """POST /api/admin/server-config {"$unset":["auth.allowed_domain"],"confirm_danger":true}""", "Restart the server")]
    [InlineData("secret|list", "GET /api/admin/secrets", "KEBOOLA_STORAGE_TOKEN")]
    [InlineData("secret|remove|A_TOKEN", "DELETE /api/admin/secrets/A_TOKEN", "removed")]
    [InlineData("register-table|orders|--source-type|csv|--source-table|orders.csv|--primary-key|a, b", """POST /api/admin/register-table {"name":"orders","source_type":"csv","bucket":null,"source_table":"orders.csv","query_mode":"local","description":null,"sync_strategy":"full_refresh","primary_key":["a","b"]}""", "grant create <group> table orders")]
    [InlineData("register-table|t|--source-type|csv|--dry-run", """POST /api/admin/register-table/precheck {"name":"t","source_type":"csv","bucket":null,"source_table":"t","query_mode":"local","description":null,"sync_strategy":"full_refresh"}""", "BIGINT")]
    [InlineData("update-table|orders|--description|new|--query=", """PUT /api/admin/registry/orders {"source_query":null,"description":"new"}""", "Updated orders")]
    [InlineData("register-table|t|--source-type|csv|--setting|date_format=%d/%m/%Y|--setting|null_texts=NA,N/A|--setting|trim=true|--setting|types={\"code\":\"VARCHAR\"}|--setting|decimal=,", """POST /api/admin/register-table {"name":"t","source_type":"csv","bucket":null,"source_table":"t","query_mode":"local","description":null,"sync_strategy":"full_refresh","settings":{"date_format":"%d/%m/%Y","null_texts":["NA","N/A"],"trim":true,"types":{"code":"VARCHAR"},"decimal":","}}""", "grant create <group> table t")]
    [InlineData("update-table|orders|--no-settings", """PUT /api/admin/registry/orders {"settings":null}""", "Updated orders: settings.")]
    [InlineData("set-aside|orders|--limit|1", "GET /api/admin/registry/orders/set-aside?limit=1", "1 of 2 are shown")]
    [InlineData("unregister-table|orders|-y", "DELETE /api/admin/registry/orders", "Unregistered")]
    [InlineData("sync|trigger|orders|customers", """POST /api/sync/trigger {"tables":["orders","customers"]}""", "r1")]
    [InlineData("sync|trigger", "POST /api/sync/trigger", "r1")]
    [InlineData("sync|runs|--limit|3", "GET /api/sync/runs?limit=3", "partial")]
    [InlineData("sync|show|r1", "GET /api/sync/runs/r1", "orders")]
    [InlineData("sync|log|r1", "GET /api/sync/runs/r1/log?after=0&limit=1000", "reading orders.csv")]
    [InlineData("sync|cancel|r1", "POST /api/sync/runs/r1/cancel", "ending")]
    public async Task A_command_asks_for_what_it_says(string arguments, string request, string said)
    {
        (await _agnes.RunAsync(["admin", .. arguments.Split('|')])).ShouldSucceed().Out.ShouldContain(said);
        _asked[^1].ShouldBe(request);
    }

    [Theory]
    [InlineData("list-users")]
    [InlineData("group|list")]
    [InlineData("grant|list")]
    [InlineData("list-tables")]
    [InlineData("grant|resource-types")]
    [InlineData("sync|runs")]
    [InlineData("add-user|bo@example.com")]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task Json_is_the_servers_answer(string arguments)
    {
        (await _agnes.RunAsync(["admin", .. arguments.Split('|')])).ShouldSucceed().Out.ShouldNotBeEmpty();
        (await _agnes.RunAsync(["admin", .. arguments.Split('|'), "--json"])).ShouldSucceed().Json.ValueKind.ShouldBeOneOf(JsonValueKind.Array, JsonValueKind.Object);
    }

    [Theory]
    [InlineData("deactivate|nobody@example.com", "no user")]
    [InlineData("group|members|nobodies", "no group")]
    [InlineData("register-table|taken|--source-type|csv", "already registered")]
    [InlineData("grant|delete|forbidden", "Admin access required")]
    public async Task What_cannot_be_done_exits_1_with_the_reason(string arguments, string said) =>
        (await _agnes.RunAsync(["admin", .. arguments.Split('|')])).ShouldFail(1).Error.ShouldContain(said);

    [Fact]
    public async Task Declining_to_unregister_changes_nothing_and_is_no_failure()
    {
        (await _agnes.RunWithInputAsync("n\n", "admin", "unregister-table", "orders")).ShouldSucceed();
        _asked.ShouldBeEmpty();
        (await _agnes.RunWithInputAsync("y\n", "admin", "unregister-table", "orders")).ShouldSucceed();
        _asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Many_files_are_registered_granted_and_brought_in_one_go()
    {
        var outcome = await _agnes.RunWithInputAsync("./web/Page Views-2026.csv.gz\ncustomers.parquet\ntaken.csv\n", "admin", "register-files", "-", "orders.csv", "--grant", "analysts", "--sync", "--json");
        outcome.ShouldSucceed();
        outcome.Json.EnumerateArray().Select(row => $"{row.GetProperty("name").GetString()} {row.GetProperty("result").GetString()}")
            .ShouldBe(["orders registered", "page_views_2026 registered", "customers registered", "taken registered already"]);
        _asked.ShouldContain("""POST /api/admin/register-table {"name":"page_views_2026","source_type":"csv","bucket":"web","source_table":"Page Views-2026.csv.gz","query_mode":"local","sync_strategy":"full_refresh"}""");
        _asked.ShouldContain("""POST /api/admin/grants/bulk {"group_id":"g1","resource_type":"table","add":["orders","page_views_2026","customers","taken"]}""");
        outcome.Error.ShouldContain("orders: ok, 3 rows");
    }

    [Fact]
    public async Task What_cannot_be_registered_is_left_with_its_reason_and_holds_up_no_other()
    {
        var outcome = (await _agnes.RunAsync("admin", "register-files", "a.csv", "a.json", "web/clicks", "mail/", "notes.exe", "../x.csv", "other.csv", "ok.csv.zst", "--json")).ShouldFail(1);
        outcome.Json.EnumerateArray().Select(row => $"{row.GetProperty("file").GetString()} {row.GetProperty("name").GetString()} {row.GetProperty("result").GetString()}").ShouldBe(
            ["a.csv a left", "a.json a left", "web/clicks clicks registered", "mail mail registered", "notes.exe notes_exe left", "../x.csv x left", "other.csv other left", "ok.csv.zst ok registered"]);
        outcome.Json[0].GetProperty("error").GetString()!.ShouldStartWith("'a' would also be the name of a.json");
        outcome.Json[6].GetProperty("error").GetString()!.ShouldContain("taken", customMessage: "a table of that name is of another file");
        _asked.ShouldContain("""POST /api/admin/register-table {"name":"clicks","source_type":"csv","bucket":"web","source_table":"clicks","query_mode":"local","sync_strategy":"full_refresh"}""");
    }

    [Fact]
    public async Task A_dry_run_registers_nothing_and_shows_rows_and_columns_as_far_as_they_are_known()
    {
        var outcome = (await _agnes.RunAsync("admin", "register-files", "orders.csv", "unknown.csv", "--dry-run")).ShouldSucceed();
        outcome.Out.ShouldMatch(@"orders +orders\.csv +3 +2 +would register");
        (await _agnes.RunAsync("admin", "register-files", "broken.csv", "--dry-run")).ShouldFail(1).Out.ShouldMatch(@"broken +broken\.csv +- +- +would register: broken.csv, line 3: expected 2 columns, found 1");
        outcome.Out.ShouldMatch(@"unknown +unknown\.csv +- +- +would register");
        _asked.ShouldNotContain(asked => asked.StartsWith("POST /api/admin/register-table {", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dry_run_of_one_table_shows_its_first_rows_and_how_its_files_are_read()
    {
        var said = (await _agnes.RunAsync("admin", "register-table", "shown", "--source-type", "csv", "--dry-run")).ShouldSucceed().Out;
        foreach (var part in (string[])
            ["Types come from 2 rows.", "shown.csv: delimiter tab; quote \"; header yes; windows-1252; 1 lines before it skipped; dates of day as %d/%m/%Y; no value: NA", "note: columns of one name", "│ 2024-01-13 │ NULL"])
        {
            said.ShouldContain(part);
        }

        (await _agnes.RunAsync("admin", "register-table", "broken", "--source-type", "csv", "--dry-run")).ShouldSucceed().Out.ShouldContain("It cannot be shown: broken.csv, line 3");
    }

    [Fact]
    public async Task Watching_follows_a_run_to_its_end_and_fails_with_it()
    {
        var good = (await _agnes.RunAsync("admin", "sync", "watch")).ShouldSucceed();
        good.Out.ShouldContain("orders: started\norders: ok, 3 rows\nRun ok.");
        var bad = (await _agnes.RunAsync("admin", "sync", "watch", "r-bad")).ShouldFail(1);
        bad.Out.ShouldContain("orders: FAILED: no such file");
    }

    private async Task<bool> Answer(HttpContext context)
    {
        var request = context.Request;
        var body = await new StreamReader(request.Body).ReadToEndAsync();
        var asked = $"{request.Method} {request.Path}{request.QueryString}{(body.Length > 0 ? " " + body : "")}";
        if (request.Headers["X-Agnes-View-As"].Count > 0) asked += $" as {request.Headers["X-Agnes-View-As"]}";
        var isLookup = asked.StartsWith("GET /api/users", StringComparison.Ordinal) || asked == "GET /api/admin/groups";
        if (!isLookup) _asked.Add(asked);
        if (asked.EndsWith("/stream", StringComparison.Ordinal))
        {
            await StreamAsync(context, isGood: !asked.Contains("r-bad"));
            return true;
        }

        var (status, answer) = Respond(asked);
        if (status == 204) context.Response.StatusCode = 204;
        else await FakeServer.JsonAsync(context, status, answer);
        return true;
    }

    private static async Task StreamAsync(HttpContext context, bool isGood)
    {
        context.Response.ContentType = "text/event-stream";
        var table = isGood ? "event: table_done\ndata: {\"table\":\"orders\",\"status\":\"ok\",\"rows\":3}" : "event: table_failed\ndata: {\"table\":\"orders\",\"error\":\"no such file\"}";
        await context.Response.WriteAsync($"event: run_started\ndata: {{}}\n\n: alive\n\nid: 1\nevent: table_started\ndata: {{\"table\":\"orders\"}}\n\nid: 2\n{table}\n\nid: 3\nevent: run_done\ndata: {{\"status\":\"{(isGood ? "ok" : "failed")}\"}}\n\n");
    }

    private static (int Status, string Body) Respond(string asked) => asked switch
    {
        _ when asked.StartsWith("GET /api/users", StringComparison.Ordinal) => (200, """[{"id":"u1","email":"ana@example.com","is_admin":true,"active":true}]"""),
        "GET /api/admin/groups" => (200, """[{"id":"g1","name":"analysts","description":null,"is_system":false,"member_count":1,"grant_count":2}]"""),
        _ when asked.StartsWith("GET /api/admin/groups/g1/members", StringComparison.Ordinal) => (200, """[{"user_id":"u1","email":"ana@example.com","name":"Ana","source":"admin","active":true}]"""),
        _ when asked.StartsWith("POST /api/users {", StringComparison.Ordinal) => (201, """{"id":"u2","email":"bo@example.com","invite_url":null}"""),
        _ when asked.EndsWith("/reset-password", StringComparison.Ordinal) => (200, """{"reset_url":"https://reset","email_sent":false}"""),
        _ when asked.StartsWith("POST /api/admin/groups {", StringComparison.Ordinal) => (201, """{"id":"g2","name":"new"}"""),
        _ when asked.StartsWith("POST /api/admin/grants/bulk", StringComparison.Ordinal) => (200, """{"added":[],"removed":[],"unchanged":0}"""),
        _ when asked.StartsWith("GET /api/admin/grants", StringComparison.Ordinal) => (200, """[{"id":"x1","group_id":"g1","group_name":"analysts","resource_type":"table","resource_id":"orders","assigned_by":"ana"}]"""),
        _ when asked.StartsWith("POST /api/admin/grants", StringComparison.Ordinal) => (201, """{"id":"x1","group_id":"g1","exists":true}"""),
        "DELETE /api/admin/grants/forbidden" => (403, """{"detail":"Admin access required"}"""),
        "GET /api/admin/resource-types" => (200, """[{"key":"table","display_name":"Table","id_format":"registry id"}]"""),
        _ when asked.StartsWith("GET /api/admin/access/explain", StringComparison.Ordinal) => (200, """{"allowed":true,"reason":"granted","via_groups":[{"group_id":"g1","group_name":"analysts"}],"granted_to":[]}"""),
        _ when asked.StartsWith("GET /api/admin/access/holders", StringComparison.Ordinal) => (200, """{"resource_exists":true,"people":[{"email":"ana@example.com","allowed":true,"is_admin":false,"via_groups":[{"group_id":"g1","group_name":"analysts"}]}]}"""),
        "GET /api/admin/users/u1/effective-access" => (200, """{"is_admin":false,"items":[{"resource_type":"table","resource_id":"orders","via_groups":[{"group_id":"g1","group_name":"analysts"}]}]}"""),
        "GET /api/v2/catalog as ana@example.com" => (200, """{"tables":[{"id":"orders","name":"orders","query_mode":"local","rows":3}]}"""),
        "GET /auth/admin/tokens" => (200, """[{"id":"t1","name":"laptop","user_email":"ana@example.com"}]"""),
        _ when asked.StartsWith("GET /api/admin/audit?", StringComparison.Ordinal) => (200, """{"entries":[{"timestamp":"2026-01-01 00:00:00","user_id":"u1","action":"user.update"}],"count":1,"next_cursor":null}"""),
        _ when asked.StartsWith("GET /api/admin/audit/export", StringComparison.Ordinal) => (200, "timestamp,user_id\r\n"),
        "GET /api/admin/server-config" => (200, """{"sections":{"instance":{"name":"Acme"}}}"""),
        _ when asked.Contains("\"dry_run\":true") => (200, """{"status":"dry_run","diff":[{"path":"instance.name","before":"Acme","after":"New"}],"diff_count":1}"""),
        _ when asked.StartsWith("POST /api/admin/server-config", StringComparison.Ordinal) => (200, """{"status":"ok","restart_required":true,"sections_updated":["auth"],"diff_count":1}"""),
        "GET /api/admin/secrets" => (200, """{"secrets":[{"name":"KEBOOLA_STORAGE_TOKEN","overridden_by_environment":false}]}"""),
        _ when asked.Contains("register-table/precheck") && asked.Contains("\"source_table\":\"orders.csv\"") => (200, """{"ok":true,"table":{"name":"orders","rows":3,"columns":[{"name":"n","type":"BIGINT"},{"name":"m","type":"DATE"}]}}"""),
        _ when asked.Contains("register-table/precheck") && asked.Contains("\"name\":\"broken\"") =>
            (200, """{"ok":true,"table":{"name":"broken","rows":null,"columns":[],"preview":null,"preview_error":"broken.csv, line 3: expected 2 columns, found 1"}}"""),
        _ when asked.Contains("register-table/precheck") && asked.Contains("\"name\":\"shown\"") => (200, """
            {"ok":true,"table":{"name":"shown","rows":2,"size_bytes":30,"columns":[{"name":"day","type":"DATE"},{"name":"n","type":"VARCHAR"}],"column_count":2,"preview":{"rows":[["2024-01-13",null],["2024-01-14","x"]],
            "rows_looked_at":2,"file_count":1,"files":[{"path":"shown.csv","rows":2,"delimiter":"\t","quote":"\"","escape":"\"","header":true,"skip_lines":1,"encoding":"windows-1252","date_formats":{"day":"%d/%m/%Y"},
            "null_texts":["","NA"]}],"remarks":["columns of one name were numbered"]},"preview_error":null}}
            """),
        _ when asked.Contains("register-table/precheck") && asked.Contains("\"source_table\":\"unknown.csv\"") => (200, """{"ok":true,"table":{"name":"unknown","rows":null,"columns":[]}}"""),
        _ when asked.Contains("register-table/precheck") => (200, """{"ok":true,"table":{"name":"t","rows":null,"columns":[{"name":"n","type":"BIGINT"}]}}"""),
        _ when asked.Contains("\"name\":\"taken\"") => (409, """{"detail":"Table 'taken' already registered"}"""),
        _ when asked.Contains("\"name\":\"other\"") => (409, """{"detail":"The name 'other' is taken"}"""),
        _ when asked.StartsWith("POST /api/admin/register-table", StringComparison.Ordinal) => (201, $$"""{"id":{{JsonDocument.Parse(asked[(asked.IndexOf('{'))..]).RootElement.GetProperty("name").GetRawText()}},"status":"registered"}"""),
        _ when asked.StartsWith("PUT /api/admin/registry", StringComparison.Ordinal) => (200, """{"id":"orders","updated":["description"]}"""),
        _ when asked.StartsWith("GET /api/admin/registry/orders/set-aside", StringComparison.Ordinal) =>
            (200, """{"id":"orders","count":2,"rows":[{"file":"orders.csv","line":3,"reason":"expected 2 columns, found 1","text":"3"}]}"""),
        "GET /api/admin/registry" => (200, """{"tables":[{"id":"orders","name":"orders","source_type":"csv","query_mode":"local"},{"id":"taken","name":"taken","bucket":null,"source_table":"taken.csv"},{"id":"o","name":"other","bucket":"web","source_table":"other.csv"}],"count":3}"""),
        _ when asked.StartsWith("POST /api/sync/trigger", StringComparison.Ordinal) => (200, """{"status":"triggered","tables":"all","run_id":"r1"}"""),
        _ when asked.StartsWith("GET /api/sync/runs?", StringComparison.Ordinal) => (200, """{"runs":[{"id":"r1","status":"partial","trigger":"api","started_at":"x","duration_ms":5,"error":null}],"next":null}"""),
        _ when asked.StartsWith("GET /api/sync/runs/r1/log", StringComparison.Ordinal) => (200, """{"lines":[{"seq":1,"ts":"2026-01-05T10:00:00","line":"reading orders.csv"}]}"""),
        "GET /api/sync/runs/r1" => (200, """{"id":"r1","status":"ok","steps":[{"table":"orders","status":"ok","rows":3,"bytes":5,"duration_ms":1,"error":null}]}"""),
        "POST /api/sync/runs/r1/cancel" => (202, """{"id":"r1","status":"cancelling"}"""),
        _ when asked.StartsWith("DELETE ", StringComparison.Ordinal) => (204, ""),
        _ when asked.StartsWith("POST /api/", StringComparison.Ordinal) => (200, "{}"),
        _ => (404, """{"detail":"Page not found"}"""),
    };
}
