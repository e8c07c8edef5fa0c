using Agnes.Engine.Limits;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Limits;

public sealed class ScratchTests
{
    [Fact]
    public void A_sweep_removes_what_an_earlier_process_left_but_the_notes_about_sources()
    {
        using var folder = new TemporaryFolder();
        var scratch = new Scratch(folder["scratch"]);
        var left = scratch.NewFolder("run");
        File.WriteAllText(Path.Combine(left.Path, "x"), "x");
        File.WriteAllText(scratch.NewFile("spool", ".json"), "x");
        Directory.CreateDirectory(folder["scratch", "adopting"]);
        Directory.CreateDirectory(folder["elsewhere"]);
        File.WriteAllText(folder["elsewhere", "precious"], "x");
        Directory.CreateSymbolicLink(folder["scratch", "link"], folder["elsewhere"]);

        var living = new Scratch(folder["scratch"]) { Owner = "another-process-" };
        using var used = living.NewFolder("run");

        scratch.Sweep(name => !name.Contains("another-process-", StringComparison.Ordinal));

        Directory.EnumerateFileSystemEntries(scratch.Root).Select(Path.GetFileName).ShouldBe(["adopting", Path.GetFileName(used.Path)], ignoreOrder: true);
        File.Exists(folder["elsewhere", "precious"]).ShouldBeTrue();
    }

    [Fact]
    public void A_write_that_cannot_fit_is_refused_before_it_starts()
    {
        using var folder = new TemporaryFolder();
        var scratch = new Scratch(folder["scratch"]);
        Should.Throw<DiskSpaceException>(() => scratch.EnsureFree(long.MaxValue / 2)).Message.ShouldContain("disk space");
        scratch.EnsureFree(1);
    }
}
