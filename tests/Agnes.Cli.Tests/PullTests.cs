using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

public sealed class PullTests : IAsyncLifetime
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
    public async Task A_granted_table_is_pulled_and_can_be_queried()
    {
        _server.Add("orders", Parquet.Of("SELECT * FROM range(3) t(n)"));
        _server.Add("events", "remote");
        var pull = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json;
        pull.GetProperty("tables_updated").GetInt32().ShouldBe(1);
        pull.GetProperty("parquets_total").GetInt32().ShouldBe(1);
        pull.GetProperty("errors").GetArrayLength().ShouldBe(0);
        Directory.GetFiles(_agnes.InWorkspace("server", "parquet")).Select(Path.GetFileName).ShouldBe(["orders.parquet"]);
        (await _agnes.RunAsync("query", "SELECT count(*) AS n FROM orders", "--format", "json")).ShouldSucceed().Json[0].GetProperty("n").GetInt64().ShouldBe(3);
    }

    [Fact]
    public async Task A_second_pull_downloads_nothing_and_a_missing_file_is_put_back()
    {
        _server.Add("orders", Parquet.Number(1));
        await Pull();
        _server.Requests.Clear();
        (await Pull()).GetProperty("tables_updated").GetInt32().ShouldBe(0);
        _server.Requests.ShouldBe(["GET /api/sync/manifest"]);

        File.Delete(_agnes.InWorkspace("server", "parquet", "orders.parquet"));
        (await Pull()).GetProperty("tables_updated").GetInt32().ShouldBe(1);
        File.Exists(_agnes.InWorkspace("server", "parquet", "orders.parquet")).ShouldBeTrue();
        _server.Downloads.ShouldBeEmpty();

        foreach (var part in Directory.GetFiles(_agnes.InWorkspace("server", "parts"))) File.Delete(part);
        (await Pull()).GetProperty("tables_updated").GetInt32().ShouldBe(1);
        await ShouldRead("orders", 1);
    }

    [Fact]
    public async Task A_missing_file_is_noticed_and_put_back_also_where_the_server_names_it_by_its_md5_alone()
    {
        _server.AddPlain("orders", Parquet.Number(1));
        await Pull();
        File.Delete(_agnes.InWorkspace("server", "parquet", "orders.parquet"));
        (await _agnes.RunAsync("diagnose", "--json")).Json.GetProperty("checks").EnumerateArray().Single(check => check.GetProperty("name").GetString() == "files").GetProperty("status").GetString().ShouldBe("error");
        (await Pull()).GetProperty("tables_updated").GetInt32().ShouldBe(1);
        File.Exists(_agnes.InWorkspace("server", "parquet", "orders.parquet")).ShouldBeTrue();
        await ShouldRead("orders", 1);
    }

    [Fact]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task A_changed_part_of_many_is_all_that_is_fetched()
    {
        var parts = Enumerable.Range(0, 20).Select(index => Parquet.Number(index)).ToArray();
        _server.Add("orders", parts);
        await Pull();
        Directory.GetFiles(_agnes.InWorkspace("server", "parquet", "orders")).Length.ShouldBe(20);
        _server.Requests.Clear();
        parts[7] = Parquet.Number(1000);
        _server.Add("orders", parts);
        var report = await Pull();
        report.GetProperty("parts_downloaded").GetInt32().ShouldBe(1);
        _server.Downloads.Count().ShouldBe(1);
        await ShouldRead("orders", Enumerable.Range(0, 20).Sum() - 7 + 1000, "sum(n)");
    }

    [Fact]
    public async Task The_same_content_in_two_tables_is_fetched_once()
    {
        _server.Add("a", Parquet.Number(5));
        _server.Add("b", Parquet.Number(5));
        await Pull();
        _server.Downloads.Count().ShouldBe(1);
        await ShouldRead("a", 5);
        await ShouldRead("b", 5);
    }

    [Fact]
    public async Task A_revoked_table_leaves_the_workspace()
    {
        _server.Add("kept", Parquet.Number(1));
        _server.Add("revoked", Parquet.Number(2));
        await Pull();
        _server.Add("revoked", Parquet.Number(2), Parquet.Number(3));
        await Pull();
        _server.Add("revoked", Parquet.Number(2));
        await Pull();
        Directory.GetFiles(_agnes.InWorkspace("server", "parts")).Length.ShouldBe(3, "one of the version before is kept");
        _server.Tables.TryRemove("revoked", out _);
        (await Pull("--no-prune")).GetProperty("tables_removed").GetInt32().ShouldBe(0);
        await ShouldRead("revoked", 2);

        var report = await Pull();
        report.GetProperty("tables_removed").GetInt32().ShouldBe(1);
        (await _agnes.RunAsync("query", "FROM revoked")).ShouldFail(1).Error.ShouldContain("Query error");
        Directory.GetFiles(_agnes.Workspace, "*", SearchOption.AllDirectories).ShouldNotContain(path => path.Contains("revoked"));
        Directory.GetFiles(_agnes.InWorkspace("server", "parts")).Length.ShouldBe(1);
        await ShouldRead("kept", 1);
    }

    [Fact]
    public async Task A_table_that_became_remote_or_lost_its_place_in_the_manifest_goes_and_a_failed_manifest_takes_nothing_away()
    {
        _server.Add("orders", Parquet.Number(1));
        await Pull();
        _server.Intercept = context => Answer(context, "/manifest", 500, """{"detail":"Internal server error"}""");
        var failed = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1);
        failed.Json.GetProperty("errors")[0].GetProperty("stage").GetString().ShouldBe("manifest");
        await ShouldRead("orders", 1);
        _server.Intercept = null;
        _server.Add("orders", "remote");
        (await Pull()).GetProperty("tables_removed").GetInt32().ShouldBe(1);
        Directory.Exists(_agnes.InWorkspace("server")).ShouldBeFalse();
    }

    [Fact]
    public async Task Skipped_materialized_tables_stay_as_they_are()
    {
        _server.Add("report", "materialized", Parquet.Number(1));
        await Pull();
        _server.Add("report", "materialized", Parquet.Number(2));
        var report = await Pull("--skip-materialize");
        report.GetProperty("parquets_total").GetInt32().ShouldBe(0);
        await ShouldRead("report", 1);
        await Pull();
        await ShouldRead("report", 2);
    }

    [Fact]
    public async Task A_dry_run_writes_nothing()
    {
        _server.Add("orders", Parquet.Number(1));
        var plan = (await _agnes.RunAsync("pull", "--dry-run", "--json")).ShouldSucceed().Json;
        plan.GetProperty("tables_updated").GetInt32().ShouldBe(0);
        plan.GetProperty("would_update")[0].GetString().ShouldBe("orders");
        Directory.EnumerateFileSystemEntries(_agnes.Workspace).ShouldBeEmpty();
        _server.Downloads.ShouldBeEmpty();
    }

    [Fact]
    public async Task No_grants_leave_no_server_folder_but_a_database()
    {
        await Pull();
        Directory.Exists(_agnes.InWorkspace("server")).ShouldBeFalse();
        File.Exists(_agnes.InWorkspace("user", "duckdb", "analytics.duckdb")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_newer_version_does_not_disturb_a_query_of_the_old_one()
    {
        _server.Add("orders", Parquet.Number(1), Parquet.Number(2));
        await Pull();
        var old = _agnes.InWorkspace("old.duckdb");
        File.Copy(_agnes.InWorkspace("user", "duckdb", "analytics.duckdb"), old);
        _server.Add("orders", Parquet.Number(3), Parquet.Number(4));
        await Pull();
        _server.Add("orders", Parquet.Number(5), Parquet.Number(6));
        await Pull();
        await ShouldRead("orders", 11, "sum(n)");
        using var connection = new DuckDB.NET.Data.DuckDBConnection($"Data Source={old};access_mode=READ_ONLY");
        connection.Open();
        using var command = new DuckDB.NET.Data.DuckDBCommand("SELECT CAST(sum(n) AS BIGINT) FROM orders", connection);
        command.ExecuteScalar().ShouldBe(3L, "the parts of replaced versions are kept a while");

        var state = _agnes.InWorkspace(".claude", "agnes-sync-state.json");
        await File.WriteAllTextAsync(state, Regex.Replace(await File.ReadAllTextAsync(state), "\"at\":\"20[0-9]{2}", "\"at\":\"2001"));
        await Pull();
        Directory.GetFiles(_agnes.InWorkspace("server", "parts")).Length.ShouldBe(4, "this version and, for a rollback, the one before");
        await ShouldRead("orders", 11, "sum(n)");
    }

    [Fact]
    public async Task Users_own_tables_and_views_survive_a_pull()
    {
        _server.Add("orders", Parquet.Number(1));
        await Pull();
        Sql("CREATE TABLE mine AS SELECT 42 AS x; CREATE VIEW doubled AS SELECT n * 2 AS m FROM orders; CREATE TABLE \"odd \"\" name\" AS SELECT 1 AS y");
        _server.Add("orders", Parquet.Number(4));
        await Pull();
        await ShouldRead("mine", 42, "x");
        await ShouldRead("doubled", 8, "m");
        await ShouldRead("\"odd \"\" name\"", 1, "y");
    }

    [Fact]
    public async Task Hostile_names_are_refused_and_the_others_come()
    {
        _server.Add("good", Parquet.Number(1));
        foreach (var name in (string[])["../evil", "a/b", "", ".hidden", "nul\0", "x\ny", new string('a', 200), "C:\\x"]) _server.Add(name, Parquet.Number(2));
        _server.Add("GOOD", Parquet.Number(3));
        var outcome = (await _agnes.RunAsync("pull", "--json")).ShouldFail(1);
        outcome.Json.GetProperty("errors").GetArrayLength().ShouldBe(9);
        outcome.Json.GetProperty("tables_updated").GetInt32().ShouldBe(1);
        Directory.GetFiles(_agnes.InWorkspace("server", "parquet")).Length.ShouldBe(1);
        File.Exists(Path.Combine(_agnes.Workspace, "server", "evil.parquet")).ShouldBeFalse();
    }

    [Fact]
    public async Task Hostile_part_lists_are_refused()
    {
        _server.Add("orders", Parquet.Number(1), Parquet.Number(2));
        var parts = _server.Tables["orders"].Parts;
        _server.Tables["orders"] = _server.Tables["orders"] with { Parts = [parts[0], parts[1] with { Name = "../../../evil.parquet" }] };
        (await _agnes.RunAsync("pull", "--json")).ShouldFail(1).Json.GetProperty("errors")[0].GetProperty("error").GetString()!.ShouldContain("name");
        Directory.GetFiles(_agnes.Workspace, "evil*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_server_replaces_what_the_first_one_brought()
    {
        await using var other = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Number(1));
        other.Add("customers", Parquet.Number(2));
        await Pull();
        _agnes.Elsewhere(other.Url);
        await Pull();
        await ShouldRead("customers", 2);
        (await _agnes.RunAsync("query", "FROM orders")).ShouldFail(1);
        File.Exists(_agnes.InWorkspace("server", "parquet", "orders.parquet")).ShouldBeFalse();
    }

    [Fact]
    public async Task Without_a_token_or_in_a_place_that_is_none_it_says_so()
    {
        File.Delete(Path.Combine(_agnes.Config, "token.json"));
        (await _agnes.RunAsync("pull")).ShouldFail(1).Error.ShouldContain("auth_failed");
        _agnes.SignIn("not.a.token");
        (await _agnes.RunAsync("pull")).ShouldFail(1).Error.ShouldContain("auth_failed");
        _agnes.SignIn();
        _agnes.Environment["AGNES_LOCAL_DIR"] = "/";
        (await _agnes.RunAsync("pull")).ShouldFail(2).Error.ShouldContain("no place for a workspace");
    }

    [Fact]
    public async Task A_damaged_state_file_is_made_anew_and_a_damaged_database_is_moved_aside()
    {
        _server.Add("orders", Parquet.Number(1));
        await Pull();
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "agnes-sync-state.json"), "{\"format\":1,\"servers\":{\"x\":{}}");
        await File.WriteAllTextAsync(_agnes.InWorkspace("user", "duckdb", "analytics.duckdb"), "this is no database");
        var report = await Pull();
        report.GetProperty("warnings").GetArrayLength().ShouldBe(2);
        _server.Downloads.Count().ShouldBe(1, "the part on disk is still good");
        await ShouldRead("orders", 1);
        Directory.GetFiles(_agnes.InWorkspace("user", "duckdb"), "*.damaged-*").Length.ShouldBe(1);
    }

    [Fact]
    public async Task Progress_is_plain_lines_few_of_them_and_never_on_stdout()
    {
        _server.Add("orders", Parquet.Number(1));
        var one = (await _agnes.RunAsync("pull")).ShouldSucceed();
        one.Error.ShouldMatch(@"\A\[1/1 files\] orders: 100% \(\d+\.\d B / \d+\.\d B\) at .*/s\n\z");
        one.Out.ShouldStartWith("1 of 1 tables updated");
        for (var index = 0; index < 60; index++) _server.Add($"t{index}", Parquet.Number(index + 10));
        var many = (await _agnes.RunAsync("pull")).ShouldSucceed();
        many.Error.Split('\n').Length.ShouldBeLessThan(20);
        many.Error.ShouldContain("[60/60 files]");
        many.Error.ShouldNotContain("\x1b");
        (await _agnes.RunAsync("pull", "--quiet")).ShouldSucceed().ShouldBe(new Outcome(0, "", ""));
    }

    private async Task<System.Text.Json.JsonElement> Pull(params string[] options) => (await _agnes.RunAsync(["pull", "--json", .. options])).ShouldSucceed().Json;

    private async Task ShouldRead(string table, long value, string expression = "n") =>
        (await _agnes.RunAsync("query", $"SELECT CAST({expression} AS BIGINT) AS v FROM {table}", "--format", "csv")).ShouldSucceed().Out.ShouldBe($"v\n{value}\n");

    private void Sql(string sql)
    {
        using var connection = new DuckDB.NET.Data.DuckDBConnection($"Data Source={_agnes.InWorkspace("user", "duckdb", "analytics.duckdb")}");
        connection.Open();
        connection.ExecuteUnprepared(sql);
    }

    private static async Task<bool> Answer(HttpContext context, string pathEnd, int status, string body)
    {
        if (!context.Request.Path.Value!.EndsWith(pathEnd, StringComparison.Ordinal)) return false;
        await FakeServer.JsonAsync(context, status, body);
        return true;
    }
}
