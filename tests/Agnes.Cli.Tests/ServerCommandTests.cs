namespace Agnes.Cli.Tests;

/// <summary><c>agnes server</c>: what docker and kamal are asked for, word by word, and that their exit codes come through.</summary>
public sealed class ServerCommandTests : IDisposable
{
    private readonly AgnesProgram _agnes = new();
    private readonly string _programs;

    public ServerCommandTests()
    {
        _programs = _agnes.InWorkspace("programs");
        Directory.CreateDirectory(_programs);
        _agnes.Environment["PATH"] = $"{_programs}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}";
    }

    public void Dispose() => _agnes.Dispose();

    [Theory]
    [InlineData("status", "docker compose ps")]
    [InlineData("logs", "docker compose logs --tail=100 app")]
    [InlineData("logs|scheduler|-f|--since|1h|-n|5", "docker compose logs --tail=5 --follow --since=1h scheduler")]
    [InlineData("logs|--since|$(touch x); y", "docker compose logs --tail=100 --since=$(touch x); y app")]
    [InlineData("restart", "docker compose restart app")]
    [InlineData("restart|caddy", "docker compose restart caddy")]
    [InlineData("deploy", "kamal deploy")]
    [InlineData("deploy|--staging", "kamal deploy --destination=staging")]
    [InlineData("rollback", "kamal rollback")]
    [InlineData("rollback|1.4.2", "kamal rollback 1.4.2")]
    public async Task Each_command_is_one_of_docker_or_kamal_and_has_its_exit_code(string arguments, string asked)
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var program in (string[])["docker", "kamal"]) Program(program, "echo here; exit 7");
        _agnes.Environment["AGNES_TOKEN"] = "a-token";
        var outcome = await _agnes.RunAsync(["server", .. arguments.Split('|')]);
        (outcome.ExitCode, outcome.Out).ShouldBe((7, "here\n"), outcome.Error);
        Asked().ShouldBe([$"{asked} (token: )"]);
    }

    [Theory]
    [InlineData("restart", "--privileged")]
    [InlineData("restart", "a b")]
    [InlineData("logs", "$(id)")]
    [InlineData("rollback", "../x")]
    public async Task What_is_no_name_is_refused_before_anything_runs(params string[] arguments)
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var program in (string[])["docker", "kamal"]) Program(program, "exit 0");
        (await _agnes.RunAsync(["server", .. arguments])).ExitCode.ShouldBe(2);
        Asked().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    public async Task A_backup_is_copied_while_the_server_stands_still_and_it_starts_again_whatever_happens(int copies, int exitCode)
    {
        if (OperatingSystem.IsWindows()) return;
        Program("docker", $"if [ \"$2\" = cp ]; then mkdir -p \"$4\"; exit {copies}; fi");
        var outcome = await _agnes.RunAsync("server", "backup", "--output", "kept");
        outcome.ExitCode.ShouldBe(exitCode, outcome.Error);
        var folder = Directory.GetDirectories(_agnes.InWorkspace("kept")).ShouldHaveSingleItem();
        Path.GetFileName(folder).ShouldMatch("^backup_[0-9]{8}_[0-9]{6}$");
        Asked().ShouldBe(["docker compose stop app (token: )", $"docker compose cp app:/data/state {folder}/state (token: )", "docker compose start app (token: )"]);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task What_is_not_installed_is_named_with_what_to_do()
    {
        _agnes.Environment["PATH"] = _programs;
        foreach (var (arguments, hint) in ((string[], string)[])[(["server", "status"], "Docker with Compose"), (["server", "deploy"], "config/deploy.yml"), (["admin", "break-glass", "grant-admin", "ana@example.com"], "agnes-server break-glass grant-admin ana@example.com")])
        {
            var outcome = await _agnes.RunAsync(arguments);
            (outcome.ExitCode, outcome.Error.Contains(hint, StringComparison.Ordinal)).ShouldBe((1, true), outcome.Error);
        }
    }

    /// <summary>Ctrl-C reaches both; a signal to us alone must not leave the other behind. (Not SIGINT: whoever started the tests may have had it ignored.)</summary>
    [Fact]
    public async Task An_interrupted_log_leaves_no_program_behind()
    {
        if (OperatingSystem.IsWindows()) return;
        Program("docker", "trap '' TERM; sleep 60 & wait");
        using var process = _agnes.Start(["server", "logs", "-f"]);
        while (!File.Exists(Path.Combine(_programs, "pid"))) await Task.Delay(20, TestContext.Current.CancellationToken);
        using var kill = System.Diagnostics.Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        (await AgnesProgram.FinishAsync(process)).ExitCode.ShouldBe(130);
        var child = (await File.ReadAllTextAsync(Path.Combine(_programs, "pid"), TestContext.Current.CancellationToken)).Trim();
        Directory.Exists($"/proc/{child}").ShouldBeFalse();
    }

    [Fact]
    public async Task A_backup_that_is_interrupted_starts_the_server_again()
    {
        if (OperatingSystem.IsWindows()) return;
        Program("docker", "if [ \"$2\" = cp ]; then sleep 60; fi");
        using var process = _agnes.Start(["server", "backup"]);
        while (!Asked().Any(line => line.Contains(" cp ", StringComparison.Ordinal))) await Task.Delay(20, TestContext.Current.CancellationToken);
        using var kill = System.Diagnostics.Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        (await AgnesProgram.FinishAsync(process)).ExitCode.ShouldNotBe(0);
        for (var attempt = 0; attempt < 250 && Asked().Length < 3; attempt++) await Task.Delay(20, TestContext.Current.CancellationToken);
        Asked()[^1].ShouldStartWith("docker compose start app");
    }

    private string[] Asked() => File.Exists(Path.Combine(_programs, "asked")) ? File.ReadAllLines(Path.Combine(_programs, "asked")) : [];

    private void Program(string name, string does)
    {
        var path = Path.Combine(_programs, name);
        File.WriteAllText(path, $"#!/bin/sh\necho \"{name} $* (token: $AGNES_TOKEN)\" >> '{_programs}/asked'\necho $$ > '{_programs}/pid'\n{does}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
