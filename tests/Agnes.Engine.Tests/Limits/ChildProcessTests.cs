using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Limits;

public sealed class ChildProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_child_gets_only_the_environment_that_is_allowed()
    {
        Environment.SetEnvironmentVariable("AGNES_TEST_SECRET", "hunter2");
        await using var child = ChildProcess.Start(new WorkerProgram("/usr/bin/env", ["-u", "none"]), "env", _folder.Path, Reach.Nothing, new Dictionary<string, string> { ["GIVEN"] = "yes" });
        var output = await new StreamReader(child.Output).ReadToEndAsync(TestContext.Current.CancellationToken);
        output.ShouldNotContain("hunter2");
        output.ShouldContain("GIVEN=yes");
        output.ShouldContain($"HOME={_folder.Path}");
    }

    [Fact]
    public async Task A_disposed_child_is_dead()
    {
        int id;
        await using (var child = ChildProcess.Start(new WorkerProgram("/bin/sleep", []), "600", _folder.Path, Reach.Nothing))
        {
            id = child.Id;
            Directory.Exists($"/proc/{id}").ShouldBeTrue();
            File.ReadAllText($"/proc/{id}/oom_score_adj").Trim().ShouldBe("1000");
            child.ResidentBytes().ShouldBeGreaterThan(0);
        }
        Directory.Exists($"/proc/{id}").ShouldBeFalse();
    }

    [Fact]
    public async Task The_end_of_a_child_and_what_it_said_are_known()
    {
        await using var child = ChildProcess.Start(new WorkerProgram("/bin/sh", ["-c"]), "echo broken >&2; exit 3", _folder.Path, Reach.Nothing);
        (await child.Exited).ShouldBe(3);
        child.ResidentBytes().ShouldBe(0);
        for (var i = 0; i < 100 && child.ErrorTail.Length == 0; i++) await Task.Delay(10, TestContext.Current.CancellationToken);
        child.ErrorTail.ShouldBe("broken\n");
    }
}
