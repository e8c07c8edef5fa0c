using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Access;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>Whatever happens to what somebody may not see, no byte of any answer to them becomes another: not a name, not a count, not a version, not a tag.</summary>
public sealed partial class AnswersFollowFromTheScopeTests(Postgres postgres)
{
    /// <summary>Headers and fields that are another at each request.</summary>
    private static readonly HashSet<string> OfTheRequest = new(StringComparer.OrdinalIgnoreCase) { "Date", "X-Request-Id", "Content-Length" };

    private static readonly string[] Found = ["/api/metrics/sales/total", "/business-metrics/sales/total", "/api/verified-queries/sales/count", "/verified-queries/sales/count"];

    [Fact]
    public async Task Nothing_that_happens_to_hidden_things_changes_a_byte_of_any_answer()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, isFresh: true);
        await ImportAsync(shop, "metrics", "{name: total, category: sales, table: Orders, sql: SELECT sum(amount) AS total FROM orders}");
        await ImportAsync(shop, "verified-queries", "{name: count, category: sales, question: 'How many?', sql: SELECT count(*) FROM orders}");
        (await shop.AsAdminAsync("POST", "/api/admin/verified-queries/canonical", """{"id":"sales/count"}""")).Status.ShouldBe(200);

        await AnswersAsync(shop); // what is made at the first request, is made
        var before = await AnswersAsync(shop);
        before.Count.ShouldBeGreaterThan(40);
        before.Values.Count(answer => answer.StartsWith("200", StringComparison.Ordinal)).ShouldBeGreaterThan(30);
        await ChangeWhatIsHiddenAsync(shop);
        var after = await AnswersAsync(shop);
        after.Where(pair => before[pair.Key] != pair.Value).Select(pair => $"{pair.Key}\n{Difference(before[pair.Key], pair.Value)}").ShouldBeEmpty();
    }

    [Fact]
    public async Task The_number_of_a_version_counts_nothing_of_other_tables()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var numbers = new List<long>();
        for (var round = 0; round < 2; round++)
        {
            var version = shop.Server.State.Snapshot.PublishedTable("Orders")!;
            var shown = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["Orders"]!["version"]!.GetValue<long>();
            shown.ShouldBe((version.PublishedAt - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond, "it is the time of the table's own publication");
            numbers.Add(shown);
            ForeignExtract.Write(shop.DataDir, "erp", ("Orders", $"SELECT {round} AS id, 'x' AS name, 1.5 AS amount"), ("salaries", "SELECT 'secret' AS who, 1 AS pay"), ("loose", "SELECT 1 AS a"));
            (await shop.RunAsync(PublishJob.Request("test"))).Status.ShouldBe("ok");
        }
        numbers[1].ShouldBeGreaterThan(numbers[0]);
    }

    private static async Task ChangeWhatIsHiddenAsync(Shop shop)
    {
        var me = (await shop.AsAdminAsync("GET", "/auth/me")).Text("id");
        await shop.RegisterAsync("""{"name":"visits","source_type":"csv","source_table":"visits.csv"}""");
        shop.WriteCsv("visits.csv", "n\n1\n2\n");
        (await shop.SyncAsync())["status"]!.GetValue<string>().ShouldBe("ok");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/visits", """{"name":"visitors","description":"who came"}""")).Status.ShouldBe(200);
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/salaries", """{"description":"who gets what"}""")).Status.ShouldBe(200);
        shop.WriteCsv("broken.csv", "\0\"\n");
        await shop.RegisterAsync("""{"name":"broken","source_type":"csv","source_table":"missing.csv"}""");
        await shop.SyncAsync();
        ForeignExtract.Write(shop.DataDir, "crm", ("contacts", "SELECT 1 AS a"), ("salaries", "SELECT 2 AS a"));
        (await shop.RunAsync(PublishJob.Request("test"))).Status.ShouldBe("ok");
        Directory.CreateDirectory(Path.Combine(shop.DataDir, "extracts", "hr"));
        await File.WriteAllTextAsync(Path.Combine(shop.DataDir, "extracts", "hr", "extract.duckdb"), "not a database");
        await shop.RunAsync(PublishJob.Request("test"));
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/broken")).Status.ShouldBe(204);

        await ImportAsync(shop, "metrics", "{name: pay, category: people, table: salaries, sql: SELECT sum(pay) AS total FROM salaries}");
        await ImportAsync(shop, "metrics", "{name: unbound, category: people, sql: \"SELECT * FROM query_table('x')\"}");
        await ImportAsync(shop, "verified-queries", "{name: pay, category: people, question: 'Who?', sql: SELECT who FROM salaries}");
        await ImportAsync(shop, "verified-queries", "{name: unmarked, category: people, question: 'How many?', sql: SELECT count(*) FROM orders}");
        (await shop.AsAdminAsync("POST", "/api/admin/metadata/salaries", """{"columns":[{"column_name":"pay","description":"a month"}]}""")).Status.ShouldBe(200);

        var user = (await shop.AsAdminAsync("POST", "/api/users", """{"email":"ben@example.com","name":"Ben"}""")).Text("id");
        (await shop.AsAdminAsync("POST", $"/api/users/{user}/set-password", """{"password":"correct horse"}""")).Status.ShouldBe(204);
        var group = (await shop.AsAdminAsync("POST", "/api/admin/groups", """{"name":"Others"}""")).Text("id");
        (await shop.AsAdminAsync("POST", $"/api/admin/groups/{group}/members", """{"email":"ben@example.com"}""")).Status.ShouldBeInRange(200, 299);
        (await shop.AsAdminAsync("POST", "/api/admin/grants", new JsonObject { ["group_id"] = group, ["resource_type"] = "table", ["resource_id"] = "salaries" }.ToJsonString())).Status.ShouldBe(201);
        var ben = await shop.Server.SignInAsync("ben@example.com", "correct horse");
        (await shop.Server.SendAsync("POST", "/auth/tokens", """{"name":"his"}""", ben)).Status.ShouldBe(201);
        (await shop.Server.SendAsync("POST", "/api/query", """{"sql":"SELECT * FROM salaries"}""", ben)).Status.ShouldBe(200);
        (await shop.AsAdminAsync("POST", $"/api/users/{user}/deactivate")).Status.ShouldBe(200);
        me.ShouldNotBe(user);
    }

    /// <summary>Of every route that can be got, as the analyst sees it.</summary>
    private static async Task<Dictionary<string, string>> AnswersAsync(Shop shop)
    {
        var values = EveryRouteTests.Values(shop);
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        var paths = EveryRouteTests.Routes(shop.Server.Services).Where(pair => pair.Method == "GET" && !EveryRouteTests.Text(pair.Route).StartsWith("/auth/logout", StringComparison.Ordinal))
            .Select(pair => EveryRouteTests.Path(pair.Route, values)).Concat(Found).Append("/api/health/detailed?include=schema");
        foreach (var path in paths)
        {
            var answer = await shop.AsAnalystAsync("GET", path);
            var headers = answer.Headers.Where(header => !OfTheRequest.Contains(header.Key)).OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {header.Value}");
            var body = path is "/tokens" or "/profile/devices" ? Times().Replace(answer.Body, "") : answer.Body; // when the asker was last there
            answers[path] = OfTheMoment().Replace($"{answer.Status}\n{string.Join('\n', headers)}\n{body}", "");
        }
        return answers;
    }

    /// <summary>Where two answers part, with some of what is before.</summary>
    private static string Difference(string before, string after)
    {
        var at = before.Zip(after).TakeWhile(pair => pair.First == pair.Second).Count();
        string Near(string text) => text.Substring(Math.Max(0, at - 120), Math.Min(300, text.Length - Math.Max(0, at - 120)));
        return $"  before: {Near(before)}\n  after:  {Near(after)}";
    }

    private static async Task ImportAsync(Shop shop, string what, string yaml)
    {
        var answer = await shop.Server.SendAsync("POST", $"/api/admin/{what}/import", token: shop.Admin, change: request =>
            request.Content = new MultipartFormDataContent { { new ByteArrayContent(Encoding.UTF8.GetBytes(yaml)) { Headers = { ContentType = new MediaTypeHeaderValue("application/yaml") } }, "file", "x.yml" } });
        answer.Status.ShouldBe(200, answer.Body);
    }

    /// <summary>The time of the request, its id, how long ago something was, and when a session or a token was last used: the asker's own doing.</summary>
    [GeneratedRegex("\"(server_time|timestamp|request_id|last_seen_at|last_used_at)\":(\"[^\"]*\"|null)|(?<=data-relative>)[^<]*")]
    private static partial Regex OfTheMoment();

    [GeneratedRegex("<time[^>]*>")]
    private static partial Regex Times();
}
