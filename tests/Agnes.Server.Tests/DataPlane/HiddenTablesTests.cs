using System.Text.RegularExpressions;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Invariant 8: for anybody but admins, a table that is hidden and one that never existed answer byte for byte alike, but for the name that was sent.</summary>
public sealed class HiddenTablesTests(Postgres postgres, Shops shops)
{
    [Fact]
    public async Task Hidden_registered_hidden_unregistered_and_never_existing_tables_answer_alike_everywhere()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var hash = shop.Server.State.Snapshot.PublishedTable("salaries")!.Parts[0].Sha256;
        var digest = shop.Server.State.Snapshot.PublishedTable("salaries")!.PartsDigest;
        var requests = new (string Method, string Path, string? Body)[]
        {
            ("GET", "/api/data/{0}/download", null),
            ("HEAD", "/api/data/{0}/download", null),
            ("GET", "/api/data/{0}/check-access", null),
            ("GET", $"/api/data/{{0}}/parts/{hash}", null),
            ("GET", $"/api/sync/parts/{{0}}/{digest}", null),
            ("GET", "/api/v2/schema/{0}", null),
            ("GET", "/api/v2/sample/{0}?n=2", null),
            ("GET", "/api/v2/sample/{0}?n=1000", null),
            ("GET", "/api/catalog/profile/{0}", null),
            ("POST", "/api/catalog/profile/{0}/refresh", null),
            ("POST", "/api/query", """{"sql":"select * from {0}"}"""),
            ("POST", "/api/query", """{"sql":"select * from main.{0} limit 1"}"""),
            ("POST", "/api/query/explain", """{"sql":"select * from {0}"}"""),
            ("POST", "/api/query", """{"sql":"select x.nope from {0} x"}"""),
            ("POST", "/api/query", """{"sql":"with c as (select * from {0}) select * from c"}"""),
            ("POST", "/api/query", """{"sql":"describe {0}"}"""),
            ("POST", "/api/query", """{"sql":"summarize {0}"}"""),
            ("POST", "/api/v2/scan", """{"table_id":"{0}"}"""),
            ("POST", "/api/v2/scan", """{"table_id":"{0}","limit":99999999999,"select":["nope"],"where":"nope ="}"""),
            ("POST", "/api/v2/scan/estimate", """{"table_id":"{0}","where":"pay = 1"}"""),
            ("GET", "/api/admin/registry?table={0}", null),
            ("POST", "/api/sync/trigger", """["{0}"]"""),
        };
        var faults = new List<string>();
        foreach (var (method, path, body) in requests)
        {
            var answers = new List<string>();
            foreach (var table in (string[])["salaries", "loose", "nonsense"])
            {
                var answer = await shop.AsAnalystAsync(method, path.Replace("{0}", table, StringComparison.Ordinal), body?.Replace("{0}", table, StringComparison.Ordinal));
                answers.Add(Comparable(answer, table));
            }
            if (answers.Distinct(StringComparer.Ordinal).Count() > 1) faults.Add($"{method} {path} {body}:\n{string.Join("\n", answers)}");
            if (answers[0].StartsWith("200", StringComparison.Ordinal)) faults.Add($"{method} {path} {body} let the analyst in");
        }
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Lists_hold_only_what_was_granted()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        foreach (var path in (string[])["/api/sync/manifest", "/api/catalog/tables", "/api/v2/catalog", "/api/health/detailed"])
        {
            var answer = await shop.AsAnalystAsync("GET", path);
            answer.Status.ShouldBe(200, path);
            answer.Body.ShouldNotContain("salaries");
            answer.Body.ShouldNotContain("loose");
            if (path != "/api/health/detailed") answer.Body.ShouldContain("Orders");
        }
        (await shop.AsAdminAsync("GET", "/api/sync/manifest")).Body.ShouldContain("loose");
        (await shop.AsAdminAsync("GET", "/api/v2/catalog")).Body.ShouldContain("salaries");

        var line = (await shop.AsAnalystAsync("GET", "/api/v2/catalog?table=ORDERS")).Json;
        line["tables"]!.AsArray().ShouldHaveSingleItem()!["name"]!.GetValue<string>().ShouldBe("Orders");
        line["server_time"]!.GetValue<string>().ShouldNotBeEmpty();
        foreach (var hidden in (string[])["salaries", "nothing"])
            (await shop.AsAnalystAsync("GET", $"/api/v2/catalog?table={hidden}")).Json["tables"]!.AsArray().ShouldBeEmpty();
        (await shop.AsAdminAsync("GET", "/api/v2/catalog?table=salaries")).Json["tables"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_grant_taken_away_closes_everything_at_the_next_request()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(200);
        var grants = (await shop.AsAdminAsync("GET", "/api/admin/grants")).Body;
        var id = shop.Server.State.Snapshot.Grant(shop.GroupId, "table", "orders")!.Id;
        grants.ShouldContain(id);
        (await shop.AsAdminAsync("DELETE", $"/api/admin/grants/{id}")).Status.ShouldBe(204);
        (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(403);
        (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"select 1 from orders"}""")).Status.ShouldBe(403);
        (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!.AsObject().ShouldBeEmpty();
    }

    private static string Comparable(Answer answer, string table)
    {
        var headers = answer.Headers
            .Where(header => header.Key.ToLowerInvariant() is not ("date" or "x-request-id" or "content-length"))
            .OrderBy(header => header.Key, StringComparer.Ordinal)
            .Select(header => $"{header.Key}: {header.Value}");
        var body = Regex.Replace(answer.Body, @"""request_id"":""[^""]*""", "");
        return $"{answer.Status}\n{string.Join("\n", headers)}\n{body}".Replace(table, "TABLE", StringComparison.Ordinal);
    }
}
