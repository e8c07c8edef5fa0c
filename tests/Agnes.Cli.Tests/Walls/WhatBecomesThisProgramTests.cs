using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Agnes.Cli.SelfUpgrade;
using Agnes.Protocol;
using static Agnes.Cli.Tests.OfferedUpgrade;

namespace Agnes.Cli.Tests.Walls;

/// <summary>A server gives archives and their hashes, and whoever holds it, or its address, both: this program is replaced only by what a trusted key signed.</summary>
public sealed class WhatBecomesThisProgramTests : IAsyncLifetime
{
    private OfferedUpgrade _offered = null!;

    public async ValueTask InitializeAsync()
    {
        _offered = await StartAsync();
        _offered.Archive = Tar(("agnes", Script($"touch \"$AGNES_CONFIG_DIR/ran\"; echo 'agnes {Newer}'")));
    }

    public ValueTask DisposeAsync() => _offered.DisposeAsync();

    [Fact]
    public async Task An_archive_that_no_trusted_key_signed_is_neither_downloaded_nor_run()
    {
        using var another = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var evil = ReleaseSignature.PublicKey(another);
        byte[] StatementOf(JsonObject of) => ReleaseSignature.Statement((string)of["version"]!, (string)of["rid"]!, (string)of["sha256"]!, (int)of["size"]!);
        foreach (var (change, said) in ((Action<JsonObject>, string)[])[
            (artifact => artifact.Remove("signature"), "without a signature"),
            (artifact => artifact.Remove("key"), "without a signature"),
            (artifact => (artifact["key"], artifact["signature"]) = (evil, ReleaseSignature.Sign(another, StatementOf(artifact))), ReleaseSignature.Fingerprint(evil)!),
            (artifact => artifact["signature"] = ReleaseSignature.Sign(another, StatementOf(artifact)), "made for something else"),
            (artifact => artifact["key"] = evil, "made for something else"),
            (artifact => artifact["sha256"] = new string('a', 64), "made for something else"),
            (artifact => artifact["size"] = 7, "made for something else"),
            (artifact => artifact["version"] = "99.2.0", "made for something else"),
            (artifact => artifact["signature"] = "not base64", "made for something else"),
            (artifact => artifact["key"] = new string('A', 5000), "without a signature"),
            (artifact => artifact["signature"] = ReleaseSignature.Sign(_offered.Key, ReleaseSignature.Statement(Newer, "win-arm64", (string)artifact["sha256"]!, (int)artifact["size"]!)), "made for something else")])
        {
            _offered.Change = change;
            (await _offered.UpgradeAsync("--quiet", "--force")).ShouldFail(1).Error.ShouldContain(said);
            _offered.Current.ShouldBe(Path.Combine("versions", Own));
        }
        _offered.Downloads.ShouldBe(0);
        // The bytes are another's, and what is said of them is signed: they are not unpacked.
        _offered.Change = null;
        _offered.Hash = FakeServer.Hash(_offered.Archive);
        _offered.Archive = [.. _offered.Archive.Reverse()];
        (await _offered.UpgradeAsync()).ShouldFail(1).Error.ShouldContain("is damaged");
        File.Exists(Path.Combine(_offered.Agnes.Config, "ran")).ShouldBeFalse();
        Directory.GetDirectories(_offered.Root, ".incoming-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task An_older_version_that_was_signed_once_is_no_upgrade()
    {
        _offered.Offered = "0.0.1";
        _offered.Archive = Tar(("agnes", Script("echo 'agnes 0.0.1'")));
        (await _offered.UpgradeAsync()).ShouldSucceed().Out.ShouldContain("up to date");
        _offered.Change = artifact => artifact["version"] = Newer;
        (await _offered.UpgradeAsync("--force")).ShouldFail(1).Error.ShouldContain("made for something else");
        _offered.Current.ShouldBe(Path.Combine("versions", Own));
    }

    [Fact]
    public async Task A_key_is_pinned_when_its_server_is_first_met_and_changes_only_by_its_users_word()
    {
        File.Delete(Path.Combine(_offered.Agnes.Config, "servers.json"));
        (await _offered.UpgradeAsync()).ShouldFail(1).Error.ShouldContain("you trust none yet");
        _offered.Pinned.ShouldBeNull("the answer that brings the archive pins nothing");
        var first = _offered.Fingerprint;
        (await _offered.RunAsync(Path.Combine(_offered.Root, "current", "agnes"), "setup", "init", "--server", _offered.Server.Url)).ShouldSucceed().Out.ShouldContain(first);
        _offered.Pinned.ShouldBe(first);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Path.Combine(_offered.Agnes.Config, "servers.json")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        _offered.Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        (await _offered.RunAsync(Path.Combine(_offered.Root, "current", "agnes"), "setup", "init", "--server", _offered.Server.Url)).ShouldSucceed().Error.ShouldContain(_offered.Fingerprint);
        _offered.Pinned.ShouldBe(first);
        var refused = (await _offered.UpgradeAsync()).ShouldFail(1).Error;
        foreach (var text in (string[])[first, _offered.Fingerprint, "--trust-key"]) refused.ShouldContain(text);
        (await _offered.UpgradeAsync("--trust-key", "sha256:abc")).ShouldFail(2).Error.ShouldContain("fingerprint");
        (await _offered.UpgradeAsync("--trust-key", _offered.Fingerprint)).ShouldSucceed();
        _offered.Pinned.ShouldBe(_offered.Fingerprint);
        _offered.Current.ShouldBe(Path.Combine("versions", Newer));
    }

    /// <summary>As the session's hook does it, in a folder whose environment names the server.</summary>
    [Fact]
    public async Task A_server_that_only_the_environment_names_gains_no_trust_by_any_number_of_answers()
    {
        File.Delete(Path.Combine(_offered.Agnes.Config, "servers.json"));
        var stored = Path.Combine(_offered.Agnes.Config, "config.yaml");
        foreach (var config in (string?[])[null, "server: https://agnes.example.com\n"])
        {
            if (config is null) File.Delete(stored);
            else await File.WriteAllTextAsync(stored, config);
            _offered.Agnes.Environment["AGNES_SERVER"] = _offered.Server.Url;
            _offered.Offered = "0.0.1";
            (await _offered.UpgradeAsync("--quiet")).ShouldSucceed();
            _offered.Pinned.ShouldBeNull();
            _offered.Offered = Newer;
            (await _offered.UpgradeAsync("--quiet")).ShouldFail(1).Error.ShouldContain("you trust none yet");
        }
        (_offered.Downloads, _offered.Current).ShouldBe((0, Path.Combine("versions", Own)));

        // One that the user stored before there were keys gets its own pinned; by an answer that brings nothing.
        _offered.Agnes.Environment.Remove("AGNES_SERVER");
        await File.WriteAllTextAsync(stored, $"server: {_offered.Server.Url}\n");
        _offered.Offered = "0.0.1";
        (await _offered.UpgradeAsync("--quiet")).ShouldSucceed();
        _offered.Pinned.ShouldBe(_offered.Fingerprint);
    }

    [Theory]
    [InlineData("init", "--token", FakeServer.Token, "--server-url", "http://agnes.example.com")]
    [InlineData("setup", "init", "--server", "http://127.0.0.1.example.com")]
    [InlineData("auth", "login", "--email", "ana@example.com", "--password", "x", "--server", "http://10.0.0.7:8000")]
    [InlineData("auth", "import-token", "--token", FakeServer.Token, "--skip-verify", "--server", "http://localhost.example.com")]
    [InlineData("setup", "bootstrap", "ana@example.com", "--password", "x", "--server", "http://[2001:db8::1]/x")]
    public async Task Plain_http_to_another_machine_is_refused_before_anything_is_sent_or_stored(params string[] command)
    {
        using var agnes = new AgnesProgram();
        var refused = (await agnes.RunAsync(command)).ShouldFail(2).Error;
        refused.ShouldContain("plain http");
        refused.ShouldContain("AGNES_ALLOW_HTTP=1");
        Directory.EnumerateFileSystemEntries(agnes.Config).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_upgrade_over_plain_http_from_another_machine_is_refused_until_it_is_said()
    {
        // The name of another machine, that leads here by way of a proxy.
        _offered.Agnes.Elsewhere("http://agnes.example.com");
        _offered.Agnes.Environment["http_proxy"] = _offered.Server.Url;
        _offered.Agnes.Environment["HTTP_PROXY"] = _offered.Server.Url;
        (await _offered.UpgradeAsync()).ShouldFail(2).Error.ShouldContain("plain http");
        _offered.Downloads.ShouldBe(0);
        // Said, it is remembered; what comes must be signed all the same.
        (await _offered.UpgradeAsync("--insecure-http")).ShouldFail(1).Error.ShouldContain("you trust none yet");
        (await _offered.UpgradeAsync("--trust-key", _offered.Fingerprint)).ShouldSucceed();
        _offered.Current.ShouldBe(Path.Combine("versions", Newer));
    }
}
