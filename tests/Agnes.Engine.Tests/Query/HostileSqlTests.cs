using Agnes.Engine.Query;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Query;

/// <summary>
/// Everything here is sent by somebody who was granted <c>orders</c> while <c>secrets</c> exists. Nothing may come back, and the answer must not tell
/// <c>secrets</c> from a name that never existed.
/// </summary>
public sealed class HostileSqlTests(Bench bench) : IClassFixture<Bench>
{
    /// <summary>Stands for the hidden table.</summary>
    private const string T = "secrets";

    private static int _version = 1;

    private const string NeverExisting = "nonesuch";

    public static TheoryData<string> NamingTheTable() => [.. HostileSql.NamingTheTable(T)];

    [Theory]
    [MemberData(nameof(NamingTheTable))]
    public async Task A_hidden_table_cannot_be_told_from_one_that_never_existed(string sql)
    {
        var (hidden, hiddenBody) = await bench.RunAsync(sql);
        var (missing, missingBody) = await bench.RunAsync(sql.Replace(T, NeverExisting, StringComparison.OrdinalIgnoreCase));

        hidden.Status.ShouldBe(StatementStatus.TableDenied, hidden.Message);
        hidden.Status.ShouldBe(missing.Status);
        hidden.Message!.Replace(T, NeverExisting, StringComparison.OrdinalIgnoreCase).ShouldBe(missing.Message);
        hidden.Nearest.ShouldBe(missing.Nearest);
        hiddenBody.ShouldBeEmpty();
        missingBody.ShouldBeEmpty();
        hidden.Message.ShouldNotContain(Bench.HiddenText);
        hidden.Message.ShouldNotContain(bench.Folder);
    }

    [Theory]
    [MemberData(nameof(NamingTheTable))]
    public async Task The_sandbox_alone_would_keep_it_hidden(string sql)
    {
        // As if the guard had found no table at all.
        var (hidden, hiddenBody) = await RunUnguardedAsync(sql, bench.Orders);
        var (missing, _) = await RunUnguardedAsync(sql.Replace(T, NeverExisting, StringComparison.OrdinalIgnoreCase), bench.Orders);

        hiddenBody.ShouldNotContain(Bench.HiddenText);
        hidden.Status.ShouldBe(missing.Status);
    }

    public static TheoryData<string> ReachingOutside() => [.. HostileSql.ReachingOutside];

    [Theory]
    [MemberData(nameof(ReachingOutside))]
    public async Task Nothing_but_granted_tables_is_reached(string sql)
    {
        var (outcome, body) = await bench.RunAsync(sql);

        outcome.Status.ShouldNotBe(StatementStatus.Ok);
        outcome.Status.ShouldNotBe(StatementStatus.Busy);
        outcome.Message.ShouldNotBeNullOrEmpty();
        outcome.Message.ShouldNotContain(bench.Folder);
        outcome.Message.ShouldNotContain(Bench.HiddenText);
        outcome.Message.ShouldNotContain("root:");
        body.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(ReachingOutside))]
    public async Task An_admin_gets_no_further_outside(string sql)
    {
        var (outcome, _) = await bench.RunAsync(sql, bench.Admin);

        outcome.Status.ShouldNotBe(StatementStatus.Ok);
    }

    [Theory]
    [MemberData(nameof(ReachingOutside))]
    public async Task The_sandbox_alone_would_keep_files_closed(string sql)
    {
        // A sandbox that nobody else uses: in here, unlike behind the guard, DROP VIEW does what it says.
        var (_, body) = await RunUnguardedAsync(sql, bench.Orders with { Version = Interlocked.Increment(ref _version) });

        body.ShouldNotContain(Bench.HiddenText);
        body.ShouldNotContain("root:");
        body.ShouldNotContain(Environment.GetEnvironmentVariable("HOME") + "/.");
        File.Exists("/tmp/x.csv").ShouldBeFalse();
        File.Exists("/tmp/x.db").ShouldBeFalse();
    }

    [Theory]
    [InlineData("WITH secrets AS (SELECT 1 AS a) SELECT * FROM secrets")]
    [InlineData("WITH secrets AS (SELECT 1 AS a), b AS (FROM secrets) SELECT * FROM b, SECRETS")]
    [InlineData("WITH RECURSIVE secrets AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM secrets WHERE a < 3) FROM secrets")]
    [InlineData("SELECT secrets.id FROM orders AS secrets")]
    [InlineData("SELECT id AS secrets FROM orders ORDER BY secrets")]
    [InlineData("SELECT 'FROM secrets; DROP VIEW orders; read_csv(''/etc/passwd'')' AS a")]
    [InlineData("SELECT 1 -- FROM secrets")]
    [InlineData("SELECT 1;")]
    [InlineData("SELECT * FROM main.orders")]
    [InlineData("SELECT * FROM ORDERS")]
    public async Task What_only_looks_forbidden_is_answered(string sql)
    {
        var (outcome, _) = await bench.RunAsync(sql);

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
    }

    private async Task<(StatementOutcome Outcome, string Body)> RunUnguardedAsync(string sql, ScopedTable orders)
    {
        using var body = new MemoryStream();
        var output = System.IO.Pipelines.PipeWriter.Create(body);
        var run = new StatementRun(bench.Pool, new ParseCache(), Bench.LeaseOf("unguarded"), StatementLimits.Default, output, CancellationToken.None);
        var outcome = await run.RunTrustedAsync(sql, [orders], 1000);
        await output.CompleteAsync();
        return (outcome, System.Text.Encoding.UTF8.GetString(body.ToArray()));
    }
}
