namespace Agnes.Cli.Tests;

/// <summary>Back to the version before, and many programs at once in one workspace.</summary>
public sealed class RollbackTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_rollback_goes_back_one_version_without_the_server_and_holds_until_somebody_pulls()
    {
        Both(1);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        (await _agnes.RunAsync("pull", "--rollback")).ShouldFail(1).Error.ShouldContain("no earlier version");
        Both(2);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        _server.Requests.Clear();
        var back = (await _agnes.RunAsync("pull", "--rollback")).ShouldSucceed();
        back.Out.ShouldContain("a, b");
        _server.Requests.ShouldBeEmpty();
        await ShouldHoldAsync(1, 1);

        // A session's own pull brings nothing newer, and says so in its JSON and in the status.
        Both(3);
        (await _agnes.RunAsync("pull", "--quiet", "--json")).ShouldSucceed().Json.GetProperty("held").GetBoolean().ShouldBeTrue();
        await ShouldHoldAsync(1, 1);
        (await _agnes.RunAsync("status", "--json")).ShouldSucceed().Json.GetProperty("rolled_back_at").GetString().ShouldNotBeNull();

        (await _agnes.RunAsync("pull")).ShouldSucceed();
        await ShouldHoldAsync(3, 3);
        (await _agnes.RunAsync("status", "--json")).ShouldSucceed().Json.GetProperty("rolled_back_at").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        (await _agnes.RunAsync("pull", "--rollback", "--json")).ShouldSucceed();
        await ShouldHoldAsync(1, 1);
        (await _agnes.RunAsync("pull", "--rollback")).ShouldSucceed();
        await ShouldHoldAsync(3, 3);
    }

    [Fact]
    public async Task What_was_taken_away_does_not_come_back_by_a_rollback_nor_stay_behind_one()
    {
        Both(1);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        Both(2);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        _server.Tables.TryRemove("a", out _);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        (await _agnes.RunAsync("pull", "--rollback")).ShouldSucceed();
        (await _agnes.RunAsync("query", "FROM a")).ShouldFail(1);
        (await Csv("FROM b")).ShouldBe("n\n1\n");
        Directory.EnumerateFiles(_agnes.InWorkspace("server", "parts"), "*.parquet").Count().ShouldBe(2, "both versions of b, none of a");
        _server.Tables.TryRemove("b", out _);
        (await _agnes.RunAsync("pull", "--quiet")).ShouldSucceed();
        (await _agnes.RunAsync("query", "FROM b")).ShouldFail(1);
        Directory.Exists(_agnes.InWorkspace("server")).ShouldBeFalse();
    }

    [Fact]
    public async Task Eight_pulls_and_twenty_queries_at_once_meet_no_lock_and_see_one_version()
    {
        Both(1);
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        // One holds the local database open all the while, as a person's own tool does.
        using var held = new DuckDB.NET.Data.DuckDBConnection($"Data Source={_agnes.InWorkspace("user", "duckdb", "analytics.duckdb")};access_mode=READ_ONLY");
        held.Open();
        Both(2);
        var pulls = Enumerable.Range(0, 8).Select(index => _agnes.RunAsync(index % 2 == 0 ? ["pull"] : ["pull", "--quiet"])).ToList();
        var queries = Enumerable.Range(0, 20).Select(_ => _agnes.RunAsync("query", "SELECT a.n = b.n AS same, a.n AS n FROM a, b", "-f", "csv")).ToList();
        foreach (var pull in await Task.WhenAll(pulls)) pull.ShouldSucceed();
        foreach (var query in await Task.WhenAll(queries)) query.ShouldSucceed().Out.ShouldBeOneOf("same,n\ntrue,1\n", "same,n\ntrue,2\n");
        await ShouldHoldAsync(2, 2);
        Directory.EnumerateFiles(_agnes.Workspace, "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    private void Both(long number)
    {
        _server.Add("a", Parquet.Number(number));
        _server.Add("b", Parquet.Of($"SELECT CAST({number} AS BIGINT) AS n FROM range(1) AS b"));
    }

    private async Task ShouldHoldAsync(long a, long b) => (await Csv("SELECT (SELECT n FROM a) AS a, (SELECT n FROM b) AS b")).ShouldBe($"a,b\n{a},{b}\n");

    private async Task<string> Csv(string sql) => (await _agnes.RunAsync("query", sql, "-f", "csv")).ShouldSucceed().Out;
}
