using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Parts;

public sealed class PartStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private readonly PartStore _store;

    public PartStoreTests()
    {
        _data = new DataFolder(_folder.Path);
        _store = new PartStore(_data);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_part_is_named_by_its_hash_and_read_back()
    {
        using var staging = _store.Stage("run1");
        var part = (await _store.AddAsync(Staged(staging, "hello"), "a.parquet", 1, Stop)).Part;
        part.Sha256.ShouldBe("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        part.SizeBytes.ShouldBe(5);
        _store.PathOf(part.Sha256).ShouldBe(_folder["parts", "2c", $"{part.Sha256}.parquet"]);
        await using var file = _store.OpenRead(part.Sha256, part.SizeBytes);
        (await new StreamReader(file).ReadToEndAsync(Stop)).ShouldBe("hello");
    }

    [Fact]
    public async Task The_same_content_is_stored_once_and_its_stamp_stays()
    {
        using var staging = _store.Stage("run1");
        var first = (await _store.AddAsync(Staged(staging, "hello"), "a.parquet", 1, Stop)).Part;
        var stamp = FileStamp.Of(_store.PathOf(first.Sha256));
        var second = (await _store.AddAsync(Staged(staging, "hello"), "b.parquet", 1, Stop)).Part;
        second.Sha256.ShouldBe(first.Sha256);
        FileStamp.Of(_store.PathOf(first.Sha256)).ShouldBe(stamp);
        Directory.EnumerateFiles(staging.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_part_that_another_program_wrote_into_is_refused_and_replaced_by_the_next_of_that_content()
    {
        using var staging = _store.Stage("run1");
        var part = (await _store.AddAsync(Staged(staging, "hello"), "a.parquet", 1, Stop)).Part;
        await File.WriteAllTextAsync(_store.PathOf(part.Sha256), "jello", Stop);

        Should.Throw<PartDamagedException>(() => _store.OpenRead(part.Sha256, part.SizeBytes)).Sha256.ShouldBe(part.Sha256);
        Should.Throw<PartDamagedException>(() => _store.PathOf(part.Sha256, part.SizeBytes));
        (await _store.IsIntactAsync(part.Sha256, Stop)).ShouldBeFalse();

        await _store.AddAsync(Staged(staging, "hello"), "a.parquet", 1, Stop);
        (await _store.IsIntactAsync(part.Sha256, Stop)).ShouldBeTrue();
    }

    [Fact]
    public void A_missing_part_is_reported_as_damage_and_a_name_that_is_no_hash_is_refused()
    {
        Should.Throw<PartDamagedException>(() => _store.OpenRead(new string('a', 64), 5));
        foreach (var name in (string[])["../../etc/passwd", "", new string('A', 64), new string('a', 64) + "\n"])
            Should.Throw<ArgumentException>(() => _store.PathOf(name));
        Should.Throw<ArgumentException>(() => _store.Stage("../x"));
    }

    [Fact]
    public async Task A_part_is_read_once_and_again_only_when_its_file_has_changed()
    {
        var part = await MarkedAsync("hello");
        _store.Proven(part.Sha256, 5).ShouldNotBeNull("no reading is needed");
        new PartStore(_data).Proven(part.Sha256, 5).ShouldNotBeNull("it is known to every process");

        File.SetLastWriteTimeUtc(_store.PathOf(part.Sha256), new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        _store.Proven(part.Sha256, 5).ShouldBeNull("as after a restore, or when somebody touched it");
        _store.PathOf(part.Sha256, 5).ShouldBe(_store.PathOf(part.Sha256));
        new PartStore(_data).Proven(part.Sha256, 5).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_write_that_hides_behind_the_time_of_another_part_does_not_pass()
    {
        var (part, other) = (await MarkedAsync("hello"), await MarkedAsync("jello"));
        var (path, theirs) = (_store.PathOf(part.Sha256), _store.PathOf(other.Sha256));
        await File.WriteAllTextAsync(path, "jello", Stop);
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(theirs));
        CopyMark(theirs, path); // as a copy that keeps everything does

        Should.Throw<PartDamagedException>(() => _store.PathOf(part.Sha256, 5));
        Should.Throw<PartDamagedException>(() => _store.PathOf(part.Sha256, 5), "and is not read each time that it is asked for");
    }

    private async Task<TablePart> MarkedAsync(string content)
    {
        using var staging = _store.Stage("run");
        var (part, stamp) = await _store.AddAsync(Staged(staging, content), "a.parquet", 1, Stop);
        _store.Mark(part.Sha256, stamp);
        return part;
    }

    private static void CopyMark(string from, string to)
    {
        Span<byte> mark = stackalloc byte[64];
        var length = Libc.GetAttribute(from, "user.agnes.part", mark, 64);
        length.ShouldBeGreaterThan(0);
        Libc.SetAttribute(to, "user.agnes.part", mark, (nuint)length, 0).ShouldBe(0);
    }

    [Fact]
    public async Task Staging_is_removed_when_done_and_swept_when_a_run_died()
    {
        var died = _store.Stage("died");
        Staged(died, "x");
        using (var staging = _store.Stage("done")) Staged(staging, "x");
        Directory.EnumerateDirectories(_data.Incoming).Select(Path.GetFileName).ShouldBe(["died"]);
        _store.SweepIncoming(_ => true);
        Directory.EnumerateDirectories(_data.Incoming).ShouldBeEmpty();
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_sweep_removes_only_parts_that_are_old_and_that_nothing_names()
    {
        using var staging = _store.Stage("run");
        var kept = (await _store.AddAsync(Staged(staging, "kept"), "a.parquet", 1, Stop)).Part;
        var gone = (await _store.AddAsync(Staged(staging, "gone"), "b.parquet", 1, Stop)).Part;
        _store.Sweep(new HashSet<string> { kept.Sha256 }, TimeSpan.FromHours(1), TimeProvider.System, Stop).Parts.ShouldBe(0);
        var later = new LaterTime(TimeSpan.FromHours(2));
        _store.Sweep(new HashSet<string> { kept.Sha256 }, TimeSpan.FromHours(1), later, Stop).ShouldBe((1, 4L));
        File.Exists(_store.PathOf(kept.Sha256)).ShouldBeTrue();
        File.Exists(_store.PathOf(gone.Sha256)).ShouldBeFalse();
    }

    private static string Staged(PartStaging staging, string content)
    {
        var file = staging.NewFile();
        File.WriteAllText(file, content);
        return file;
    }

    private sealed class LaterTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
