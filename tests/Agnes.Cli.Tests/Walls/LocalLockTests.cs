using Agnes.Cli.Workspace;
using Agnes.Sql;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Cli.Tests.Walls;

/// <summary>A local query runs what a list allows, and what is said of its error is not for it to say.</summary>
public sealed class LocalLockTests(LocalLockTests.PulledWorkspace pulled) : IClassFixture<LocalLockTests.PulledWorkspace>
{
    [Theory]
    [InlineData("FROM enable_profiling(format := 'json', save_location := '$WS/server/parts/profile.json')")]
    [InlineData("EXPLAIN ANALYZE FROM enable_profiling(format := 'json', save_location := '$WS/user/snapshots/profile.json')")]
    [InlineData("SELECT n, (SELECT Success FROM enable_profiling(save_location := '$WS/server/parts/profile.json')) FROM orders")]
    [InlineData("SELECT ('Referenced column \"x\" not found' || Success)::INT FROM enable_profiling(format := 'json', save_location := '$WS/server/parts/profile.json')")]
    [InlineData("FROM query_table('orders')")]
    [InlineData("SELECT * FROM (SHOW TABLES) WHERE (SELECT Success FROM enable_profiling(save_location := '$WS/server/parts/profile.json'))")]
    [InlineData("FROM duckdb_settings()")]
    [InlineData("FROM duckdb_secrets()")]
    [InlineData("FROM pg_catalog.pg_settings")]
    [InlineData("FROM duckdb_views")]
    [InlineData("SELECT current_setting('allowed_directories')")]
    [InlineData("FROM read_parquet('$WS/server/parts/*/*')")]
    [InlineData("FROM '$WS/server/parts/*/*'")]
    [InlineData("SELECT getenv('HOME')")]
    public async Task What_no_list_allows_does_not_run(string sql)
    {
        var before = Files();
        var outcome = await pulled.Agnes.RunAsync("query", Here(sql));

        outcome.ShouldFail(1).Out.ShouldBeEmpty();
        outcome.Error.ShouldStartWith("Query error: ");
        Files().ShouldBe(before);
    }

    [Fact]
    public async Task Nor_through_a_snapshot_a_file_or_with_folders_opened()
    {
        var before = Files();
        var sql = Here("SELECT Success FROM enable_profiling(save_location := '$WS/server/parts/profile.json')");
        (await pulled.Agnes.RunAsync("snapshot", "create", "orders", "--where", $"({sql})", "--as", "mine")).ShouldFail(1).Error.ShouldContain("enable_profiling");
        (await pulled.Agnes.RunAsync("query", sql, "-f", "parquet", "-o", "user/exports/x.parquet")).ShouldFail(1);
        (await pulled.Agnes.RunAsync("query", sql, "--explain")).ShouldFail(1);
        pulled.Agnes.Environment["AGNES_ALLOW_FILES"] = "1";
        try
        {
            (await pulled.Agnes.RunAsync("query", sql, "--allow-files", pulled.Agnes.Config)).ShouldFail(1).Error.ShouldContain("'enable_profiling' is not allowed");
        }
        finally
        {
            pulled.Agnes.Environment.Remove("AGNES_ALLOW_FILES");
        }

        Files().ShouldBe(before);
    }

    /// <summary>The engine writes the name before <c>.*</c> without its quotes: what was a name becomes SQL that nobody looked at.</summary>
    [Theory]
    [InlineData("SELECT \"* FROM orders LIMIT 1)) TO '$WS/$PART' (FORMAT parquet); SELECT 1 --\".* FROM orders")]
    [InlineData("SELECT \"* FROM orders)) TO '$EXPORTS/x.csv' (FORMAT csv); CALL enable_profiling(save_location := '$WS/server/parts/profile.json'); SELECT 1 --\".* FROM orders")]
    [InlineData("SELECT \"current_setting('temp_directory') AS tmp, orders\".* FROM orders")]
    [InlineData("SELECT \"* FROM duckdb_settings() --\".* FROM orders")]
    public async Task Nor_what_a_name_would_become_if_it_were_written_anew(string sql)
    {
        var text = Here(sql).Replace("$PART", Path.GetRelativePath(pulled.Agnes.Workspace, Directory.GetFiles(new Layout(pulled.Agnes.Workspace).Parts, "*.parquet").Single()), StringComparison.Ordinal)
            .Replace("$EXPORTS", new Layout(pulled.Agnes.Workspace).Exports, StringComparison.Ordinal);
        var before = Files();
        (await pulled.Agnes.RunAsync("query", text, "-f", "parquet", "-o", "user/exports/x.parquet")).ShouldFail(1).Error.ShouldContain("Binder Error");
        (await pulled.Agnes.RunAsync("snapshot", "create", "orders", "--no-estimate", "--where", $"n IN ({text.Replace("--", "))))--", StringComparison.Ordinal)}\n)", "--as", "mine")).ExitCode.ShouldNotBe(0);

        Files().ShouldBe(before);
        using var connection = LocalDatabase.Open(new Layout(pulled.Agnes.Workspace).Database, readOnly: true);
        using var guard = new LocalGuard(new Layout(pulled.Agnes.Workspace), connection, readsFiles: false);
        guard.AdmitSelect(text).Rewritten.ShouldBeNull();
    }

    [Theory]
    [InlineData("SELECT n * 1e5 AS n FROM orders ORDER BY n", "100000,200000,300000")]
    [InlineData("SELECT n FROM orders ORDER BY n -- a remark; and )", "1,2,3")]
    [InlineData("FROM (VALUES (1), (2)) t(n);", "1,2")]
    public async Task A_file_holds_what_the_statement_says_as_it_was_written(string sql, string rows)
    {
        using var kept = new TemporaryFolder();
        pulled.Agnes.Environment["AGNES_ALLOW_FILES"] = "1";
        try
        {
            (await pulled.Agnes.RunAsync("query", sql, "-f", "parquet", "-o", kept["x.parquet"])).ShouldSucceed();
        }
        finally
        {
            pulled.Agnes.Environment.Remove("AGNES_ALLOW_FILES");
        }

        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = new DuckDBCommand($"SELECT string_agg(n::BIGINT, ',') FROM '{kept["x.parquet"]}'", connection);
        command.ExecuteScalar().ShouldBe(rows);
    }

    /// <summary>Behind the guard, which lets files be named here: the engine itself opens the parts, and nothing beside them in their folder.</summary>
    [Theory]
    [InlineData("SELECT content FROM read_text('$WS/server/parts/note.txt')")]
    [InlineData("SELECT count(*) FROM read_parquet('$WS/server/parts/*.parquet')")]
    [InlineData("SELECT count(*) FROM glob('$WS/server/parts/*')")]
    public async Task The_engine_opens_parts_by_name_and_not_their_folder(string sql)
    {
        var note = Here("$WS/server/parts/note.txt");
        await File.WriteAllTextAsync(note, "beside", TestContext.Current.CancellationToken);
        pulled.Agnes.Environment["AGNES_ALLOW_FILES"] = "1";
        try
        {
            (await pulled.Agnes.RunAsync("query", Here(sql), "--allow-files", pulled.Agnes.Config)).ShouldFail(1).Error.ShouldContain("Permission Error");
            (await pulled.Agnes.RunAsync("query", "SELECT count(*) AS c FROM orders", "--allow-files", pulled.Agnes.Config, "-f", "csv")).ShouldSucceed().Out.ShouldBe("c\n3\n");
        }
        finally
        {
            pulled.Agnes.Environment.Remove("AGNES_ALLOW_FILES");
            File.Delete(note);
        }
    }

    /// <summary>A text of ours with a part of somebody's is one statement or none.</summary>
    [Fact]
    public void A_text_that_became_several_statements_does_not_run_at_all()
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = new DuckDBCommand("CREATE TABLE a(x INT); CREATE TABLE b(x INT)", connection) { IsOneStatement = true };
        Should.Throw<DuckDBException>(() => command.ExecuteNonQuery());
        using var tables = new DuckDBCommand("SELECT count(*) FROM duckdb_tables()", connection);
        tables.ExecuteScalar().ShouldBe(0L);
    }

    /// <summary>Every function of the engine that this program comes with: what nobody has allowed is refused here as on the server.</summary>
    [Fact]
    public void Every_function_of_the_engine_is_allowed_by_name_or_refused()
    {
        using var connection = LocalDatabase.Open(new Layout(pulled.Agnes.Workspace).Database, readOnly: true);
        using var guard = new LocalGuard(new Layout(pulled.Agnes.Workspace), connection, readsFiles: false);
        using var command = new DuckDBCommand("SELECT DISTINCT lower(function_name), function_type IN ('table', 'table_macro', 'pragma') FROM duckdb_functions() WHERE regexp_full_match(function_name, '[A-Za-z_0-9]+')", connection);
        var functions = new List<(string Name, bool IsTable)>();
        using (var reader = command.ExecuteReader())
            while (reader.Read()) functions.Add((reader.GetString(0), reader.GetBoolean(1)));

        functions.Count.ShouldBeGreaterThan(500);
        functions.Where(function => Passes(function.IsTable ? $"FROM \"{function.Name}\"()" : $"SELECT \"{function.Name}\"()") != (function.IsTable ? FunctionList.Tables : FunctionList.Values).Contains(function.Name)).ShouldBeEmpty();

        bool Passes(string sql)
        {
            try
            {
                return guard.Admit(sql).Length > 0;
            }
            catch (CliException)
            {
                return false;
            }
        }
    }

    [Theory]
    [InlineData("SELECT 'Referenced column \"nam\" not found'::INT FROM orders", "Conversion Error")]
    [InlineData("SELECT error('Catalog Error: Table with name ordrs does not exist!') FROM orders", "Invalid Input Error")]
    [InlineData("SELECT error('Binder Error: Table \"orders\" does not have a column named \"nam\"') FROM orders", "Invalid Input Error")]
    [InlineData("SELECT error('file system operations are disabled by configuration') FROM orders", "Invalid Input Error")]
    [InlineData("SELECT 'IO Error: No files found that match'::INT FROM orders", "Conversion Error")]
    public async Task An_error_that_speaks_like_another_is_said_and_nothing_is_asked_because_of_it(string sql, string kind)
    {
        var error = (await pulled.Agnes.RunAsync("query", sql)).ShouldFail(1).Error;

        error.ShouldStartWith($"Query error: {kind}");
        error.ShouldNotContain("Did you mean");
        error.ShouldNotContain("Columns of");
        error.ShouldNotContain("Note:");
        error.ShouldNotContain("Next:");
    }

    [Fact]
    public async Task What_is_really_missing_is_still_explained()
    {
        (await pulled.Agnes.RunAsync("query", "SELECT nam FROM orders")).ShouldFail(1).Error.ShouldContain("Did you mean: name?");
        (await pulled.Agnes.RunAsync("query", "EXPLAIN SELECT nam FROM orders")).ShouldFail(1).Error.ShouldContain("Columns of orders: n, name");
        (await pulled.Agnes.RunAsync("query", "SELECT o.nam, n AS m FROM orders o JOIN (SELECT n AS k FROM orders) ON o.n = k")).ShouldFail(1).Error.ShouldContain("Did you mean: name?");
        (await pulled.Agnes.RunAsync("query", "SELECT n + name FROM orders")).ShouldFail(1).Error.ShouldNotContain("Columns of");
        (await pulled.Agnes.RunAsync("query", "WITH \"ORDRS\" AS (SELECT 1) SELECT * FROM ordrs, ordr")).ShouldFail(1).Error.ShouldContain("no such table among yours: 'ordr'");
        (await pulled.Agnes.RunAsync("query", "FROM read_csv('/etc/passwd')")).ShouldFail(1).Error.ShouldContain("--allow-files DIR");
        (await pulled.Agnes.RunAsync("query", "FROM 'mine.csv'")).ShouldFail(1).Error.ShouldContain("--allow-files DIR");
        (await pulled.Agnes.RunAsync("query", "SELECT lenght(name) FROM orders")).ShouldFail(1).Error.ShouldContain("Did you mean 'length'?");
    }

    [Theory]
    [InlineData("SHOW TABLES", "name\norders\n")]
    [InlineData("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'", "table_name\norders\n")]
    [InlineData("SELECT count(*) AS c FROM analytics.main.orders a JOIN analytics.orders b USING (n) JOIN main.orders c USING (n)", "c\n3\n")]
    [InlineData("SELECT n, sum(n) OVER w AS s FROM orders WINDOW w AS (ORDER BY n), v AS (ORDER BY name)", "n,s\n1,1\n2,3\n3,6\n")]
    [InlineData("SELECT count(*) AS c FROM (SUMMARIZE orders)", "c\n2\n")]
    public async Task What_only_describes_the_workspace_is_answered(string sql, string csv) => (await pulled.Agnes.RunAsync("query", sql, "-f", "csv")).ShouldSucceed().Out.ShouldBe(csv);

    [Fact]
    public async Task Folders_that_a_person_opened_are_read_by_function_and_by_name()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["a.csv"], "x\n5\n");
        pulled.Agnes.Environment["AGNES_ALLOW_FILES"] = "1";
        try
        {
            foreach (var from in (string[])[$"'{folder["a.csv"]}'", $"read_csv('{folder["a.csv"]}')", $"read_csv_auto('{folder["*.csv"]}')"])
                (await pulled.Agnes.RunAsync("query", $"SELECT x FROM {from}, (SELECT count(*) FROM orders)", "--allow-files", folder.Path, "-f", "csv")).ShouldSucceed().Out.ShouldBe("x\n5\n");
            (await pulled.Agnes.RunAsync("query", "FROM '/etc/passwd'", "--allow-files", folder.Path)).ShouldFail(1);
            (await pulled.Agnes.RunAsync("query", "FROM ordrs", "--allow-files", folder.Path)).ShouldFail(1).Error.ShouldContain("Did you mean: orders?");
        }
        finally
        {
            pulled.Agnes.Environment.Remove("AGNES_ALLOW_FILES");
        }
    }

    private string Here(string sql) => sql.Replace("$WS", pulled.Agnes.Workspace, StringComparison.Ordinal);

    private string[] Files() => [.. Directory.EnumerateFiles(pulled.Agnes.Workspace, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => $"{path} {new FileInfo(path).Length}")];

    public sealed class PulledWorkspace : IAsyncLifetime
    {
        internal FakeServer Server { get; private set; } = null!;

        internal AgnesProgram Agnes { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await FakeServer.StartAsync();
            Server.Add("orders", Parquet.Of("SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) t(n, name)"));
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
