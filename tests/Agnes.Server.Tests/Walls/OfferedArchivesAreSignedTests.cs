using System.Diagnostics;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>Every archive that laptops are offered carries a signature over what it is: by its publisher, whose keys are openssl's, or by this server's own key.</summary>
public sealed class OfferedArchivesAreSignedTests(Postgres postgres)
{
    private const string Linux = "agnes-9.10.0-linux-x64.tar.gz";
    private const string Windows = "agnes-9.10.0-win-x64.zip";

    [Fact]
    public async Task A_server_signs_what_its_publisher_did_not_with_a_key_that_it_keeps()
    {
        using var folder = Dist();
        var keys = new List<string>();
        string? file = null;
        for (var start = 1; start <= 2; start++)
        {
            await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CliDistDir = folder["dist"], StateDir = folder["state"] });
            var latest = (await server.SendAsync("GET", "/cli/latest")).Json;
            var artifacts = latest["artifacts"]!.AsArray();
            artifacts.Count.ShouldBe(2);
            foreach (var artifact in artifacts) Fits(artifact!).ShouldBeTrue(artifact!.ToJsonString());
            artifacts.ShouldAllBe(artifact => (string?)artifact!["key"] == (string?)latest["signing_key"]);
            keys.Add((string)latest["signing_key"]!);
            // What is said of one does not fit the other: neither content, nor platform, nor version can be exchanged.
            foreach (var field in (string[])["sha256", "rid", "size"])
            {
                var mixed = artifacts[0]!.DeepClone();
                mixed[field] = artifacts[1]![field]!.DeepClone();
                Fits(mixed).ShouldBeFalse(field);
            }
            file = Path.Combine(folder["state"], ".release_key.pem");
            if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        keys[1].ShouldBe(keys[0], "laptops have pinned it");
        (await File.ReadAllTextAsync(file!, TestContext.Current.CancellationToken)).ShouldContain("PRIVATE KEY");
    }

    [Fact]
    public async Task A_publishers_signature_is_passed_on_and_an_archive_that_does_not_fit_its_own_is_not_offered()
    {
        using var folder = Dist();
        (await RunAsync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder["release.pem"]])).ExitCode.ShouldBe(0);
        var sign = Path.Combine(Root(), "deploy", "sign");
        var fingerprint = (await RunAsync("bash", [sign, "--fingerprint"], folder["release.pem"])).Said.Trim();
        (await RunAsync("bash", [sign, folder["dist", Linux]], folder["release.pem"])).ShouldBe((0, ""));
        await using (var server = await OfferingAsync(folder))
        {
            var artifacts = (await server.SendAsync("GET", "/cli/latest")).Json["artifacts"]!.AsArray();
            ReleaseSignature.Fingerprint((string?)artifacts[0]!["key"]).ShouldBe(fingerprint);
            Fits(artifacts[0]!).ShouldBeTrue();
            ((string?)artifacts[1]!["key"]).ShouldNotBe((string?)artifacts[0]!["key"], "the server's own");
        }

        await File.AppendAllTextAsync(folder["dist", Linux], "more", TestContext.Current.CancellationToken);
        await using (var server = await OfferingAsync(folder))
        {
            (await server.SendAsync("GET", "/cli/latest")).Json["artifacts"]!.AsArray().Select(artifact => (string)artifact!["filename"]!).ShouldBe([Windows]);
            (await server.SendAsync("GET", $"/cli/download/{Linux}")).Status.ShouldBe(404);
            (await server.SendAsync("GET", $"/cli/download/{Linux}.sig")).Status.ShouldBe(404);
        }

        // Signed anew with the same key, all of it: no key of the server's own is in play.
        (await RunAsync("bash", [sign, folder["dist", Linux], folder["dist", Windows]], folder["release.pem"])).ShouldBe((0, ""));
        await using (var server = await OfferingAsync(folder)) (await server.SendAsync("GET", "/cli/latest")).Json["signing_key"].ShouldBeNull();
    }

    [Fact]
    public async Task The_operators_own_key_is_used_where_one_is_named_and_one_that_is_none_stops_the_start()
    {
        using var folder = Dist();
        (await RunAsync("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder["own.pem"]])).ExitCode.ShouldBe(0);
        (await RunAsync("openssl", ["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", folder["other.pem"]])).ExitCode.ShouldBe(0);
        ServerOptions.From([], name => name switch { "AGNES_RELEASE_KEY_FILE" => folder["own.pem"], "DATA_DIR" => folder["data"], _ => null }).ReleaseKeyFile.ShouldBe(folder["own.pem"]);
        await using (var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CliDistDir = folder["dist"], ReleaseKeyFile = folder["own.pem"] }))
        {
            var expected = (await RunAsync("bash", [Path.Combine(Root(), "deploy", "sign"), "--fingerprint"], folder["own.pem"])).Said.Trim();
            ReleaseSignature.Fingerprint((string?)(await server.SendAsync("GET", "/cli/latest")).Json["signing_key"]).ShouldBe(expected);
        }
        File.WriteAllText(folder["no.pem"], "no key");
        foreach (var name in (string[])["other.pem", "no.pem", "absent.pem"])
        {
            var refused = await Should.ThrowAsync<OptionsException>(() => TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { ReleaseKeyFile = folder[name] }));
            refused.Message.ShouldContain(name);
        }
    }

    [Theory]
    [InlineData("http://agnes.example.com", true)]
    [InlineData("http://127.0.0.1.example.com:8000", true)]
    [InlineData("http://localhost:8000", false)]
    [InlineData("https://agnes.example.com", false)]
    public async Task The_installer_refuses_plain_http_to_another_machine_until_it_is_said(string address, bool isRefused)
    {
        using var folder = Dist();
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CliDistDir = folder["dist"], ServerUrl = address });
        var script = (await server.SendAsync("GET", "/cli/install.sh")).Body;
        // Nothing answers there; whether the script goes as far as to ask is what counts.
        script = script.Replace("--retry 3", "--max-time 1 --proxy http://127.0.0.1:9", StringComparison.Ordinal);
        (await RunAsync("bash", ["-c", script], home: folder["home"])).Said.Contains("plain http", StringComparison.Ordinal).ShouldBe(isRefused);
        Directory.Exists(folder["home", ".local"]).ShouldBe(!isRefused);
        (await RunAsync("bash", ["-c", script], home: folder["home"], allowed: true)).Said.ShouldContain("the download failed");
        (await server.SendAsync("GET", "/cli/install.ps1")).Body.ShouldContain(isRefused ? "if ('1' -and" : "if ('' -and");
    }

    private Task<TestServer> OfferingAsync(TemporaryFolder folder) => TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { CliDistDir = folder["dist"] });

    private static bool Fits(JsonNode artifact) => ReleaseSignature.Fits(
        (string?)artifact["key"], (string?)artifact["signature"], ReleaseSignature.Statement((string)artifact["version"]!, (string)artifact["rid"]!, (string)artifact["sha256"]!, (long)artifact["size"]!));

    private static TemporaryFolder Dist()
    {
        var folder = new TemporaryFolder();
        foreach (var name in (string[])["dist", "home"]) Directory.CreateDirectory(folder[name]);
        foreach (var file in (string[])[Linux, Windows]) File.WriteAllText(folder["dist", file], new string('x', file.Length));
        return folder;
    }

    private static async Task<(int ExitCode, string Said)> RunAsync(string program, string[] arguments, string? key = null, string? home = null, bool allowed = false)
    {
        var info = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        if (key is not null) info.Environment["AGNES_RELEASE_KEY_FILE"] = key;
        if (home is not null) info.Environment["HOME"] = home;
        if (allowed) info.Environment["AGNES_ALLOW_HTTP"] = "1";
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await errors);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Agnes.slnx"))) folder = folder.Parent ?? throw new DirectoryNotFoundException("Agnes.slnx");
        return folder.FullName;
    }
}
