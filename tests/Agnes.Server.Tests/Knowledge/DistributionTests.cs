using System.Diagnostics;
using System.Security.Cryptography;
using Agnes.Server.Features.Distribution.Pages;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Knowledge;

public sealed class DistributionTests(Postgres postgres)
{
    private const string Name = "agnes-9.10.0-linux-x64.tar.gz";

    [Fact]
    public async Task The_newest_archive_of_each_platform_is_offered_and_nothing_else_can_be_named()
    {
        using var dist = new TemporaryFolder();
        foreach (var file in (string[])[Name, "agnes-9.9.0-linux-x64.tar.gz", "agnes-9.9.0-win-x64.zip", "agnes-x-linux-x64.tar.gz", "agnes-1.0.0-plan9-x64.tar.gz", "secret.txt"]) File.WriteAllText(dist[file], file);
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CliDistDir = dist.Path });

        var latest = (await server.SendAsync("GET", "/cli/latest")).Json;
        latest["version"].ShouldBeNull();
        latest["wheel_filename"].ShouldBeNull();
        latest["download_url_path"].ShouldBeNull();
        latest["cli_version"]!.GetValue<string>().ShouldBe("9.10.0");
        latest["artifacts"]!.AsArray().Select(artifact => artifact!["filename"]!.GetValue<string>()).ShouldBe([Name, "agnes-9.9.0-win-x64.zip"]);
        latest["artifacts"]![0]!["sha256"]!.GetValue<string>().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(dist[Name]))));

        (await server.SendAsync("GET", $"/cli/download/{Name}")).Body.ShouldBe(Name);
        (await server.SendAsync("GET", "/cli/download?rid=win-x64")).Header("Content-Disposition")!.ShouldContain("agnes-9.9.0-win-x64.zip");
        foreach (var path in (string[])["/cli/download/agnes-9.9.0-linux-x64.tar.gz", "/cli/download/secret.txt", "/cli/download/..%2Fsecret.txt", "/cli/wheel/agnes.whl", "/cli/download?rid=../x"])
            (await server.SendAsync("GET", path)).Status.ShouldBe(404, path);
        var page = (await server.SendAsync("GET", "/setup")).Body;
        page.ShouldContain("the install command for Linux and macOS");
        page.ShouldContain("the install command for Windows");
        (await server.SendAsync("GET", "/install")).Header("Location").ShouldBe("/setup");
    }

    [Fact]
    public async Task A_page_shows_no_installer_that_has_nothing_to_install_and_a_server_from_its_source_says_how_to_pack()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var page = (await server.SendAsync("GET", "/setup")).Body;
        page.ShouldContain("AGNES_CLI_DIST_DIR");
        page.ShouldNotContain("the install command for");
        page.ShouldNotContain("deploy/pack");

        SourceTree.DistDir.ShouldNotBeNull().ShouldEndWith(Path.Combine("artifacts", "dist"));
        File.Exists(Path.Combine(SourceTree.DistDir, "..", "..", SourceTree.PackHere.Split(' ')[0])).ShouldBeTrue();
        var model = new SetupModel("http://localhost:8000", [], "") { FromSource = true };
        (model.PackCommand, model.Unix, model.Windows).ShouldBe((SourceTree.PackHere, null, null));
        (model with { Platforms = [("linux-x64", "1.0.0")] }).PackCommand.ShouldBeNull();
        (model with { Platforms = [("linux-x64", "1.0.0")] }).Windows.ShouldBeNull();
    }

    [Fact]
    public async Task An_address_that_a_shell_could_misread_is_refused()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        (await server.SendAsync("GET", "/cli/latest")).Json["artifacts"]!.AsArray().ShouldBeEmpty();
        (await server.SendAsync("GET", "/cli/download")).Status.ShouldBe(404);
        foreach (var host in (string[])["a'b", "a$(id)", "a;b", "a b"])
        {
            var answer = await server.SendAsync("GET", "/cli/install.sh", change: request => request.Headers.TryAddWithoutValidation("Host", host));
            answer.Status.ShouldBe(400, host);
            answer.Body.ShouldNotContain("#!/usr/bin/env bash");
        }
    }

    [Fact]
    public async Task The_script_installs_and_installs_again_and_refuses_a_damaged_archive()
    {
        using var dist = new TemporaryFolder();
        using var laptop = new TemporaryFolder();
        // The archive's program is a stand-in that notes what it is asked; the installer does not know the difference.
        Directory.CreateDirectory(dist["program"]);
        File.WriteAllText(dist["program", "agnes"], "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'agnes 9.10.0'; else echo \"$@\" >> \"$HOME/asked\"; fi\n");
        Directory.CreateDirectory(dist["offered"]);
        (await RunAsync("tar", ["-C", dist["program"], "-czf", dist["offered", Name], "agnes", "--mode=755"], laptop)).ExitCode.ShouldBe(0);
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CliDistDir = dist["offered"] });
        var script = (await server.SendAsync("GET", "/cli/install.sh")).Body;

        for (var time = 1; time <= 2; time++)
        {
            var installed = await RunAsync("bash", ["-c", script], laptop);
            installed.ExitCode.ShouldBe(0, installed.Said);
            installed.Said.ShouldContain("Installed agnes 9.10.0");
            installed.Said.ShouldContain($"agnes init --server-url {server.Url}");
            (await RunAsync(laptop[".local", "bin", "agnes"], ["--version"], laptop)).Said.ShouldBe("agnes 9.10.0\n");
        }
        File.ReadAllText(laptop["asked"]).ShouldBe($"setup init --server {server.Url}\nsetup init --server {server.Url}\n");
        Directory.GetDirectories(laptop[".local", "share", "agnes"], ".incoming*").ShouldBeEmpty();

        File.AppendAllText(dist["offered", Name], "x");
        var refused = await RunAsync("bash", ["-c", script], laptop);
        refused.ExitCode.ShouldBe(1);
        refused.Said.ShouldContain("not what");
        // Half a script, as from a connection that broke, does nothing.
        var half = await RunAsync("bash", ["-c", script[..(script.Length / 2)]], laptop);
        half.Said.ShouldNotContain("Downloading");
    }

    private static async Task<(int ExitCode, string Said)> RunAsync(string program, string[] arguments, TemporaryFolder home)
    {
        var info = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        info.Environment["HOME"] = home.Path;
        info.Environment["NO_PROXY"] = info.Environment["no_proxy"] = "127.0.0.1,localhost";
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await errors);
    }
}
