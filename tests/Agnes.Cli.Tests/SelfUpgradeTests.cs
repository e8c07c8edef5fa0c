using Agnes.Cli.SelfUpgrade;
using static Agnes.Cli.Tests.OfferedUpgrade;

namespace Agnes.Cli.Tests;

public sealed class SelfUpgradeTests : IAsyncLifetime
{
    private OfferedUpgrade _offered = null!;

    private string Root => _offered.Root;

    public async ValueTask InitializeAsync() => _offered = await StartAsync();

    public ValueTask DisposeAsync() => _offered.DisposeAsync();

    [Fact]
    [Trait(AgnesProgram.Packed, AgnesProgram.Sample)]
    public async Task A_newer_version_takes_the_place_of_the_old_one_once_it_has_shown_that_it_starts()
    {
        _offered.Archive = Tar(("agnes", Script($"echo 'agnes {Newer}'")), ("libduckdb.so", "x"));
        (await _offered.UpgradeAsync("--check-only")).ShouldFail(1).Error.ShouldContain($"[update] agnes {Own} is installed");
        Directory.CreateDirectory(Path.Combine(Root, ".incoming-killed"));
        (await _offered.UpgradeAsync()).ShouldSucceed().Out.ShouldContain($"replaced by {Newer}");
        (await _offered.RunAsync(Path.Combine(Root, "current", "agnes"), "--version")).ShouldSucceed().Out.ShouldBe($"agnes {Newer}\n");
        Directory.GetDirectories(Path.Combine(Root, "versions")).Length.ShouldBe(2, "the one before is kept");
        Directory.GetDirectories(Root, ".incoming-*").ShouldBeEmpty();
        File.ReadAllText(Path.Combine(_offered.Agnes.Config, "last_known_good.json")).ShouldContain($"/cli/download/agnes-{Newer}-{LatestRelease.Rid}.tar.gz");
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
            (_offered.Archive, _offered.Hash) = (archive, hash);
            (await _offered.UpgradeAsync("--quiet")).ShouldFail(1).Error.ShouldContain(said);
            new DirectoryInfo(Path.Combine(Root, "current")).LinkTarget.ShouldBe(Path.Combine("versions", Own));
            Directory.GetDirectories(Root, ".incoming-*").ShouldBeEmpty();
        }
        Directory.GetFiles(_offered.FolderPath).ShouldBeEmpty();
        using var held = new FileStream(Path.Combine(Root, ".upgrade.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        (await _offered.UpgradeAsync()).ShouldFail(1).Error.ShouldContain("Another self-upgrade");
    }

    [Fact]
    public async Task Without_a_server_a_session_starts_all_the_same_and_another_installers_program_is_left_to_it()
    {
        _offered.Archive = [1];
        _offered.Agnes.Elsewhere("http://127.0.0.1:9");
        (await _offered.UpgradeAsync("--quiet")).ShouldSucceed().Error.ShouldBeEmpty();
        (await _offered.UpgradeAsync("--force")).ShouldFail(1);
        _offered.Agnes.Elsewhere(null);
        (await _offered.Agnes.RunAsync("self-upgrade")).ShouldFail(1).Error.ShouldContain("dotnet tool update");
    }

    [Fact]
    public void Files_in_use_make_way_and_come_back_when_the_last_step_fails()
    {
        // As on Windows, where a running program can be renamed but not replaced; the renames are the same everywhere.
        using var folder = new Testing.TemporaryFolder();
        var home = Directory.CreateDirectory(folder["in-place"]).FullName;
        var unpacked = Directory.CreateDirectory(folder["unpacked"]).FullName;
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
}
