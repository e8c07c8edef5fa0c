using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Commands;

namespace Agnes.Cli.Tests;

/// <summary>What helps: diagnosis with remedies, guides that name only what exists, help, completion.</summary>
public sealed class DoctorTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Number(1));
        _server.Intercept = async context =>
        {
            var answer = context.Request.Path.Value switch
            {
                "/api/health" => """{"status":"ok"}""",
                "/api/health/detailed" => """{"status":"degraded","services":{"disk":{"status":"warning"},"data":{"status":"ok"}}}""",
                "/api/catalog/tables" => """{"tables":[{"id":"orders"}],"count":1}""",
                _ => null,
            };
            if (answer is null || context.Request.Headers.Authorization != $"Bearer {FakeServer.Token}" && context.Request.Path != "/api/health") return false;
            await FakeServer.JsonAsync(context, 200, answer);
            return true;
        };
        _agnes = new AgnesProgram();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_sound_workspace_is_said_to_be_sound_and_the_servers_troubles_are_told()
    {
        await InitAsync();
        var report = (await _agnes.RunAsync("diagnose", "--json", "--symptom", "slow")).ShouldSucceed().Json;
        report.GetProperty("overall").GetString().ShouldBe("degraded");
        var checks = report.GetProperty("checks").EnumerateArray().ToDictionary(check => check.GetProperty("name").GetString()!, check => check.GetProperty("status").GetString());
        foreach (var name in (string[])["server", "token", "access", "workspace", "freshness", "files", "data", "hooks"]) checks[name].ShouldBe("ok", name);
        checks["server.disk"].ShouldBe("warning");
        report.GetProperty("suggested_actions")[0].GetString()!.ShouldContain("operator");
        report.GetProperty("checks")[0].GetProperty("latency_ms").GetDouble().ShouldBeGreaterThan(0);
        (await _agnes.RunAsync("diagnose", "system", "--local", "--json")).ShouldSucceed().Json.GetProperty("tables")[0].GetString().ShouldBe("orders");
    }

    [Fact]
    public async Task Each_trouble_names_its_remedy()
    {
        (await _agnes.RunAsync("diagnose", "--component", "workspace")).ShouldSucceed().Out.ShouldContain("agnes init");
        await InitAsync();
        File.Delete(Directory.EnumerateFiles(_agnes.InWorkspace("server", "parts")).Single());
        await File.WriteAllTextAsync(_agnes.InWorkspace(".claude", "settings.json"), "{}");
        File.SetLastWriteTimeUtc(_agnes.InWorkspace(".claude", "agnes-sync-state.json"), DateTime.UtcNow.AddDays(-2));
        await File.WriteAllTextAsync(Path.Combine(_agnes.Config, "token.json"), """{"access_token":"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2ln"}""");
        var text = (await _agnes.RunAsync("diagnose")).ShouldFail(1).Out;
        foreach (var part in (string[])["[FAIL] files: files are missing or of another size: orders\n       -> agnes pull", "[FAIL] data:", "[warn] hooks:", "[warn] freshness: pulled 2 days ago\n       -> agnes pull", "[FAIL] token: expired 1970-01-01", "import-token", "Overall: unhealthy"]) text.ShouldContain(part);
        (await _agnes.RunAsync("diagnose", "--exit-zero")).ShouldSucceed();
        _agnes.Elsewhere("https://127.0.0.1:9");
        var checks = (await _agnes.RunAsync("doctor", "--json", "--component", "server")).ShouldFail(1).Json.GetProperty("checks");
        checks[0].GetProperty("remedy").GetString()!.ShouldContain("VPN");
    }

    [Fact]
    public async Task Guides_are_listed_and_shown()
    {
        var list = (await _agnes.RunAsync("skills", "list")).ShouldSucceed().Out;
        foreach (var name in (string[])["agnes-data-querying", "agnes-table-registration", "connectors", "setup", "deploy", "troubleshoot", "security"]) list.ShouldContain(name);
        (await _agnes.RunAsync("skills", "show", "agnes-data-querying")).ShouldSucceed().Out.ShouldStartWith("# ");
        (await _agnes.RunAsync("skills", "show", "nonsense")).ShouldFail(1).Error.ShouldContain("troubleshoot");
    }

    /// <summary>Every command in backticks of every guide is one that the program takes.</summary>
    [Fact]
    public void Guides_name_only_commands_that_exist()
    {
        using var host = new Host(TimeProvider.System, Stream.Null);
        var wrong = new List<string>();
        var seen = 0;
        foreach (var name in SkillsCommand.Names())
        {
            foreach (var line in SkillsCommand.Read(name)!.Split('`').Where((_, index) => index % 2 == 1).Where(code => code.StartsWith("agnes ", StringComparison.Ordinal) && !code.Contains('…')))
            {
                seen++;
                var words = System.CommandLine.Parsing.CommandLineParser.SplitCommandLine(line["agnes ".Length..]).ToArray();
                if (words is ["--version"]) continue;
                var parsed = CommandTree.Parse(host, words);
                if (parsed.Errors.Count > 0 && parsed.CommandResult.Command.Subcommands.Count == 0) wrong.Add($"{name}: {line}: {parsed.Errors[0].Message}");
                if (parsed.UnmatchedTokens.Count > 0) wrong.Add($"{name}: {line}: {parsed.UnmatchedTokens[0]}");
            }
        }

        wrong.ShouldBeEmpty();
        seen.ShouldBeGreaterThan(40);
    }

    [Fact]
    public async Task Every_command_has_help_and_an_example()
    {
        using var host = new Host(TimeProvider.System, Stream.Null);
        var without = new List<string>();
        Visit(CommandTree.Root(host, []), "agnes");
        without.ShouldBeEmpty();
        foreach (var name in (string[])["snapshot", "diagnose", "push", "pull"]) (await _agnes.RunAsync(name, "--help")).ShouldSucceed().Out.ShouldContain("Examples:");

        void Visit(Command command, string path)
        {
            if (string.IsNullOrWhiteSpace(command.Description)) without.Add($"{path}: no description");
            without.AddRange(command.Options.Where(option => option is not System.CommandLine.Help.HelpOption && string.IsNullOrWhiteSpace(option.Description)).Select(option => $"{path} {option.Name}: no description"));
            foreach (var sub in command.Subcommands) Visit(sub, $"{path} {sub.Name}");
        }
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _agnes_complete agnes")]
    [InlineData("zsh", "#compdef agnes")]
    [InlineData("fish", "complete -c agnes")]
    [InlineData("powershell", "Register-ArgumentCompleter")]
    public async Task Each_shell_gets_its_completion(string shell, string contained)
    {
        (await _agnes.RunAsync("--show-completion", shell)).ShouldSucceed().Out.ShouldContain(contained);
        var installed = (await _agnes.RunAsync("--install-completion", shell)).ShouldSucceed().Out;
        (await File.ReadAllTextAsync(installed.Split('\n')[0]["Written: ".Length..])).ShouldContain(contained);
    }

    [Fact]
    public async Task Completion_knows_commands_options_and_guides()
    {
        (await Complete("agnes sna")).ShouldBe(["snapshot"]);
        (await Complete("agnes snapshot ")).ShouldContain("create");
        (await _agnes.RunAsync("__complete", "15", "agnes snapshot")).ShouldSucceed().Out.ShouldContain("create"); // as PowerShell asks after a space
        (await Complete("agnes query --for")).ShouldBe(["--format"]);
        (await Complete("agnes query --format ")).ShouldContain("ndjson");
        (await Complete("agnes skills show dep")).ShouldBe(["deploy"]);
        (await _agnes.RunAsync("--show-completion", "tcsh")).ShouldFail(2).Error.ShouldContain("fish");
        using var bash = _agnes.StartProgram("bash", ["-c", "source <(agnes --show-completion bash); COMP_LINE='agnes sta'; COMP_POINT=9; COMP_WORDS=(agnes sta); COMP_CWORD=1; _agnes_complete; echo \"${COMPREPLY[@]}\""]);
        bash.StandardInput.Close();
        (await AgnesProgram.FinishAsync(bash)).ShouldSucceed().Out.ShouldContain("status");
    }

    private async Task<string[]> Complete(string line) => (await _agnes.RunAsync("__complete", $"{line.Length}", line)).ShouldSucceed().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task InitAsync() => (await _agnes.RunAsync("init", "--server-url", _server.Url, "--token", FakeServer.Token)).ShouldSucceed();
}
