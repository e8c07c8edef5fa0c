using System.Text.Json;
using Agnes.Testing;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>Queries of one workspace that is pulled once.</summary>
public sealed class QueryTests(QueryTests.PulledWorkspace pulled) : IClassFixture<QueryTests.PulledWorkspace>
{
    [Theory]
    [InlineData("SELECT 1 AS x", "x\n1\n")]
    [InlineData("FROM orders ORDER BY n", "n,name\n1,plain\n2,\"a \"\"quoted\"\", text\"\n3,\n")]
    [InlineData("WITH o AS (FROM orders) SELECT count(*) AS c FROM o", "c\n3\n")]
    [InlineData("VALUES (1, true), (2, false)", "col0,col1\n1,true\n2,false\n")]
    [InlineData("SELECT NULL AS a", "a\n\"\"\n")]
    [InlineData("SELECT '' AS a, NULL AS b", "a,b\n\"\",\n")]
    [InlineData("SELECT 1.50::DECIMAL(9,2) AS d, DATE '2026-01-05' AS day, TIMESTAMP '2026-01-05 10:00:00.5' AS t", "d,day,t\n1.50,2026-01-05,2026-01-05 10:00:00.5\n")]
    [InlineData("SELECT 0.1::DOUBLE AS a, 1e300 AS b, 'inf'::DOUBLE AS c, 3::DOUBLE AS d, 0.1::FLOAT AS e", "a,b,c,d,e\n0.1,1e+300,inf,3.0,0.1\n")]
    [InlineData("SELECT sum(n) AS s, 170141183460469231731687303715884105727::HUGEINT AS h FROM orders", "s,h\n6,170141183460469231731687303715884105727\n")]
    [InlineData("SELECT [1,NULL,2] AS l, {'a': 1, 'b': ['x']} AS s, MAP {'k': 1} AS m", "l,s,m\n\"[1,null,2]\",\"{\"\"a\"\":1,\"\"b\"\":[\"\"x\"\"]}\",\"{\"\"k\"\":1}\"\n")]
    [InlineData("SELECT 'a\nb' AS x, ' padded ' AS y", "x,y\n\"a\nb\",\" padded \"\n")]
    [InlineData("SELECT 1 AS x;", "x\n1\n")]
    [InlineData("-- a comment\nSELECT 1 AS x", "x\n1\n")]
    public async Task Statements_that_read_are_answered_as_csv(string sql, string csv) =>
        (await pulled.Agnes.RunAsync("query", sql, "-f", "csv")).ShouldSucceed().Out.ShouldBe(csv);

    [Theory]
    [InlineData("DESCRIBE orders", "name")]
    [InlineData("SUMMARIZE orders", "approx_unique")]
    [InlineData("SHOW TABLES", "orders")]
    [InlineData("EXPLAIN SELECT * FROM orders", "PARQUET")]
    [InlineData("explain analyze SELECT count(*) FROM orders", "Total Time")]
    public async Task What_describes_the_data_is_answered_too(string sql, string contained) =>
        (await pulled.Agnes.RunAsync("query", sql)).ShouldSucceed().Out.ShouldContain(contained, Case.Insensitive);

    [Fact]
    public async Task A_huge_cell_is_whole_and_makes_no_other_row_long()
    {
        var outcome = (await pulled.Agnes.RunAsync("query", "SELECT CASE WHEN i = 0 THEN repeat('y', 300000) ELSE 'short' END AS text, i FROM range(50) t(i)")).ShouldSucceed();
        outcome.Out.ShouldContain(new string('y', 300_000));
        outcome.Out.Length.ShouldBeLessThan(350_000);
    }

    [Theory]
    [InlineData("{\"sql\":\"SELECT 1\\u0000\"}", "NUL")]
    [InlineData("{\"sql\":\"SELECT '\\ud800'\"}", "--stdin expects JSON")]
    [InlineData("[1]", "expects an object")]
    [InlineData("", "--stdin expects JSON")]
    public async Task What_is_no_statement_on_the_standard_input_is_said_in_words(string input, string said)
    {
        var error = (await pulled.Agnes.RunWithInputAsync(input, "query", "--stdin")).ShouldFail(1).Error;
        error.ShouldContain(said);
        error.ShouldNotContain("Exception");
    }

    [Theory]
    [InlineData("CREATE TABLE t(a INT)")]
    [InlineData("DROP VIEW orders")]
    [InlineData("COPY (SELECT 1) TO '$WS/server/parts/x.parquet'")]
    [InlineData("COPY orders TO '$WS/user/snapshots/x.csv'")]
    [InlineData("EXPLAIN ANALYZE COPY (SELECT 1) TO '$WS/server/parts/x.parquet'")]
    [InlineData("EXPLAIN ANALYZE DELETE FROM orders")]
    [InlineData("ATTACH '$WS/user/duckdb/other.duckdb'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD httpfs")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("PRAGMA database_list")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT 1; DROP VIEW orders")]
    [InlineData("EXPORT DATABASE '$WS/server/parts'")]
    [InlineData("CALL force_checkpoint()")]
    [InlineData("FROM force_checkpoint()")]
    [InlineData("FROM Enable_Logging(storage='file', storage_path='$WS/server/parts')")]
    [InlineData("SELECT (SELECT Success FROM enable_logging())")]
    [InlineData("EXPLAIN ANALYZE FROM enable_logging()")]
    [InlineData("FROM query('FROM enable_logging()')")]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData(";")]
    public async Task What_would_write_or_change_settings_is_refused(string sql)
    {
        var before = Snapshot();
        (await pulled.Agnes.RunAsync("query", sql.Replace("$WS", pulled.Agnes.Workspace, StringComparison.Ordinal))).ShouldFail(1);
        Snapshot().ShouldBe(before);
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("FROM '/etc/passwd'")]
    [InlineData("SELECT * FROM read_text('/etc/hostname')")]
    [InlineData("SELECT * FROM glob('/etc/*')")]
    [InlineData("SELECT * FROM read_text('$WS/secret.txt')")]
    [InlineData("SELECT * FROM read_text('$WS/server/parts/../../secret.txt')")]
    [InlineData("SELECT * FROM read_text('$CFG/token.json')")]
    [InlineData("SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')")]
    [InlineData("SELECT * FROM query('SELECT * FROM read_text(''/etc/hostname'')')")]
    [InlineData("SELECT * FROM sniff_csv('/etc/passwd')")]
    public async Task Files_outside_of_the_workspace_cannot_be_read(string sql)
    {
        await File.WriteAllTextAsync(pulled.Agnes.InWorkspace("secret.txt"), "s3cret");
        var outcome = await pulled.Agnes.RunAsync("query", sql.Replace("$WS", pulled.Agnes.Workspace, StringComparison.Ordinal).Replace("$CFG", pulled.Agnes.Config, StringComparison.Ordinal), "-f", "csv");
        outcome.ShouldFail(1).Out.ShouldBeEmpty();
        outcome.Error.ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task A_folder_is_opened_to_people_and_not_to_a_program_without_a_terminal()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["a.csv"], "x\n5\n");
        var sql = $"SELECT x FROM read_csv('{folder["a.csv"]}')";
        (await pulled.Agnes.RunAsync("query", sql, "--allow-files", folder.Path)).ShouldFail(2).Error.ShouldContain("terminal");
        pulled.Agnes.Environment["AGNES_ALLOW_FILES"] = "1";
        try
        {
            (await pulled.Agnes.RunAsync("query", sql, "--allow-files", folder.Path, "-f", "csv")).ShouldSucceed().Out.ShouldBe("x\n5\n");
            (await pulled.Agnes.RunAsync("query", "FROM '/etc/passwd'", "--allow-files", folder.Path)).ShouldFail(1);
            (await pulled.Agnes.RunAsync("query", sql, "--allow-files", folder["missing"])).ShouldFail(2);
        }
        finally
        {
            pulled.Agnes.Environment.Remove("AGNES_ALLOW_FILES");
        }
    }

    [Fact]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task Json_keeps_every_column_and_shape()
    {
        var rows = (await pulled.Agnes.RunAsync("query", "SELECT 1 AS a, 'x' AS a, 2.5::DECIMAL(4,1) AS d, DATE '2026-01-05' AS day, 'nan'::DOUBLE AS f, {'k': [1, 2]} AS s, 'ž' AS u, 9007199254740993 AS big", "--json")).ShouldSucceed().Json;
        var row = rows[0];
        row.GetProperty("a").GetInt64().ShouldBe(1);
        row.GetProperty("a_2").GetString().ShouldBe("x");
        row.GetProperty("d").GetString().ShouldBe("2.5");
        row.GetProperty("day").GetString().ShouldBe("2026-01-05");
        row.GetProperty("f").ValueKind.ShouldBe(JsonValueKind.Null);
        row.GetProperty("s").GetProperty("k")[1].GetInt64().ShouldBe(2);
        row.GetProperty("u").GetString().ShouldBe("ž");
        row.GetProperty("big").GetRawText().ShouldBe("9007199254740993");
        (await pulled.Agnes.RunAsync("query", "SELECT 'ž' AS u WHERE false", "-f", "json")).ShouldSucceed().Out.ShouldBe("[]\n");
        (await pulled.Agnes.RunAsync("query", "SELECT n FROM orders ORDER BY n", "-f", "ndjson")).ShouldSucceed().Out.ShouldBe("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    }

    [Fact]
    public async Task The_table_and_markdown_forms_show_one_row_a_line()
    {
        (await pulled.Agnes.RunAsync("query", "SELECT 1 AS n, 'a|b' AS t, 'two\nlines' AS l, '日本' AS w", "-f", "markdown")).ShouldSucceed().Out
            .ShouldBe("| n | t | l | w |\n| ---: | --- | --- | --- |\n| 1 | a\\|b | two<br>lines | 日本 |\n");
        var table = (await pulled.Agnes.RunAsync("query", "SELECT 10 AS n, '日本' AS w, 'esc\x1b[31m' AS e")).ShouldSucceed().Out;
        table.ShouldBe("┌────┬──────┬───────────────┐\n│ n  │ w    │ e             │\n├────┼──────┼───────────────┤\n│ 10 │ 日本 │ esc\\u001b[31m │\n└────┴──────┴───────────────┘\n(1 row)\n".Replace("│ n  │", "│  n │"));
    }

    [Fact]
    public async Task Many_columns_become_records()
    {
        pulled.Agnes.Environment["COLUMNS"] = "80";
        var columns = string.Join(", ", Enumerable.Range(0, 53).Select(index => $"{index} AS c{index}"));
        var text = (await pulled.Agnes.RunAsync("query", $"SELECT {columns}")).ShouldSucceed().Out;
        text.ShouldContain("─── row 1 ───");
        text.ShouldContain("  c52 : 52");
        text.ShouldNotContain("┌");
        pulled.Agnes.Environment.Remove("COLUMNS");
    }

    [Fact]
    public async Task A_cut_result_says_so_on_stderr_only()
    {
        var cut = (await pulled.Agnes.RunAsync("query", "FROM range(10)", "--limit", "3", "-f", "csv")).ShouldSucceed();
        cut.Out.ShouldBe("range\n0\n1\n2\n");
        cut.Error.ShouldContain("cut at 3 rows");
        (await pulled.Agnes.RunAsync("query", "FROM range(3)", "--limit", "3", "-f", "csv")).ShouldSucceed().Error.ShouldBeEmpty();
        (await pulled.Agnes.RunAsync("query", "FROM range(100000000000)", "--limit", "2", "-f", "ndjson")).ShouldSucceed().Out.ShouldBe("{\"range\":0}\n{\"range\":1}\n");
    }

    [Fact]
    public async Task The_statement_is_given_exactly_once()
    {
        (await pulled.Agnes.RunAsync("query")).ShouldFail(1);
        (await pulled.Agnes.RunAsync("query", "SELECT 1", "--sql", "SELECT 2")).ShouldFail(1);
        (await pulled.Agnes.RunWithInputAsync("""{"sql":"SELECT 1 AS x"}""", "query", "--stdin", "-f", "csv")).ShouldSucceed().Out.ShouldBe("x\n1\n");
        // As Windows' shells and editors send it.
        (await pulled.Agnes.RunWithInputAsync("\uFEFF" + """{"sql":"SELECT 'žluť' AS x"}""" + "\r\n", "query", "--stdin", "-f", "csv")).ShouldSucceed().Out.ShouldBe("x\nžluť\n");
        (await pulled.Agnes.RunWithInputAsync("SELECT 1", "query", "--stdin")).ShouldFail(1).Error.ShouldContain("JSON");
        (await pulled.Agnes.RunWithInputAsync("""{"query":"SELECT 1"}""", "query", "--stdin")).ShouldFail(1).Error.ShouldContain("\"sql\"");
        (await pulled.Agnes.RunAsync("query", "--sql", "SELECT 1 AS x", "-f", "csv")).ShouldSucceed().Out.ShouldBe("x\n1\n");
    }

    [Theory]
    [InlineData("query|SELECT 1|--register-bq|a=b")]
    [InlineData("query|SELECT 1|--estimate")]
    [InlineData("query|--formt|SELECT 1")]
    [InlineData("query|SELECT 1|--format|xml")]
    [InlineData("query|SELECT 1|--limit|0")]
    [InlineData("query|SELECT 1|--limit|-3")]
    [InlineData("query|SELECT 1|--limit|many")]
    public async Task Usage_errors_exit_2(string arguments)
    {
        var outcome = (await pulled.Agnes.RunAsync(arguments.Split('|'))).ShouldFail(2);
        outcome.Out.ShouldBeEmpty();
        outcome.Error.ShouldContain("--help");
    }

    [Fact]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task Errors_say_what_to_do_next()
    {
        var missing = (await pulled.Agnes.RunAsync("query", "SELECT * FROM ordres")).ShouldFail(1).Error;
        missing.ShouldStartWith("Query error");
        missing.ShouldContain("orders");
        missing.ShouldContain("query_mode='remote'");
        var column = (await pulled.Agnes.RunAsync("query", "SELECT nn FROM orders")).ShouldFail(1).Error;
        column.ShouldContain("\"n\"");
        column.ShouldContain("Columns of orders: n, name");
        var syntax = (await pulled.Agnes.RunAsync("query", "SELECT * FROM")).ShouldFail(1).Error;
        syntax.ShouldContain("Query error");
        syntax.ShouldNotContain("query_mode");
        (await pulled.Agnes.RunAsync("query", "SELECT 'x'::INT")).ShouldFail(1).Error.ShouldContain("Query error: Conversion Error");
        (await pulled.Agnes.RunAsync("query", "SELECT ('x' || chr(27) || '[2J')::INT")).ShouldFail(1).Error.ShouldNotContain("\x1b");
        using var empty = new AgnesProgram();
        (await empty.RunAsync("query", "SELECT 1")).ShouldFail(1).Error.ShouldContain("agnes pull");
    }

    [Fact]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task Explore_shows_a_table_offline()
    {
        var json = (await pulled.Agnes.RunAsync("explore", "Orders", "--json")).ShouldSucceed().Json;
        json.GetProperty("table").GetString().ShouldBe("orders");
        json.GetProperty("row_count").GetInt64().ShouldBe(3);
        json.GetProperty("columns")[1].GetProperty("type").GetString().ShouldBe("VARCHAR");
        json.GetProperty("sample_rows").GetArrayLength().ShouldBe(3);
        (await pulled.Agnes.RunAsync("explore", "orders")).ShouldSucceed().Out.ShouldContain("3 rows");
        (await pulled.Agnes.RunAsync("explore", "nope")).ShouldFail(1).Error.ShouldContain("orders");
    }

    [Fact]
    public async Task Remote_queries_are_rendered_like_local_ones_and_their_errors_readably()
    {
        using var agnes = new AgnesProgram(pulled.Server.Url);
        agnes.SignIn();
        pulled.Server.Intercept = async context =>
        {
            if (context.Request.Path != "/api/query") return false;
            var asked = (await JsonDocument.ParseAsync(context.Request.Body)).RootElement;
            await (asked.GetProperty("sql").GetString() switch
            {
                "big" => FakeServer.JsonAsync(context, 400, """{"detail":{"reason":"remote_scan_too_large","scan_bytes":10,"limit_bytes":5,"tables":["d.t"],"suggestion":"use x"}}"""),
                "denied" => FakeServer.JsonAsync(context, 403, """{"detail":"Access denied to table 'x'"}"""),
                "invalid" => FakeServer.JsonAsync(context, 422, """{"detail":[{"type":"x","loc":["body","limit"],"msg":"too small","input":0}]}"""),
                _ => FakeServer.JsonAsync(context, 200, $$"""{"columns":["a","a"],"rows":[[1,"x"],[null,"y"]],"row_count":2,"truncated":{{(asked.GetProperty("limit").GetInt32() == 2 ? "true" : "false")}}}"""),
            });
            return true;
        };
        var rows = (await agnes.RunAsync("query", "--remote", "ok", "--json")).ShouldSucceed();
        rows.Json[0].GetProperty("a_2").GetString().ShouldBe("x");
        rows.Error.ShouldBeEmpty();
        (await agnes.RunAsync("query", "--remote", "ok", "-f", "csv", "--limit", "2")).ShouldSucceed().Error.ShouldContain("cut at 2 rows");
        (await agnes.RunAsync("query", "--remote", "big")).ShouldFail(1).Error.ShouldBe("Error: remote_scan_too_large (HTTP 400)\n  scan_bytes: 10\n  limit_bytes: 5\n  tables: d.t\n  suggestion: use x\n");
        (await agnes.RunAsync("query", "--remote", "denied")).ShouldFail(1).Error.ShouldBe("HTTP 403: Access denied to table 'x'\n");
        (await agnes.RunAsync("query", "--remote", "invalid")).ShouldFail(1).Error.ShouldContain("limit: too small");
        pulled.Server.Intercept = null;
    }

    private string[] Snapshot() =>
        [.. Directory.EnumerateFiles(pulled.Agnes.Workspace, "*", SearchOption.AllDirectories).Where(path => !path.EndsWith("secret.txt", StringComparison.Ordinal)).Select(path => $"{path} {new FileInfo(path).Length}").Order(StringComparer.Ordinal)];

    public sealed class PulledWorkspace : IAsyncLifetime
    {
        internal FakeServer Server { get; private set; } = null!;

        internal AgnesProgram Agnes { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await FakeServer.StartAsync();
            Server.Add("orders", Parquet.Of("""SELECT * FROM (VALUES (1, 'plain'), (2, 'a "quoted", text'), (3, NULL)) t(n, name)"""));
            Agnes = new AgnesProgram(Server.Url);
            Agnes.SignIn();
            (await Agnes.RunAsync("pull")).ShouldSucceed();
        }

        public async ValueTask DisposeAsync()
        {
            Agnes.Dispose();
            await Server.DisposeAsync();
        }
    }
}
