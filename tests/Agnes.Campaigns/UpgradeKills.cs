using System.Formats.Tar;
using System.IO.Compression;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// <c>agnes self-upgrade</c> is killed at random instants. Whatever the instant, the program that its user starts is one of the two versions, and works; the next upgrade is clean
/// and leaves nothing behind. The version offered is this build's, under its own number, so that what is downloaded is a real program.
/// </summary>
internal static class UpgradeKills
{
    private const int UpgradeMillisecondsMax = 1_500;

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        var version = (await Programs.RunAsync("agnes", ["--version"], [], run.Cancellation)).Output.Trim().Split(' ')[1];
        var program = Path.GetDirectoryName(ServerProcess.Program("agnes"))!;
        var dist = Directory.CreateDirectory(folder["dist"]).FullName;
        Pack(program, Path.Combine(dist, $"agnes-{version}-linux-x64.tar.gz"));
        Dictionary<string, string> environment = new(StringComparer.Ordinal) { ["AGNES_CLI_DIST_DIR"] = dist };
        using var server = await ServerProcess.StartAsync(folder["data"], environment, run.Cancellation);
        var root = folder["agnes"];
        Install(program, root, "0.0.1");
        Dictionary<string, string> laptop = new(StringComparer.Ordinal) { ["AGNES_SERVER"] = server.Url, ["AGNES_CONFIG_DIR"] = folder["config"], ["AGNES_NO_UPDATE_CHECK"] = "1" };
        var agnes = Path.Combine(root, "current", "agnes");
        // As the installer does: the server's key is pinned when it is first met.
        if ((await Programs.RunAtAsync(agnes, ["setup", "init", "--server", server.Url], laptop, run.Cancellation)).ExitCode != 0) run.Fail("the server's address could not be stored");
        for (var round = 1; round <= run.Count; round++)
        {
            run.Progress(round);
            var before = Target(root);
            var killed = await Programs.RunAtAsync(agnes, ["self-upgrade", "--force"], laptop, run.Cancellation, run.Random.Next(UpgradeMillisecondsMax));
            run.Add(killed.ExitCode == 0 ? "upgrades that ended before the kill" : "upgrades killed");
            if (Target(root) != before) run.Add("of them after the change");
            var said = await Programs.RunAtAsync(agnes, ["--version"], laptop, run.Cancellation);
            if (said.Output != $"agnes {version}\n") run.Fail($"round {round}: after the kill the program says '{said.Output}' and exits {said.ExitCode}");
            var next = await Programs.RunAtAsync(agnes, ["self-upgrade", "--force"], laptop, run.Cancellation);
            if (next.ExitCode != 0) run.Fail($"round {round}: the upgrade after the kill exited {next.ExitCode}: {next.Output}");
            if (Directory.GetDirectories(root, ".incoming-*") is { Length: > 0 } left) run.Fail($"round {round}: {left.Length} folders were left behind");
            if (Directory.GetDirectories(Path.Combine(root, "versions")).Length > 2) run.Fail($"round {round}: old versions pile up");
            else run.Add("clean upgrades after");
        }
    }

    private static string? Target(string root) => new DirectoryInfo(Path.Combine(root, "current")).LinkTarget;

    private static void Install(string program, string root, string version)
    {
        var home = Directory.CreateDirectory(Path.Combine(root, "versions", version)).FullName;
        foreach (var file in Files(program)) File.Copy(file, Path.Combine(home, Path.GetFileName(file)));
        Directory.CreateSymbolicLink(Path.Combine(root, "current"), Path.Combine("versions", version));
    }

    private static void Pack(string program, string archive)
    {
        using var file = File.Create(archive);
        using var zip = new GZipStream(file, CompressionLevel.Fastest);
        using var tar = new TarWriter(zip);
        foreach (var path in Files(program)) tar.WriteEntry(path, Path.GetFileName(path));
    }

    /// <summary>Without the engine's library: 70 MB that an upgrade only copies.</summary>
    private static IEnumerable<string> Files(string program) => Directory.EnumerateFiles(program).Where(file => !Path.GetFileName(file).StartsWith("libduckdb", StringComparison.Ordinal) && !file.EndsWith(".pdb", StringComparison.Ordinal));
}
