using System.Text.Json.Nodes;
using Agnes.Emulators.BigQuery;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>Statements over what BigQuery answered to others.</summary>
public sealed class HybridTests(Postgres postgres)
{
    private const string Address = "/api/query/hybrid";

    [Fact]
    public async Task Answers_are_joined_with_tables_here_under_one_account()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        var answer = await AskAsync(
            world, "SELECT o.name, d.n, s.who FROM orders o JOIN days d ON d.id = o.id, s ORDER BY o.id",
            ("days", "SELECT id, COUNTIF(id > 1) AS n FROM bought WHERE id < 3 GROUP BY id"),
            ("s", "SELECT who FROM `data-project.hr.secrets`"));
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json["columns"]!.ToJsonString().ShouldBe("""["name","n","who"]""");
        answer.Json["rows"]!.ToJsonString().ShouldBe("""[["name 1",0,"secret"],["name 2",1,"secret"]]""");
        (answer.Json["row_count"]!.GetValue<int>(), answer.Json["truncated"]!.GetValue<bool>()).ShouldBe((2, false));
        answer.Json["bq_stats"]!.ToJsonString().ShouldBe("""{"registered_aliases":["days","s"],"alias_count":2}""");

        // The same alias with other rows: nothing was kept of the first.
        var again = await AskAsync(world, "SELECT n FROM s", ("s", "SELECT 5 AS n, id FROM bought WHERE id = 1"));
        again.Json["rows"]!.ToJsonString().ShouldBe("[[5]]", again.Body);
        world.Cloud.Jobs.Count.ShouldBe(3);
        var entry = (await world.Shop.Server.AuditAsync()).First(row => row.Action == "query_hybrid");
        JsonNode.Parse(entry.Params!)!["remote"]!.AsArray().Sum(one => one!["bytes"]!.GetValue<long>())
            .ShouldBe(world.Cloud.Jobs.Take(2).Sum(job => job.BytesProcessed));
        (await world.Shop.AsAnalystAsync("POST", Address, "{}")).Status.ShouldBe(403);
        Directory.EnumerateFileSystemEntries(Path.Combine(world.Shop.DataDir, "scratch"), "hybrid-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_wrong_is_said_of_the_answer_that_it_is_wrong_with()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        foreach (var (alias, sql, why) in ((string, string, string)[])
        [
            ("main", "SELECT 1 AS a FROM bought", "BQ 'main': query_error: "),
            ("DuckDB_x", "SELECT 1 AS a FROM bought", "BQ 'DuckDB_x': query_error: "),
            ("a b", "SELECT 1 AS a FROM bought", "BQ 'a b': query_error: "),
            ("x", "DELETE FROM bought WHERE true", "BQ 'x': query_error: Only queries"),
            ("x", "SELECT id FROM sales.unregistered", "BQ 'x': query_error: Access denied"),
            ("x", "SELECT nothing FROM bought", "BQ 'x': query_error: "),
            ("x", "SELECT id FROM orders", "BQ 'x': query_error: "),
            ("x", "SELECT id FROM huge", "BQ 'x': bq_error: "),
        ])
        {
            var refused = await AskAsync(world, $"SELECT 1 AS one FROM \"{alias}\"", (alias, sql));
            (refused.Status, refused.Json["detail"]!.GetValue<string>().StartsWith(why, StringComparison.Ordinal))
                .ShouldBe((400, true), $"{sql}: {refused.Body}");
        }

        world.Cloud.Jobs.ShouldBeEmpty();
        world.Cloud.Break(Call.JobsInsert, Trouble.Of("accessDenied"));
        (await AskAsync(world, "SELECT 1 AS one", ("x", "SELECT id FROM bought"))).Json["detail"]!.GetValue<string>()
            .ShouldStartWith("BQ 'x': bq_error: BigQuery denied access");
        foreach (var sql in (string[])["SELECT * FROM nobody", "SELECT * FROM read_csv('/etc/passwd')",
            "DROP TABLE orders", "SELECT nothing FROM x"])
        {
            var refused = await AskAsync(world, sql, ("x", "SELECT id FROM bought"));
            (refused.Status, refused.Json["detail"]!.GetValue<string>().StartsWith("Query: query_error: ", StringComparison.Ordinal))
                .ShouldBe((400, true), $"{sql}: {refused.Body}");
        }

        foreach (var body in (string[])["{}", """{"sql":"SELECT 1"}""", """{"sql":"SELECT 1","register_bq":{}}""",
            """{"sql":"SELECT 1","register_bq":{"a":1}}""",
            """{"sql":"SELECT 1","register_bq":{"a":"SELECT 1","A":"SELECT 1"}}"""])
            (await world.Shop.AsAdminAsync("POST", Address, body)).Status.ShouldBe(422, body);
    }

    [Fact]
    public async Task An_answer_has_its_bounds_and_its_asker_an_account()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres, options =>
        {
            var config = Directory.CreateDirectory(Path.Combine(options.DataDir, "config")).FullName;
            const string Bounds = "remote_query:\n  max_bq_registration_rows: 6\n  max_result_rows: 2\n  max_memory_mb: 1\n";
            File.WriteAllText(Path.Combine(config, "instance.yaml"), Bounds);
            return options with { ConfigDir = config, Scan = options.Scan with { StatementsPerDay = 5 } };
        });
        (await AskAsync(world, "SELECT * FROM x", ("x", "SELECT id FROM bought"))).Json["detail"]!.GetValue<string>()
            .ShouldBe("BQ 'x': row_limit: The answer has more than 6 rows. Filter more, or aggregate.");
        var cut = await AskAsync(world, "SELECT id FROM x ORDER BY id", ("x", "SELECT id FROM bought WHERE id < 7"));
        (cut.Json["rows"]!.ToJsonString(), cut.Json["truncated"]!.GetValue<bool>()).ShouldBe(("[[1],[2]]", true), cut.Body);

        world.Cloud.Warehouse.AddTable(
            BigQueryShop.Data, "sales", "wordy", "id INT64, text STRING",
            "SELECT i, string_agg(md5((i * 100000 + j)::VARCHAR), '') FROM range(4) r(i), range(20000) s(j) GROUP BY i");
        await world.RegisterAsync("wordy", "sales", "wordy");
        (await AskAsync(world, "SELECT id FROM x", ("x", "SELECT id, text FROM wordy"))).Json["detail"]!.GetValue<string>()
            .ShouldStartWith("BQ 'x': memory_limit: ");
        // All three were answered, and count; two more fit.
        var (first, second) = (("x", "SELECT id FROM bought WHERE id = 1"), ("y", "SELECT id FROM bought WHERE id = 1"));
        (await AskAsync(world, "SELECT 1 AS one", first, second)).Status.ShouldBe(200);
        var spent = await AskAsync(world, "SELECT 1 AS one", first);
        (spent.Status, spent.Json["detail"]!["reason"]!.GetValue<string>()).ShouldBe((429, "daily_statement_cap_exceeded"), spent.Body);
    }

    private static Task<Answer> AskAsync(
        BigQueryShop world, string sql, params (string Alias, string Sql)[] asked) => world.Shop.AsAdminAsync(
        "POST", Address, new JsonObject
        {
            ["sql"] = sql,
            ["register_bq"] = new JsonObject(asked.Select(one => KeyValuePair.Create(one.Alias, (JsonNode?)one.Sql))),
        }.ToJsonString());
}
