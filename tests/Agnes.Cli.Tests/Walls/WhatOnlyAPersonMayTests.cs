namespace Agnes.Cli.Tests.Walls;

/// <summary>Other folders are opened to a query, and files written outside of the workspace, only by a person at their terminal or in a script of theirs.</summary>
public sealed class WhatOnlyAPersonMayTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    private string Elsewhere => Path.Combine(_agnes.Home, "elsewhere");

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Of("SELECT 1 AS n"));
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        Directory.CreateDirectory(Elsewhere);
        await File.WriteAllTextAsync(Path.Combine(Elsewhere, "s.csv"), "x\nsecret\n");
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("sh run.sh </dev/null")]
    [InlineData("sh run.sh </dev/ptmx")]
    [InlineData("sh run.sh </dev/zero")]
    [InlineData("setsid -w sh run.sh </dev/ptmx")]
    [InlineData("script -qec 'setsid -w sh run.sh' /dev/null")]
    [InlineData("script -qec 'CLAUDECODE=1 sh run.sh' /dev/null")]
    [InlineData("script -qec 'CLAUDE_CODE_SESSION_ID=s sh run.sh' /dev/null")]
    public async Task Something_that_is_only_like_a_terminal_is_no_person(string shell)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/ptmx and script as Linux has them");
        var outcome = await ShellAsync(shell);
        $"{outcome.Out}{outcome.Error}".ShouldContain("--allow-files is for people at a terminal");
        $"{outcome.Out}{outcome.Error}".ShouldContain("Without a terminal, results go to");
        outcome.Out.ShouldNotContain("secret");
        Directory.GetFiles(Elsewhere).Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("script -qec 'sh run.sh' /dev/null")]
    [InlineData("AGNES_ALLOW_FILES=1 sh run.sh </dev/null")]
    public async Task A_person_at_a_terminal_and_their_script_may(string shell)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script as Linux has it");
        (await ShellAsync(shell)).ShouldSucceed().Out.ShouldContain("secret");
        File.Exists(Path.Combine(Elsewhere, "x.parquet")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("user/exports")]
    [InlineData("user")]
    public async Task A_result_goes_into_the_folder_for_it_and_not_where_a_link_on_the_way_leads(string name)
    {
        var (link, outside) = (_agnes.InWorkspace(name), Path.Combine(Elsewhere, "outside"));
        if (Directory.Exists(link)) Directory.Move(link, outside);
        else Directory.CreateDirectory(outside);
        Directory.CreateSymbolicLink(link, outside);
        (await _agnes.RunAsync("query", "FROM orders", "-f", "parquet", "-o", "user/exports/x.parquet")).ShouldFail(2).Error.ShouldContain("results go to");
        Directory.GetFiles(Elsewhere, "x.parquet", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    private async Task<Outcome> ShellAsync(string shell)
    {
        await File.WriteAllTextAsync(_agnes.InWorkspace("run.sh"), $"""
            agnes query --allow-files {Elsewhere} -f csv "FROM '{Elsewhere}/s.csv'"
            agnes query "FROM orders" -f parquet -o {Elsewhere}/x.parquet
            """);
        using var process = _agnes.StartProgram("bash", ["-c", shell]);
        process.StandardInput.Close();
        return await AgnesProgram.FinishAsync(process);
    }
}
