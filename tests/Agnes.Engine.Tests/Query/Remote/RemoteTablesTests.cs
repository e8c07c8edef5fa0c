using System.IO.Pipelines;
using System.Text;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Testing;
using Npgsql;

[assembly: AssemblyFixture(typeof(Postgres))]

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>Statements over tables that another system holds: a PostgreSQL of the test's own.</summary>
public sealed class RemoteTablesTests(Bench bench, Postgres postgres) : IClassFixture<Bench>, IAsyncLifetime
{
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(20);
    private NpgsqlDataSource _database = null!;
    private PostgresTables _system = null!;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await postgres.NewDatabaseAsync());
        _system = new PostgresTables(_database, "shop");
        await ExecuteAsync("CREATE TABLE sales AS SELECT i AS id, (i * 1.5)::numeric(21,1) AS amount, 'customer ' || i % 10 AS customer, DATE '2026-01-01' + i::integer AS day FROM generate_series(0::bigint, 999) t(i)");
        await ExecuteAsync("CREATE TABLE customers AS SELECT 'customer ' || i AS customer, i % 3 = 0 AS large FROM generate_series(0, 9) t(i)");
        await ExecuteAsync("ANALYZE");
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData("SELECT count(*) AS n, sum(amount) AS amount FROM orders")]
    [InlineData("SELECT customer, count(*) AS n FROM orders GROUP BY customer ORDER BY customer")]
    [InlineData("SELECT * FROM orders WHERE customer = 'customer 3' ORDER BY id")]
    [InlineData("WITH late AS (SELECT * FROM orders WHERE day > DATE '2028-01-01') SELECT min(day) AS day, max(id) AS id FROM late")]
    [InlineData("SELECT 'it''s \\' AS text, id FROM orders -- the end\nORDER BY id LIMIT 2")]
    public async Task A_statement_over_tables_of_one_system_is_answered_there_as_it_would_be_here(string sql)
    {
        var here = await bench.RunAsync(sql);
        var there = await bench.RunAsync(sql, Scope.Of([Remote("orders", "public.sales")]));

        there.Outcome.Message.ShouldBeNull();
        there.Body.ShouldBe(here.Body);
        there.Outcome.Tables.ShouldBe(["orders"]);
        _system.Asked.ShouldHaveSingleItem();
        _system.Asked[0].ShouldNotContain("--");
    }

    [Fact]
    public async Task No_more_rows_are_asked_for_than_wanted_and_one()
    {
        var (outcome, body) = await bench.RunAsync("SELECT id FROM orders ORDER BY id", Scope.Of([Remote("orders", "public.sales")]), limit: 3);
        (outcome.Rows, outcome.Truncated).ShouldBe((3, true));
        body.ShouldContain("[[0],[1],[2]]");
    }

    [Fact]
    public async Task A_statement_over_tables_here_and_there_fetches_those_that_are_there_for_itself_alone()
    {
        const string Sql = "SELECT c.large, count(*) AS n FROM orders o JOIN customers c USING (customer) GROUP BY 1 ORDER BY 1";
        var scope = Scope.Of([bench.Orders, Remote("customers", "customers")]);

        var first = await bench.RunAsync(Sql, scope);
        first.Body.ShouldContain("[[false,600],[true,400]]");
        first.Outcome.Tables.ShouldBe(["customers", "orders"], ignoreOrder: true);

        await ExecuteAsync("UPDATE customers SET large = true");
        (await bench.RunAsync(Sql, scope)).Body.ShouldContain("[[true,1000]]");
        Directory.GetFiles(bench.Pool.Fetched).ShouldBeEmpty();
    }

    [Fact]
    public async Task Tables_of_two_systems_meet_here()
    {
        var other = new PostgresTables(_database, "warehouse");
        var scope = Scope.Of([Remote("orders", "sales"), new ScopedTable("customers", "customers", 0, "", [], new RowSource.Remote(other, "customers"))]);
        (await bench.RunAsync("SELECT count(*) AS n FROM orders JOIN customers USING (customer)", scope)).Body.ShouldContain("[[1000]]");
        (_system.Asked.Count, other.Asked.Count).ShouldBe((1, 1));
    }

    [Fact]
    public async Task What_would_cost_more_than_the_limit_is_not_asked()
    {
        var (outcome, _) = await bench.RunAsync(
            "SELECT * FROM orders a, orders b", Scope.Of([Remote("orders", "sales")]), limits: StatementLimits.Default with { RemoteScanBytes = 1 << 20 });
        outcome.Status.ShouldBe(StatementStatus.RemoteTooLarge);
        outcome.Scan!.Relations.ShouldBe(["sales"]);
        outcome.Message!.ShouldContain("'shop' would have to read");
        outcome.Message!.ShouldContain("1 MiB are allowed");
        _system.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_system_refuses_or_fails_at_is_said_in_its_name()
    {
        var gone = await bench.RunAsync("SELECT * FROM orders", Scope.Of([Remote("orders", "no_such_relation")]));
        (gone.Outcome.Status, gone.Outcome.Message).ShouldBe((StatementStatus.EngineError, "Query error: 'shop' says: relation \"no_such_relation\" does not exist"));

        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2");
        var away = new ScopedTable("orders", "orders", 0, "", [], new RowSource.Remote(new PostgresTables(nowhere, "shop"), "sales"));
        var unreachable = await bench.RunAsync("SELECT * FROM orders", Scope.Of([away]));
        (unreachable.Outcome.Status, unreachable.Outcome.Message).ShouldBe((StatementStatus.RemoteFailed, "Query error: 'shop' cannot be reached. Ask an admin to look at the connection."));
    }

    [Fact]
    public async Task A_question_ends_there_when_its_right_ends_here_and_when_its_time_is_over()
    {
        // Cheap by the planner's guess, endless in truth.
        await ExecuteAsync("CREATE FUNCTION forever() RETURNS bigint LANGUAGE plpgsql COST 1 AS 'BEGIN PERFORM pg_sleep(600); RETURN 1; END'");
        var scope = Scope.Of([Remote("orders", "(SELECT forever() AS id) AS endless")]);
        using var revoked = new CancellationTokenSource();
        var lease = new Lease("guest", revoked.Token);
        var running = bench.Runner.RunAsync(lease, scope, "SELECT id FROM orders", 1, PipeWriter.Create(Stream.Null), StatementLimits.Default, CancellationToken.None);
        while (await RunningAsync() == 0) await Task.Delay(20, TestContext.Current.CancellationToken);
        lease.Read.Select(table => table.Name).ShouldBe(["orders"]);

        await revoked.CancelAsync();
        (await running.WaitAsync(EndMax, TestContext.Current.CancellationToken)).Status.ShouldBe(StatementStatus.Revoked);

        var late = await bench.RunAsync("SELECT id FROM orders", scope, limits: StatementLimits.Default with { Time = TimeSpan.FromSeconds(1) });
        late.Outcome.Status.ShouldBe(StatementStatus.TimedOut);
        for (var left = 100; await RunningAsync() > 0 && left > 0; left--) await Task.Delay(50, TestContext.Current.CancellationToken);
        (await RunningAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_statement_is_checked_without_a_row_being_asked_for()
    {
        var scope = Scope.Of([bench.Orders, Remote("sales", "sales"), Remote("customers", "customers")]);
        async Task<StatementCheck> CheckAsync(string sql) =>
            await bench.Runner.CheckAsync(Bench.LeaseOf("guest"), scope, sql, "", StatementLimits.Default, CancellationToken.None);
        (await CheckAsync("SELECT sum(amount) FROM sales JOIN customers USING (customer)")).IsBound.ShouldBeTrue();
        (await CheckAsync("SELECT sum(s.amount) FROM sales s JOIN orders o USING (id)")).IsBound.ShouldBeTrue();
        var wrong = await CheckAsync("SELECT sum(nothing) FROM sales");
        (wrong.IsBound, wrong.IsAllowed, wrong.Message!.Contains("nothing", StringComparison.Ordinal)).ShouldBe((false, true, true));
        _system.Asked.Count.ShouldBe(4);
        _system.Asked.ShouldAllBe(sql => sql.EndsWith("WHERE false", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Its_columns_can_be_described()
    {
        var columns = (await _system.DescribeAsync("sales", TestContext.Current.CancellationToken)).Columns;
        columns.Select(column => $"{column.Name} {column.Type}").ShouldBe(["id BIGINT", "amount DECIMAL(21,1)", "customer VARCHAR", "day DATE"]);
    }

    [Fact]
    public async Task A_sample_of_it_is_asked_for_too()
    {
        using var body = new MemoryStream();
        var output = PipeWriter.Create(body, new StreamPipeWriterOptions(leaveOpen: true));
        var outcome = await bench.Runner.SampleAsync(Bench.LeaseOf("guest"), Remote("orders", "sales"), 2, output, StatementLimits.Default, CancellationToken.None);
        await output.CompleteAsync();
        outcome.Message.ShouldBeNull();
        Encoding.UTF8.GetString(body.ToArray()).ShouldStartWith("[{\"id\":0,");
    }

    private ScopedTable Remote(string name, string relation) => new(name, name, 0, "", [], new RowSource.Remote(_system, relation));

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> RunningAsync()
    {
        await using var command = _database.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep' AND datname = current_database()");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
