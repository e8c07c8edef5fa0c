using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>Snapshots of pulled tables and of remote ones: they stay through every pull, until the table is taken away.</summary>
public sealed class SnapshotTests : IAsyncLifetime
{
    private static readonly string[] Keys =
    [
        "name", "table_id", "select", "where", "limit", "order_by", "fetched_at", "effective_as_of", "rows", "bytes_local", "estimated_scan_bytes_at_fetch", "result_hash_md5",
    ];

    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private string? _scanned;
    private int _scanStatus = 200;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Of("SELECT i AS n, i % 2 = 0 AS even, 'x' || i AS text FROM range(10) t(i)"));
        _server.Add("web_events", "remote");
        _server.Intercept = ScanAsync;
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_pulled_table_is_frozen_without_the_server_and_survives_pulls()
    {
        await PullAsync();
        (await _agnes.RunAsync("snapshot", "create", "orders", "--select", "n, text", "--where", "n > 6 -- seven", "--order-by", "n DESC", "--as", "s")).ShouldSucceed().Out.ShouldContain("3 rows in s");
        _scanned.ShouldBeNull();
        var record = JsonDocument.Parse(await File.ReadAllTextAsync(_agnes.InWorkspace("user", "snapshots", "s.meta.json"))).RootElement;
        record.EnumerateObject().Select(member => member.Name).Take(Keys.Length).ShouldBe(Keys);
        record.GetProperty("limit").ValueKind.ShouldBe(JsonValueKind.Null);
        _server.Add("orders", Parquet.Of("SELECT 100 AS n, true AS even, 'new' AS text"));
        await PullAsync();
        (await Csv("FROM s")).ShouldBe("n,text\n9,x9\n8,x8\n7,x7\n");
        (await Csv("SELECT n FROM orders")).ShouldBe("n\n100\n");
        var refreshed = (await _agnes.RunAsync("snapshot", "refresh", "s", "--where", "n > 99")).ShouldSucceed().Out;
        refreshed.ShouldContain("rows: 3 -> 1 (-2)");
        refreshed.ShouldContain("identical: no");
        (await _agnes.RunAsync("snapshot", "refresh", "s")).ShouldSucceed().Out.ShouldContain("identical: yes");
        (await Csv("FROM s")).ShouldBe("n,text\n100,new\n");
        var list = (await _agnes.RunAsync("snapshot", "list", "--json")).ShouldSucceed().Json;
        list[0].GetProperty("where").GetString().ShouldBe("n > 99");
        (await _agnes.RunAsync("snapshot", "list")).ShouldSucceed().Out.ShouldContain("orders");
        (await _agnes.RunAsync("snapshot", "drop", "s")).ShouldSucceed();
        (await _agnes.RunAsync("query", "FROM s")).ShouldFail(1);
        (await _agnes.RunAsync("snapshot", "list")).ShouldSucceed().Out.ShouldBe("(no snapshots)\n");
        (await _agnes.RunAsync("snapshot", "drop", "s")).ShouldFail(2);
        Directory.EnumerateFiles(_agnes.InWorkspace("user", "snapshots")).Select(Path.GetFileName).ShouldBe([".lock"]);
    }

    [Fact]
    public async Task A_remote_table_is_scanned_by_the_server_and_its_snapshot_goes_with_its_grant()
    {
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--as", "s")).ShouldFail(1).Error.ShouldContain("agnes pull");
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--estimate")).ShouldSucceed().Out.ShouldContain("scan 1.0 KB, result 4 rows, 900.0 B, cost unknown");
        await PullAsync();
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--select", "d,c", "--where", "d >= DATE '2026-01-01'", "--limit", "5", "--as", "recent")).ShouldSucceed();
        JsonNode.Parse(_scanned!)!.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).ShouldBe("""{"table_id":"web_events","select":["d","c"],"where":"d >= DATE '2026-01-01'","limit":5}""");
        (await Csv("SELECT count(*) AS c FROM recent")).ShouldBe("c\n4\n");
        await PullAsync();
        (await Csv("SELECT count(*) AS c FROM recent")).ShouldBe("c\n4\n");
        _server.Tables.TryRemove("web_events", out _);
        (await _agnes.RunAsync("pull")).ShouldSucceed().Error.ShouldContain("no longer among yours");
        (await _agnes.RunAsync("query", "FROM recent")).ShouldFail(1).Error.ShouldContain("no such table among yours");
    }

    [Fact]
    public async Task Refusals_come_before_any_scan_and_by_their_own_codes()
    {
        await PullAsync();
        foreach (var name in (string[])["bad\"name", "1st", "with space", "../x", ""]) (await _agnes.RunAsync("snapshot", "create", "web_events", "--as", name)).ShouldFail(2);
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--as", "Orders")).ShouldFail(2).Error.ShouldContain("--as");
        (await _agnes.RunAsync("snapshot", "create", "orders")).ShouldFail(2);
        (await _agnes.RunAsync("snapshot", "create", "orders", "--where", "1=1) TO 'x' (", "--as", "x")).ShouldFail(1);
        (await _agnes.RunAsync("snapshot", "create", "orders", "--where", "n = (SELECT max(n) FROM read_csv('/etc/passwd'))", "--as", "x")).ShouldFail(1);
        (await _agnes.RunAsync("snapshot", "create", "orders", "--order-by", "n; DROP", "--as", "x")).ShouldFail(2);
        _scanned.ShouldBeNull();
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--no-estimate", "--as", "s")).ShouldSucceed();
        _scanned = null;
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--as", "s")).ShouldFail(6);
        _scanned.ShouldBeNull();
        foreach (var (status, code) in ((int, int)[])[(429, 3), (401, 7), (403, 8), (404, 8), (400, 2), (502, 5), (418, 9)])
        {
            _scanStatus = status;
            (await _agnes.RunAsync("snapshot", "create", "web_events", "--no-estimate", "--as", $"f{status}")).ShouldFail(code);
        }

        _scanStatus = 200;
        _agnes.Environment["AGNES_SNAPSHOT_QUOTA_GB"] = "0.0000001";
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--as", "quota")).ShouldFail(1).Error.ShouldContain("AGNES_SNAPSHOT_QUOTA_GB");
        _agnes.Environment.Remove("AGNES_SNAPSHOT_QUOTA_GB");
        _agnes.Elsewhere("http://127.0.0.1:9");
        (await _agnes.RunAsync("snapshot", "create", "web_events", "--as", "far")).ShouldFail(7).Error.ShouldContain("agnes init");
        (await _agnes.RunAsync("snapshot", "list", "--json")).ShouldSucceed().Json.GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Old_and_large_ones_are_pruned_and_only_when_that_was_said()
    {
        await PullAsync();
        foreach (var name in (string[])["a", "b"]) (await _agnes.RunAsync("snapshot", "create", "orders", "--as", name)).ShouldSucceed();
        var record = _agnes.InWorkspace("user", "snapshots", "a.meta.json");
        await File.WriteAllTextAsync(record, (await File.ReadAllTextAsync(record)).Replace("\"fetched_at\": \"20", "\"fetched_at\": \"19"));
        (await _agnes.RunAsync("snapshot", "prune")).ShouldFail(2).Error.ShouldContain("--all");
        (await _agnes.RunAsync("snapshot", "prune", "--older-than", "soon")).ShouldFail(2);
        (await _agnes.RunAsync("snapshot", "prune", "--older-than", "7d", "--larger-than", "1g")).ShouldSucceed().Out.ShouldBe("(no matches)\n");
        (await _agnes.RunAsync("snapshot", "prune", "--older-than", "7d", "--dry-run")).ShouldSucceed().Out.ShouldContain("would drop a");
        (await _agnes.RunAsync("snapshot", "prune", "--older-than", "7d")).ShouldSucceed();
        (await _agnes.RunAsync("query", "FROM a")).ShouldFail(1);
        (await Csv("SELECT count(*) AS c FROM b")).ShouldBe("c\n10\n");
        (await _agnes.RunAsync("snapshot", "prune", "--all")).ShouldSucceed();
        (await _agnes.RunAsync("query", "FROM b")).ShouldFail(1);
    }

    private async Task PullAsync() => (await _agnes.RunAsync("pull")).ShouldSucceed();

    private async Task<string> Csv(string sql) => (await _agnes.RunAsync("query", sql, "-f", "csv")).ShouldSucceed().Out;

    private async Task<bool> ScanAsync(HttpContext context)
    {
        if (context.Request.Path == "/api/v2/scan/estimate")
        {
            await FakeServer.JsonAsync(context, 200, """{"table_id":"web_events","estimated_scan_bytes":1024,"estimated_result_rows":4,"estimated_result_bytes":900,"bq_cost_estimate_usd":null}""");
            return true;
        }

        if (context.Request.Path != "/api/v2/scan") return false;
        using var reader = new StreamReader(context.Request.Body);
        _scanned = await reader.ReadToEndAsync();
        if (_scanStatus != 200)
        {
            await FakeServer.JsonAsync(context, _scanStatus, """{"detail":{"error":"quota_exceeded","kind":"daily_bytes","current":1,"limit":1}}""");
            return true;
        }

        context.Response.ContentType = "application/vnd.apache.parquet";
        await context.Response.Body.WriteAsync(Parquet.Of("SELECT DATE '2026-01-01' AS d, i AS c FROM range(4) t(i)"));
        return true;
    }
}
