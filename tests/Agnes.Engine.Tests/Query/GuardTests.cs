using Agnes.Engine.Query;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Query;

public sealed class GuardTests(Bench bench) : IClassFixture<Bench>
{
    [Theory]
    [InlineData("SELECT * FROM secrets", StatementStatus.TableDenied, "Access denied to table 'secrets'")]
    [InlineData("SELECT * FROM information_schema.tables", StatementStatus.TableDenied, "Access denied to table 'information_schema.tables'")]
    [InlineData("DROP TABLE orders", StatementStatus.NotASelect, "Only single SELECT queries are allowed")]
    [InlineData("SELECT 1; SELECT 2", StatementStatus.NotASelect, "Only single SELECT queries are allowed")]
    [InlineData("", StatementStatus.NotASelect, "Query must start with SELECT or WITH")]
    [InlineData("selec 1", StatementStatus.ParseError, "Query error: Parser Error: syntax error at or near \"selec\"")]
    [InlineData("SELECT getenv('HOME')", StatementStatus.FunctionDenied, "Function 'getenv' is not allowed in a query.")]
    [InlineData("SELECT lenght('a')", StatementStatus.FunctionDenied, "Function 'lenght' is not allowed in a query. Did you mean 'length'?")]
    public async Task A_refusal_says_what_it_is_about(string sql, StatementStatus status, string message)
    {
        var (outcome, _) = await bench.RunAsync(sql);

        outcome.Status.ShouldBe(status);
        outcome.Message.ShouldBe(message);
    }

    [Fact]
    public async Task An_admin_is_told_that_a_table_does_not_exist_and_which_one_looks_like_it()
    {
        var (outcome, _) = await bench.RunAsync("SELECT * FROM Ordrs", bench.Admin);

        outcome.Status.ShouldBe(StatementStatus.TableUnknown);
        outcome.Message.ShouldBe("Query error: Table 'Ordrs' does not exist. Did you mean 'orders'?");
        outcome.Nearest.ShouldBe(["orders"]);
    }

    [Fact]
    public async Task An_unknown_column_is_answered_with_those_of_the_table()
    {
        var (outcome, _) = await bench.RunAsync("SELECT custmer FROM orders");

        outcome.Status.ShouldBe(StatementStatus.EngineError);
        outcome.Message!.ShouldContain("\"customer\"");
    }

    [Fact]
    public async Task A_granted_table_without_data_says_so()
    {
        var (outcome, _) = await bench.RunAsync("SELECT * FROM later", Scope.Of([bench.Orders with { Name = "later", Source = RowSource.None }]));

        outcome.Status.ShouldBe(StatementStatus.TableNotReady);
        outcome.Name.ShouldBe("later");
    }

    [Fact]
    public async Task A_text_that_is_too_long_is_not_looked_at()
    {
        var (outcome, _) = await bench.RunAsync($"SELECT '{new string('x', StatementLimits.SqlBytesMax)}'");

        outcome.Status.ShouldBe(StatementStatus.TooLarge);
    }

    [Fact]
    public async Task The_same_text_is_judged_anew_in_every_scope()
    {
        (await bench.RunAsync("SELECT count(*) FROM secrets", bench.Admin)).Outcome.Status.ShouldBe(StatementStatus.Ok);
        (await bench.RunAsync("SELECT count(*) FROM secrets")).Outcome.Status.ShouldBe(StatementStatus.TableDenied);
        (await bench.RunAsync("SELECT count(*) FROM secrets", Scope.Of([bench.Secrets]))).Outcome.Status.ShouldBe(StatementStatus.Ok);
    }

    [Fact]
    public async Task A_new_version_is_seen_by_the_next_statement()
    {
        var first = bench.Table("versions", "SELECT 1 AS v");
        var second = bench.Table("versions", "SELECT 2 AS v") with { Version = 2 };

        (await bench.RunAsync("SELECT v FROM versions", Scope.Of([first]))).Body.ShouldContain("[[1]]");
        (await bench.RunAsync("SELECT v FROM versions", Scope.Of([second]))).Body.ShouldContain("[[2]]");
        (await bench.RunAsync("SELECT v FROM versions", Scope.Of([first]))).Body.ShouldContain("[[1]]");
    }

    [Fact]
    [Long]
    public async Task More_footprints_than_sandboxes_are_kept_all_answer()
    {
        var tables = Enumerable.Range(0, 20).Select(i => bench.Table($"many{i}", $"SELECT {i} AS v", parts: 2)).ToList();
        for (var round = 0; round < 2; round++)
            foreach (var (table, i) in tables.Select((table, i) => (table, i)))
                (await bench.RunAsync($"SELECT DISTINCT v FROM {table.Name}", Scope.Of(tables))).Body.ShouldContain($"[[{i}]]");
    }

    [Fact]
    public async Task A_name_with_odd_characters_is_found_and_read()
    {
        var odd = bench.Table("odd", "SELECT 7 AS v") with { Name = "we\"ird 'name; --" };

        (await bench.RunAsync("SELECT v FROM \"we\"\"ird 'name; --\"", Scope.Of([odd]))).Body.ShouldContain("[[7]]");
    }
}
