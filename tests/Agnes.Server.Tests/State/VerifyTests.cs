using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using Agnes.Server.Commands;
using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Maintenance;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

public sealed class VerifyTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task A_clean_installation_has_no_problems(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await PublishFileAsync(place, "orders", "the content");
        var report = await Verify.RunAsync(place.Options, hashes: true);
        report.Problems.ShouldBeEmpty();
        (report.Versions, report.Parts).ShouldBe((1, 1));
        report.Notes.ShouldHaveSingleItem().ShouldContain("extract");
    }

    [Fact]
    public async Task A_missing_a_shorter_and_a_changed_part_are_named()
    {
        using var place = await StatePlace.EmbeddedAsync();
        var missing = await PublishFileAsync(place, "missing", "one");
        var shorter = await PublishFileAsync(place, "shorter", "two two");
        var changed = await PublishFileAsync(place, "changed", "three");
        var store = new PartStore(new(place.Options.DataDir));
        File.Delete(store.PathOf(missing));
        await File.WriteAllTextAsync(store.PathOf(shorter), "2");
        var time = File.GetLastWriteTimeUtc(store.PathOf(changed));
        await File.WriteAllTextAsync(store.PathOf(changed), "THREE");
        File.SetLastWriteTimeUtc(store.PathOf(changed), time);

        var quick = (await Verify.RunAsync(place.Options, hashes: false)).Problems;
        quick.ShouldContain(problem => problem.Contains("of missing") && problem.Contains("is missing"));
        quick.ShouldContain(problem => problem.Contains("of shorter") && problem.Contains("1 bytes instead of 7"));
        var full = (await Verify.RunAsync(place.Options, hashes: true)).Problems;
        full.ShouldContain(problem => problem.Contains("of changed") && problem.Contains("has the SHA-256"));
        full.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Rows_that_belong_to_nothing_are_named()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using (var state = await place.OpenAsync())
        {
            await state.WriteAsync(write => write.AddTokenAsync("nobody"));
            await state.WriteAsync(write => write.AddMemberAsync("nobody", write.Before.GroupByName("Everyone")!.Id));
            await state.AppendAsync("INSERT INTO job_log (job_id, seq, ts, line) VALUES ('gone', 1, @ts, 'x')", new { ts = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) });
        }
        var problems = (await Verify.RunAsync(place.Options, hashes: false)).Problems;
        problems.Count.ShouldBe(3);
        problems.ShouldContain(problem => problem.Contains("token") && problem.Contains("user that does not exist"));
        problems.ShouldContain(problem => problem.Contains("membership nobody in"));
        problems.ShouldContain(problem => problem.Contains("job gone"));
    }

    [Fact]
    public async Task The_commands_say_what_they_did_and_exit_accordingly()
    {
        using var place = await StatePlace.EmbeddedAsync();
        var part = await PublishFileAsync(place, "orders", "the content");
        string? Environment(string name) => null;
        var output = new StringWriter();
        Task<int> Run(string command, params string[] args) => StateCommands.RunAsync(command, ["--data-dir", place.Options.DataDir, .. args], Environment, output, CancellationToken.None);

        (await Run("verify", "--hashes")).ShouldBe(0, output.ToString());
        (await Run("backup", $"--to={place.Folder["b.duckdb"]}")).ShouldBe(0, output.ToString());
        output.ToString().ShouldContain("opened and counted");
        (await Run("restore", "--from", place.Folder["b.duckdb"])).ShouldBe(1);
        (await Run("restore", "--from", place.Folder["b.duckdb"], "--force")).ShouldBe(0, output.ToString());
        File.Delete(new PartStore(new(place.Options.DataDir)).PathOf(part));
        output.GetStringBuilder().Clear();
        (await Run("verify")).ShouldBe(1);
        output.ToString().ShouldContain("problem: the part 0.parquet of orders");
        using var nowhere = new TemporaryFolder();
        (await StateCommands.RunAsync("verify", ["--data-dir", nowhere.Path], Environment, output, CancellationToken.None)).ShouldBe(1);
        output.ToString().ShouldContain("There is no state in");
        Directory.GetFileSystemEntries(nowhere.Path).ShouldBeEmpty();
        await Should.ThrowAsync<Platform.Config.OptionsException>(() => Run("backup"));
        await Should.ThrowAsync<Platform.Config.OptionsException>(() => Run("verify", "--nonsense"));
    }

    private static async Task<string> PublishFileAsync(StatePlace place, string name, string content)
    {
        var store = new PartStore(new(place.Options.DataDir));
        using var staging = store.Stage("run");
        var staged = Path.Combine(staging.Folder, "x.parquet");
        await File.WriteAllTextAsync(staged, content);
        var part = (await store.AddAsync(staged, "0.parquet", 10, CancellationToken.None)).Part;
        var path = store.PathOf(part.Sha256);
        await using var state = await place.OpenAsync();
        var version = BackupTests.Version(name, 1, part.Sha256) with
        {
            Parts = [part],
            Rows = 10,
            Bytes = part.SizeBytes,
            Md5 = await ContentHash.Md5Async(path, CancellationToken.None),
            PartsDigest = PartsList.Digest([part]),
        };
        await state.WriteAsync(write => write.PublishAsync(version));
        return part.Sha256;
    }
}
