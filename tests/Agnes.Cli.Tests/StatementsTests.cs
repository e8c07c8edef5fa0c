namespace Agnes.Cli.Tests;

/// <summary>What runs on the server, and what would.</summary>
public sealed class StatementsTests : IAsyncLifetime
{
    private const string Running = """
        {"statements":[{"id":"4f1c0a9be2d7","started_at":"2026-01-02 03:04:05","running_ms":61500,"tables":["web_events"],"system":"warehouse",
        "sql_sha256":"ab","sql":"SELECT country\nFROM web_events","user":"ana@example.com"}]}
        """;

    private const string PushedDown = """
        {"path":"push_down","steps":[{"runs_at":"warehouse","tables":["web_events"],"bytes":7516192768,"rows":12,"bytes_max":5368709120,
        "fits":false,"problem":"'warehouse' would have to read 7168 MiB for this; 5120 MiB are allowed."}],
        "limits":{"seconds":120,"result_bytes":268435456,"rows":1000000}}
        """;

    private const string Here = """
        {"path":"local","steps":[{"runs_at":"server","tables":["orders","customers"],"bytes":1048576,"rows":30,"bytes_max":null,"fits":true,
        "problem":null}],"limits":{"seconds":120,"result_bytes":268435456,"rows":1000000},
        "left_today":{"bytes":1073741824,"statements":12,"cost_usd":null}}
        """;

    private readonly List<string> _asked = [];
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        _server.Intercept = async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            _asked.Add($"{context.Request.Method} {context.Request.Path} {body}".TrimEnd());
            var (status, answer) = context.Request.Path.Value switch
            {
                "/api/statements" or "/api/admin/statements" => (200, Running),
                "/api/statements/4f1c0a9be2d7" or "/api/admin/statements/4f1c0a9be2d7" => (204, ""),
                "/api/query/explain" => (200, body.Contains("web_events", StringComparison.Ordinal) ? PushedDown : Here),
                _ => (404, """{"detail":"There is no such statement, or it has ended."}"""),
            };
            if (answer.Length == 0) context.Response.StatusCode = status;
            else await FakeServer.JsonAsync(context, status, answer);
            return true;
        };
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_runs_is_listed_with_where_and_for_how_long()
    {
        var listed = (await _agnes.RunAsync("statements", "list")).ShouldSucceed().Out;
        foreach (var part in (string[])["4f1c0a9be2d7", "61.5", "warehouse", "web_events", "SELECT country FROM web_events"]) listed.ShouldContain(part);
        (await _agnes.RunAsync("statements", "list", "--all", "--json")).ShouldSucceed().Json[0].GetProperty("user").GetString().ShouldBe("ana@example.com");
        _asked.ShouldBe(["GET /api/statements", "GET /api/admin/statements"]);
    }

    [Fact]
    public async Task One_is_ended_and_one_that_has_ended_is_said_to_have()
    {
        (await _agnes.RunAsync("statements", "kill", "4f1c0a9be2d7")).ShouldSucceed().Out.ShouldContain("Ended 4f1c0a9be2d7");
        (await _agnes.RunAsync("statements", "kill", "4f1c0a9be2d7", "--all")).ShouldSucceed();
        (await _agnes.RunAsync("statements", "kill", "gone")).ShouldFail(1).Error.ShouldContain("Nothing with the id 'gone' runs now");
        _asked[..2].ShouldBe(["DELETE /api/statements/4f1c0a9be2d7", "DELETE /api/admin/statements/4f1c0a9be2d7"]);
    }

    [Fact]
    public async Task What_would_be_refused_exits_1_and_says_why()
    {
        var refused = (await _agnes.RunAsync("explain", "SELECT * FROM web_events")).ShouldFail(1);
        foreach (var part in (string[])["warehouse", "7.0 GB", "5.0 GB"]) refused.Out.ShouldContain(part);
        refused.Out.ShouldNotContain("agnes query --remote", customMessage: "what would be refused is not advised");
        refused.Error.ShouldContain("would have to read 7168 MiB");
    }

    [Fact]
    public async Task What_runs_on_the_server_names_the_tables_that_are_not_on_this_machine()
    {
        var said = (await _agnes.RunAsync("explain", "SELECT * FROM orders")).ShouldSucceed().Out;
        said.ShouldContain("Not on this machine: orders, customers (agnes pull)");
        said.ShouldContain("Left for you at sources today (UTC): 1.0 GB, 12 statements.");
        (await _agnes.RunAsync("explain", "SELECT * FROM orders", "--json")).ShouldSucceed().Json.GetProperty("path").GetString().ShouldBe("local");
        _asked[^1].ShouldBe("""POST /api/query/explain {"sql":"SELECT * FROM orders"}""");
    }
}
