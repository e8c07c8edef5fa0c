namespace Agnes.Cli.Tests;

/// <summary>The shape of the program: exit codes, streams, help, and what it does when nothing answers.</summary>
public sealed class ProgramTests
{
    [Theory]
    [InlineData("--version")]
    [InlineData("-V")]
    [InlineData("--version|nonsense")]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task The_version_comes_before_anything_else(string arguments)
    {
        using var agnes = new AgnesProgram();
        await File.WriteAllTextAsync(Path.Combine(agnes.Config, "config.yaml"), "{ this is: [no yaml");
        var outcome = (await agnes.RunAsync(arguments.Split('|'))).ShouldSucceed();
        outcome.Out.ShouldMatch(@"\Aagnes \d+\.\d+\.\d+\n\z");
        outcome.Error.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("admin")]
    [InlineData("admin|group")]
    [InlineData("auth")]
    [InlineData("auth|token")]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task A_group_alone_shows_its_help_and_exits_2(string arguments)
    {
        using var agnes = new AgnesProgram();
        (await agnes.RunAsync(arguments.Split('|', StringSplitOptions.RemoveEmptyEntries))).ShouldFail(2).Out.ShouldContain("Commands:");
    }

    [Theory]
    [InlineData("nonsense", "agnes --help")]
    [InlineData("admin|nonsense", "agnes admin --help")]
    [InlineData("pull|--qiet", "--quiet")]
    [InlineData("schema|--jsn", "--json")]
    [InlineData("schema", "agnes schema --help")]
    [InlineData("describe|t|--rows|0", "between 1 and 100")]
    [InlineData("describe|t|-n|101", "between 1 and 100")]
    [InlineData("describe|t|-n|x", "agnes describe --help")]
    [InlineData("init", "--server-url")]
    [InlineData("auth|token|create", "--name")]
    [InlineData("admin|set-role|u|admin", "add-member")]
    [InlineData("admin|register-table|t|--query-mode|materialized|--source-type|bigquery", "--query")]
    [InlineData("admin|register-table|t|--query-mode|materialized", "--bucket")]
    [InlineData("admin|register-table|t|--query|@missing.sql", "missing.sql")]
    [InlineData("admin|register-table|t|--where-filters-json|{", "JSON")]
    [InlineData("admin|register-table|t|--query-mode|sideways", "sideways")]
    [InlineData("admin|update-table|t", "Nothing to change")]
    [InlineData("auth|token|create|--name|x|--ttl|5w", "90d")]
    [InlineData("auth|token|create|--name|x|--ttl|0d", "90d")]
    public async Task Usage_errors_exit_2_without_a_request(string arguments, string said)
    {
        using var agnes = new AgnesProgram("http://127.0.0.1:9");
        var outcome = (await agnes.RunAsync(arguments.Split('|'))).ShouldFail(2);
        outcome.Out.ShouldBeEmpty();
        outcome.Error.ShouldContain(said);
        outcome.Error.ShouldNotContain("cannot connect");
    }

    [Fact]
    public async Task Every_command_has_help_with_a_description()
    {
        using var agnes = new AgnesProgram();
        foreach (var command in (string[])["init", "pull", "query", "catalog", "schema", "describe", "sample", "explore", "status", "disk-info", "auth login", "auth token create", "admin register-table", "admin register-files", "admin grant create", "admin sync trigger"])
        {
            var help = (await agnes.RunAsync([.. command.Split(' '), "--help"])).ShouldSucceed().Out;
            help.ShouldContain("Usage:");
            help.ShouldContain("agnes " + command);
        }
    }

    [Theory]
    [InlineData("catalog", 1)]
    [InlineData("query|--remote|SELECT 1", 1)]
    [InlineData("pull", 1)]
    [InlineData("admin|list-users", 1)]
    public async Task A_server_that_is_not_there_is_named_with_what_to_check(string arguments, int exitCode)
    {
        using var agnes = new AgnesProgram("http://127.0.0.1:9");
        agnes.SignIn();
        var outcome = (await agnes.RunAsync(arguments.Split('|'))).ShouldFail(exitCode);
        outcome.Error.ShouldContain("cannot connect to http://127.0.0.1:9");
        outcome.Error.ShouldContain("last-error.log");
        outcome.Error.ShouldNotContain("   at ");
        File.ReadAllText(Path.Combine(agnes.Config, "last-error.log")).ShouldContain("=== 20");
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up_after_its_limit()
    {
        await using var server = await FakeServer.StartAsync();
        server.Intercept = async context =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => Task.CompletedTask, TaskScheduler.Default);
            return true;
        };
        using var agnes = new AgnesProgram(server.Url);
        agnes.Environment["AGNES_QUERY_TIMEOUT"] = "0.3";
        (await agnes.RunAsync("query", "--remote", "SELECT 1")).ShouldFail(1).Error.ShouldContain("no answer for 0.3 s");
    }

    [Fact]
    public async Task A_program_below_the_servers_minimum_stops_itself()
    {
        await using var server = await FakeServer.StartAsync();
        server.Intercept = context =>
        {
            context.Response.Headers["X-Agnes-Latest-Version"] = "999.0.0";
            context.Response.Headers["X-Agnes-Min-Version"] = "999.0.0";
            return Task.FromResult(false);
        };
        using var agnes = new AgnesProgram(server.Url);
        agnes.SignIn();
        foreach (var command in (string[])["catalog", "pull", "query --remote x"])
        {
            var outcome = (await agnes.RunAsync(command.Split(' '))).ShouldFail(2);
            outcome.Error.ShouldContain("agnes self-upgrade");
        }

        agnes.Environment["AGNES_SELF_UPGRADE_IN_PROGRESS"] = "1";
        (await agnes.RunAsync("pull")).ShouldSucceed();
    }

    [Fact]
    public async Task Requests_say_who_asks()
    {
        await using var server = await FakeServer.StartAsync();
        var headers = new List<string>();
        server.Intercept = context =>
        {
            headers.Add($"{context.Request.Headers.UserAgent} {context.Request.Headers.Authorization}");
            return Task.FromResult(false);
        };
        using var agnes = new AgnesProgram(server.Url);
        agnes.SignIn("A.B.C");
        agnes.Environment["AGNES_TOKEN"] = "other";
        await agnes.RunAsync("catalog");
        headers[^1].ShouldMatch(@"\Aagnes/\d+\.\d+\.\d+ \((linux|darwin|windows)\) Bearer A\.B\.C\z");
        File.Delete(Path.Combine(agnes.Config, "token.json"));
        await agnes.RunAsync("catalog");
        headers[^1].ShouldEndWith("Bearer other");

        agnes.Environment["AGNES_SERVER"] = server.Url + "/prefix/";
        await agnes.RunAsync("catalog");
        server.Requests.Last().ShouldBe("GET /prefix/api/v2/catalog");
    }

    [Fact]
    public async Task Status_and_disk_info_need_no_network_and_no_workspace()
    {
        using var agnes = new AgnesProgram("http://127.0.0.1:9");
        agnes.SignIn();
        var status = (await agnes.RunAsync("status", "--json")).ShouldSucceed().Json;
        status.GetProperty("initialized").GetBoolean().ShouldBeFalse();
        status.GetProperty("parquet_tables").GetInt32().ShouldBe(0);
        status.GetProperty("last_synced").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        status.GetProperty("token_expires_at").GetString().ShouldBe("2100-01-01T00:00:00Z");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path.Combine(agnes.Config, "token.json"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
            (await agnes.RunAsync("status", "--json")).ShouldSucceed().Json.GetProperty("warnings").GetArrayLength().ShouldBe(1, "the token file can be read by others");
        }

        (await agnes.RunAsync("status")).ShouldSucceed().Out.ShouldContain("agnes init");
        var disk = (await agnes.RunAsync("disk-info", "--json")).ShouldSucceed().Json;
        disk.GetProperty("snapshot_count").GetInt32().ShouldBe(0);
        disk.GetProperty("quota_gb").GetDouble().ShouldBe(10);
        disk.GetProperty("free_bytes").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_broken_configuration_is_named_and_everything_local_goes_on()
    {
        using var agnes = new AgnesProgram();
        await File.WriteAllTextAsync(Path.Combine(agnes.Config, "config.yaml"), "server: [not\n");
        await File.WriteAllTextAsync(Path.Combine(agnes.Config, "token.json"), "{broken");
        var outcome = (await agnes.RunAsync("catalog")).ShouldFail(1);
        outcome.Error.ShouldContain("config.yaml");
        outcome.Error.ShouldNotContain("   at ");
        (await agnes.RunAsync("status", "--json")).ShouldSucceed().Json.GetProperty("warnings")[0].GetString()!.ShouldContain("token.json");
        agnes.Environment["AGNES_SERVER"] = "ftp://user:hunter2@example.com";
        (await agnes.RunAsync("catalog")).ShouldFail(2).Error.ShouldNotContain("hunter2");
    }
}
