using Agnes.Cli.Workspace;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Cli.Tests.Walls;

/// <summary>A workspace's database may be the work of somebody else. What a pull takes over from it are rows, and views that could be asked as a query; nothing in it acts.</summary>
public sealed class WhatAnOldDatabaseBringsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _outside = new();
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    private string Database => _agnes.InWorkspace("user", "duckdb", "analytics.duckdb");

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Of("SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) t(n, name)"));
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        await File.WriteAllTextAsync(_outside["secret.csv"], "word\nmarker\n");
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        _outside.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("CREATE VIEW bad AS FROM read_csv('$OUT/secret.csv')")]
    [InlineData("CREATE VIEW bad AS FROM '$OUT/secret.csv'")]
    [InlineData("CREATE VIEW bad AS FROM read_text('$OUT/*')")]
    [InlineData("CREATE VIEW bad AS SELECT Success FROM enable_profiling(format := 'json', save_location := '$OUT/profile.json')")]
    [InlineData("CREATE VIEW bad AS SELECT n FROM orders WHERE (SELECT Success FROM enable_profiling(save_location := '$OUT/profile.json'))")]
    [InlineData("CREATE VIEW bad AS FROM duckdb_settings()")]
    [InlineData("CREATE VIEW bad AS FROM glob('$OUT/*')")]
    [InlineData("CREATE VIEW bad AS FROM query_table('orders')")]
    [InlineData("CREATE VIEW bad AS SELECT current_setting('allowed_directories') AS x")]
    [InlineData("CREATE MACRO helper() AS TABLE FROM read_text('$OUT/secret.csv'); CREATE VIEW bad AS FROM helper()")]
    [InlineData("CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS n; CREATE VIEW bad AS FROM other.t")]
    public async Task A_view_that_could_not_be_asked_is_left_out_and_named(string sql)
    {
        var error = (await PullOverAsync(sql)).Error;

        error.ShouldContain("your view 'bad' no longer works and was left out: ");
        error.ShouldNotContain("marker");
        (await _agnes.RunAsync("query", "FROM bad")).ShouldFail(1);
        ShouldHaveWrittenNothing();
    }

    [Fact]
    public async Task A_function_of_the_old_database_does_not_take_the_place_of_the_engines()
    {
        await PullOverAsync("CREATE MACRO lower(x) AS (SELECT content FROM read_text('$OUT/secret.csv')); CREATE VIEW mine AS SELECT lower('A') AS a");
        (await _agnes.RunAsync("query", "FROM mine", "-f", "csv")).ShouldSucceed().Out.ShouldBe("a\na\n");
    }

    [Fact]
    public async Task Tables_bring_their_rows_and_nothing_that_acts()
    {
        await PullOverAsync(
            "CREATE SEQUENCE s; CREATE TABLE mine (a INT DEFAULT nextval('s'), b VARCHAR AS (upper(a::VARCHAR) || 'x'), c INT CHECK (c > 0)); INSERT INTO mine (c) VALUES (7); CREATE INDEX i ON mine (c);");

        (await _agnes.RunAsync("query", "SELECT a, b, c FROM mine", "-f", "csv")).ShouldSucceed().Out.ShouldBe("a,b,c\n1,1x,7\n");
        using var connection = LocalDatabase.Open(Database, readOnly: true);
        using var command = new DuckDBCommand(
            "SELECT (SELECT count(*) FROM duckdb_indexes()) + (SELECT count(*) FROM duckdb_sequences()) + (SELECT count(*) FROM duckdb_constraints()) + (SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND column_default IS NOT NULL)"
            + " + (SELECT count(*) FROM duckdb_functions() WHERE NOT internal)", connection);
        command.ExecuteScalar().ShouldBe(0L);
        ShouldHaveWrittenNothing();
    }

    [Fact]
    public async Task Views_over_tables_come_over_with_all_that_a_query_may_do()
    {
        var pulled = await PullOverAsync(
            "CREATE VIEW named(\"odd \"\" one\", two) AS SELECT n, upper(name) FROM orders; CREATE VIEW \"over (it) AS x\" AS WITH w AS (SELECT two AS name FROM named) SELECT name, row_number() OVER (ORDER BY name DESC) AS r FROM w;"
            + "CREATE VIEW total AS SELECT sum(n) AS s FROM orders WHERE name <> 'it''s AS (SELECT' GROUP BY ALL; CREATE VIEW listed AS SELECT table_name FROM information_schema.tables");
        pulled.Error.ShouldNotContain("left out");

        (await _agnes.RunAsync("query", "SELECT \"odd \"\" one\" AS one, two FROM named ORDER BY one", "-f", "csv")).ShouldSucceed().Out.ShouldBe("one,two\n1,A\n2,B\n3,C\n");
        (await _agnes.RunAsync("query", "SELECT name FROM \"over (it) AS x\" WHERE r = 1", "-f", "csv")).ShouldSucceed().Out.ShouldBe("name\nC\n");
        (await _agnes.RunAsync("query", "FROM total", "-f", "csv")).ShouldSucceed().Out.ShouldBe("s\n6\n");
        (await _agnes.RunAsync("query", "SELECT count(*) AS c FROM listed WHERE table_name = 'orders'", "-f", "csv")).ShouldSucceed().Out.ShouldBe("c\n1\n");
        (await _agnes.RunAsync("pull")).ShouldSucceed().Error.ShouldNotContain("left out");
        (await _agnes.RunAsync("query", "FROM total", "-f", "csv")).ShouldSucceed();
    }

    /// <summary>Before the next pull: what the guard saw by its name is the engine's, and nothing that the file calls so.</summary>
    [Fact]
    public async Task A_query_calls_the_engines_functions_and_none_of_the_database()
    {
        const string Act = "(SELECT Success::VARCHAR FROM enable_profiling(format := 'json', save_location := '$WS/user/snapshots/profile.json'))";
        using (var connection = LocalDatabase.Open(Database, readOnly: false))
            connection.ExecuteUnprepared(Here($"CREATE MACRO lower(x) AS {Act}; CREATE MACRO sum(x) AS {Act}; CREATE MACRO range(x) AS TABLE SELECT {Act} AS x"));

        (await _agnes.RunAsync("query", "SELECT lower(name) AS a, (SELECT sum(n) FROM orders) AS b, (SELECT count(*) FROM range(2)) AS c FROM orders WHERE n = 1", "-f", "csv")).ShouldSucceed().Out.ShouldBe("a,b,c\na,6,2\n");
        foreach (var sql in (string[])["SELECT analytics.lower('A')", "SELECT analytics.main.lower('A')", "FROM analytics.range(2)", "FROM analytics.main.range(2)", "SELECT analytics.main.sum(n) OVER () FROM orders"])
            (await _agnes.RunAsync("query", sql)).ShouldFail(1).Error.ShouldContain("is not allowed in a query");
        (await _agnes.RunAsync("query", "SELECT main.lower('A') AS a, system.main.lower('B') AS b", "-f", "csv")).ShouldSucceed().Out.ShouldBe("a,b\na,b\n");
        ShouldHaveWrittenNothing();
    }

    /// <summary>The texts of a damaged or made-up file need not be what the engine writes.</summary>
    [Theory]
    [InlineData("CREATE VIEW v AS SELECT 1; COPY (SELECT 1) TO '$OUT/x'")]
    [InlineData("COPY (SELECT 1) TO '$OUT/x'")]
    [InlineData("CREATE OR REPLACE TABLE v AS SELECT 1")]
    [InlineData("CREATE VIEW v AS EXPLAIN ANALYZE SELECT 1")]
    [InlineData("CREATE VIEW v AS INSERT INTO orders VALUES (1)")]
    [InlineData("CREATE VIEW v(a) AS x AS SELECT 1")]
    [InlineData("")]
    public void A_text_that_is_not_one_view_gives_no_statement(string text)
    {
        using var connection = LocalDatabase.Open(Database, readOnly: true);
        Should.Throw<CliException>(() => new UserView("v", Here(text)).Statement(new Layout(_agnes.Workspace), connection));
    }

    /// <summary>Writes into the database as another program would, and pulls something new over it.</summary>
    private async Task<Outcome> PullOverAsync(string sql)
    {
        using (var connection = LocalDatabase.Open(Database, readOnly: false)) connection.ExecuteUnprepared(Here(sql));
        _server.Add("orders", Parquet.Of("SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) t(n, name) ORDER BY n"), Parquet.Of("SELECT 4 AS n, 'd' AS name WHERE false"));
        return (await _agnes.RunAsync("pull")).ShouldSucceed();
    }

    private void ShouldHaveWrittenNothing()
    {
        Directory.EnumerateFiles(_agnes.Workspace, "profile*", SearchOption.AllDirectories).ShouldBeEmpty();
        Directory.EnumerateFiles(_outside.Path).ShouldHaveSingleItem();
    }

    private string Here(string sql) => sql.Replace("$WS", _agnes.Workspace, StringComparison.Ordinal).Replace("$OUT", _outside.Path, StringComparison.Ordinal);
}
