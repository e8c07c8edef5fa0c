using Agnes.EndToEnd.Fixtures;

namespace Agnes.EndToEnd.Distribution;

/// <summary>What packing rests on. Packing itself takes minutes and is run by hand: <c>deploy/pack --check</c>.</summary>
public sealed class PackTests(DemoServer demo)
{
    private static readonly string[] Platforms = ["linux-x64", "linux-arm64", "osx-x64", "osx-arm64", "win-x64"];

    [Fact]
    public async Task The_script_names_what_it_can_pack_and_refuses_the_rest()
    {
        var refused = await Processes.RunAsync(["bash", Path.Combine(Root(), "deploy", "pack"), "plan9-x64"], stop: TestContext.Current.CancellationToken);
        refused.ExitCode.ShouldBe(2, refused.Errors);
        foreach (var platform in Platforms) refused.Errors.ShouldContain(platform);
    }

    [Fact]
    public async Task The_installer_that_a_server_without_archives_offers_says_so_and_changes_nothing()
    {
        using var client = await demo.ClientAsync();
        var script = await client.GetStringAsync("/cli/install.sh", TestContext.Current.CancellationToken);
        using var home = new Testing.TemporaryFolder();
        var installed = await Processes.RunAsync(["bash", "-c", script], new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = home.Path }, stop: TestContext.Current.CancellationToken);
        installed.ExitCode.ShouldBe(1);
        installed.Errors.ShouldContain("offers no agnes for");
        Directory.EnumerateFileSystemEntries(home.Path).ShouldBeEmpty();
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Agnes.slnx"))) folder = folder.Parent ?? throw new DirectoryNotFoundException("Agnes.slnx");
        return folder.FullName;
    }
}
