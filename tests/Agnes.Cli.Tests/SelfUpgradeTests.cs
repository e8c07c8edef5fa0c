using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Cli.SelfUpgrade;
using Microsoft.AspNetCore.Http;

namespace Agnes.Cli.Tests;

/// <summary>The built program as the installer lays it out, and a server that offers another; what it offers is a script that says its version.</summary>
public sealed class SelfUpgradeTests : IAsyncLifetime
{
    private const string Newer = "99.1.0";
    private readonly Testing.TemporaryFolder _folder = new();
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private byte[] _archive = [];
    private string? _hash;

    private string Root => _folder["agnes"];

    private string Own => Settings.ProgramVersion.Text;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Intercept = AnswerAsync;
        _agnes = new AgnesProgram(_server.Url);
        var home = Directory.CreateDirectory(Path.Combine(Root, "versions", Own)).FullName;
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory).Where(file => Path.GetFileName(file) is var name && !name.StartsWith("libduckdb", StringComparison.Ordinal) && !name.EndsWith(".pdb", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(home, Path.GetFileName(file)));
        Directory.CreateSymbolicLink(Path.Combine(Root, "current"), Path.Combine("versions", Own));
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_newer_version_takes_the_place_of_the_old_one_once_it_has_shown_that_it_starts()
    {
        _archive = Tar(("agnes", Script($"echo 'agnes {Newer}'")), ("libduckdb.so", "x"));
        (await UpgradeAsync("--check-only")).ShouldFail(1).Error.ShouldContain($"[update] agnes {Own} is installed");
        Directory.CreateDirectory(Path.Combine(Root, ".incoming-killed"));
        (await UpgradeAsync()).ShouldSucceed().Out.ShouldContain($"replaced by {Newer}");
        (await RunAsync(Path.Combine(Root, "current", "agnes"), "--version")).ShouldSucceed().Out.ShouldBe($"agnes {Newer}\n");
        Directory.GetDirectories(Path.Combine(Root, "versions")).Length.ShouldBe(2, "the one before is kept");
        Directory.GetDirectories(Root, ".incoming-*").ShouldBeEmpty();
        File.ReadAllText(Path.Combine(_agnes.Config, "last_known_good.json")).ShouldContain($"/cli/download/agnes-{Newer}-{LatestRelease.Rid}.tar.gz");
    }

    [Fact]
    public async Task What_does_not_work_changes_nothing_and_says_why()
    {
        foreach (var (archive, hash, said) in ((byte[], string?, string)[])[
            (Tar(("agnes", Script("echo 'agnes 1.2.3'"))), null, "instead of 'agnes 99.1.0'"),
            (Tar(("agnes", Script("echo broken >&2; exit 3"))), null, "it exited with 3: broken"),
            (Tar(("agnes", "no program")), null, "it did not start"),
            (Tar(("other", "x")), null, "it did not start"),
            (Tar(("../agnes", Script($"echo 'agnes {Newer}'"))), null, "holds the name '../agnes'"),
            ([1, 2, 3], null, "cannot be unpacked"),
            (Tar(("agnes", Script($"echo 'agnes {Newer}'"))), new string('0', 64), "is damaged")])
        {
            (_archive, _hash) = (archive, hash);
            (await UpgradeAsync("--quiet")).ShouldFail(1).Error.ShouldContain(said);
            new DirectoryInfo(Path.Combine(Root, "current")).LinkTarget.ShouldBe(Path.Combine("versions", Own));
            Directory.GetDirectories(Root, ".incoming-*").ShouldBeEmpty();
        }
        Directory.GetFiles(_folder.Path).ShouldBeEmpty();
        using var held = new FileStream(Path.Combine(Root, ".upgrade.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        (await UpgradeAsync()).ShouldFail(1).Error.ShouldContain("Another self-upgrade");
    }

    [Fact]
    public async Task Without_a_server_a_session_starts_all_the_same_and_another_installers_program_is_left_to_it()
    {
        _archive = [1];
        _agnes.Environment["AGNES_SERVER"] = "http://127.0.0.1:9";
        (await UpgradeAsync("--quiet")).ShouldSucceed().Error.ShouldBeEmpty();
        (await UpgradeAsync("--force")).ShouldFail(1);
        _agnes.Environment.Remove("AGNES_SERVER");
        (await _agnes.RunAsync("self-upgrade")).ShouldFail(1).Error.ShouldContain("dotnet tool update");
    }

    [Fact]
    public void Files_in_use_make_way_and_come_back_when_the_last_step_fails()
    {
        // As on Windows, where a running program can be renamed but not replaced; the renames are the same everywhere.
        var home = Directory.CreateDirectory(_folder["in-place"]).FullName;
        var unpacked = Directory.CreateDirectory(_folder["unpacked"]).FullName;
        File.WriteAllText(Path.Combine(home, Installation.ProgramName), "old");
        File.WriteAllText(Path.Combine(home, Installation.InPlaceMark), "1.0.0");
        File.WriteAllText(Path.Combine(unpacked, Installation.ProgramName), "new");
        File.WriteAllText(Path.Combine(unpacked, "duckdb.dll"), "library");
        var installation = Installation.Find(home).ShouldBeOfType<InPlaceInstallation>();
        var undo = installation.Switch(unpacked, "2.0.0");
        File.ReadAllText(installation.Program).ShouldBe("new");
        File.ReadAllText(Path.Combine(home, "duckdb.dll")).ShouldBe("library");
        undo();
        File.ReadAllText(installation.Program).ShouldBe("old");
        File.Exists(Path.Combine(home, "duckdb.dll")).ShouldBeFalse();
        installation.Tidy();
        Directory.GetFiles(home, "*.old").ShouldBeEmpty();
    }

    private Task<Outcome> UpgradeAsync(params string[] options) => RunAsync(Path.Combine(Root, "current", "agnes"), ["self-upgrade", .. options]);

    private async Task<Outcome> RunAsync(string program, params string[] arguments)
    {
        using var process = _agnes.Start(arguments, program: program);
        return await AgnesProgram.FinishAsync(process);
    }

    private async Task<bool> AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/cli/latest")
        {
            var artifact = new JsonObject
            {
                ["rid"] = LatestRelease.Rid,
                ["version"] = Newer,
                ["filename"] = $"agnes-{Newer}-{LatestRelease.Rid}.tar.gz",
                ["path"] = $"/cli/download/agnes-{Newer}-{LatestRelease.Rid}.tar.gz",
                ["sha256"] = _hash ?? FakeServer.Hash(_archive),
                ["size"] = _archive.Length,
            };
            await FakeServer.JsonAsync(context, 200, new JsonObject { ["version"] = null, ["cli_version"] = Newer, ["artifacts"] = new JsonArray(artifact) }.ToJsonString());
            return true;
        }
        if (!context.Request.Path.StartsWithSegments("/cli/download")) return false;
        await context.Response.Body.WriteAsync(_archive);
        return true;
    }

    private static string Script(string body) => $"#!/bin/sh\n{body}\n";

    private static byte[] Tar(params (string Name, string Text)[] files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(zip))
        {
            foreach (var (name, text) in files)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                    Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (name.EndsWith("agnes", StringComparison.Ordinal) ? UnixFileMode.UserExecute : UnixFileMode.None),
                });
            }
        }
        return bytes.ToArray();
    }
}
