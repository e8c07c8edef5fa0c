using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;
using static Agnes.Engine.Tests.Publishing.Installation;

namespace Agnes.Engine.Tests.Publishing;

/// <summary>Files that are broken, cut short, or changed by their writer at the wrong moment.</summary>
public sealed class DamagedExtractTests : IDisposable
{
    private const string TwoTables =
        "COPY (SELECT range AS id, md5(range::VARCHAR) AS token FROM range(20000)) TO '{data}/a.parquet'; CREATE VIEW a AS SELECT * FROM read_parquet('{data}/a.parquet');" +
        "COPY (SELECT 1 AS id) TO '{data}/b.parquet'; CREATE VIEW b AS SELECT * FROM read_parquet('{data}/b.parquet');";

    private readonly Installation _installation = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _installation.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("not a database")]
    [InlineData("half")]
    public async Task An_unreadable_extract_is_reported_as_a_whole_and_other_sources_work(string content)
    {
        _installation.Foreign(TwoTables + Meta("a"));
        _installation.Foreign("CREATE TABLE t AS SELECT 1 AS x;" + Meta("t"), "other");
        var file = _installation.Data.ExtractFile("shop");
        var bytes = content == "half" ? (await File.ReadAllBytesAsync(file, Stop))[..5000] : System.Text.Encoding.UTF8.GetBytes(content);
        await File.WriteAllBytesAsync(file, bytes, Stop);

        (await _installation.PrepareAsync()).Problem.ShouldNotBeNull();
        (await _installation.PrepareAsync("other")).Tables.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_extract_without_meta_is_a_problem_that_says_so()
    {
        _installation.Foreign("CREATE TABLE t AS SELECT 1 AS x; DROP TABLE _meta");
        (await _installation.PrepareAsync()).Problem.ShouldNotBeNull().ShouldContain("_meta");
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("middle")]
    [InlineData("empty")]
    public async Task A_broken_Parquet_file_costs_its_table_only(string damage)
    {
        _installation.Foreign(TwoTables + Meta("a") + Meta("b"));
        var file = _installation["extracts", "shop", "data", "a.parquet"];
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        if (damage == "truncated") bytes = bytes[..(bytes.Length / 2)];
        if (damage == "empty") bytes = [];
        if (damage == "middle") bytes.AsSpan(bytes.Length / 3, 4096).Fill(0xAB);
        await File.WriteAllBytesAsync(file, bytes, Stop);

        var publication = await _installation.PrepareAsync();
        publication.Problem.ShouldBeNull();
        publication.Skipped.ShouldHaveSingleItem().Name.ShouldBe("a");
        publication.Skipped[0].Reason.ShouldNotContain(_installation.Data.Root);
        publication.Tables.ShouldHaveSingleItem().Name.ShouldBe("b");
        new PartStore(_installation.Data).All().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_its_writer_changes_in_place_costs_an_error_and_then_a_copy()
    {
        _installation.Foreign(TwoTables + Meta("b"));
        var known = Commit(await _installation.PrepareAsync());
        var file = _installation["extracts", "shop", "data", "b.parquet"];
        await Task.Delay(100, Stop);
        _installation.Foreign("COPY (SELECT 2 AS id) TO '{data}/next.parquet'");
        await File.WriteAllBytesAsync(file, await File.ReadAllBytesAsync(_installation["extracts", "shop", "data", "next.parquet"], Stop), Stop);

        Should.Throw<PartDamagedException>(() => _installation.Store.OpenRead(known[0].Parts[0].Sha256, known[0].Parts[0].SizeBytes));
        var table = (await _installation.PrepareAsync("shop", known)).Tables.Single();
        _installation.Rows(table).ShouldBe("2");
        table.Stamps[0].Inode.ShouldNotBe(Agnes.Engine.Limits.FileStamp.Of(file).Inode); // a copy: the next change in place does no harm
    }

    [Fact]
    public async Task A_file_replaced_by_rename_leaves_the_published_part_alone()
    {
        _installation.Foreign(TwoTables + Meta("b"));
        var known = Commit(await _installation.PrepareAsync());
        _installation.Foreign("COPY (SELECT 3 AS id) TO '{data}/b.parquet.tmp' (FORMAT parquet)");
        File.Move(_installation["extracts", "shop", "data", "b.parquet.tmp"], _installation["extracts", "shop", "data", "b.parquet"], overwrite: true);

        await using (_installation.Store.OpenRead(known[0].Parts[0].Sha256, known[0].Parts[0].SizeBytes)) { }
        _installation.Rows((await _installation.PrepareAsync("shop", known)).Tables.Single()).ShouldBe("3");
    }

    [Theory]
    [InlineData("rename", Traits = ["Runs", "long"])]
    [InlineData("truncate", Traits = ["Runs", "long"])]
    [InlineData("rewrite")]
    public async Task A_writer_at_work_during_adoption_never_yields_a_wrong_answer(string how)
    {
        _installation.Foreign(TwoTables + "COPY (SELECT range + 7 AS id, md5((range + 7)::VARCHAR) AS token FROM range(20000)) TO '{data}/next.parquet';" + Meta("a"));
        var data = _installation["extracts", "shop", "data"];
        var versions = new[] { await File.ReadAllBytesAsync(Path.Combine(data, "a.parquet"), Stop), await File.ReadAllBytesAsync(Path.Combine(data, "next.parquet"), Stop) };
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var writing = Task.Run(() => WriteOnAsync(how, Path.Combine(data, "a.parquet"), versions, enough.Token), Stop);
        for (var round = 0; round < 4; round++)
        {
            foreach (var table in (await _installation.PrepareAsync()).Tables)
            {
                // A writer in place may spoil a linked part later; then its stamp tells, and nobody is given it. What is given out is one version, whole.
                if (await AnswerAsync(table) is { } answer) answer.ShouldBeOneOf("0|19999|20000", "7|20006|20000");
            }
        }
        await enough.CancelAsync();
        await writing;
        await File.WriteAllBytesAsync(Path.Combine(data, "a.parquet"), versions[1], Stop);
        _installation.Rows((await _installation.PrepareAsync()).Tables.Single(), "min(id)").ShouldBe("7");
    }

    [Fact]
    public async Task A_source_that_killed_its_reader_is_left_alone_until_it_changes()
    {
        _installation.Foreign(TwoTables + Meta("b"));
        // What two dead readers leave behind.
        var tree = Engine.Publishing.SourceTree.Scan(_installation.Data.Source("shop"));
        Directory.CreateDirectory(_installation["scratch", "adopting"]);
        await File.WriteAllTextAsync(_installation["scratch", "adopting", "shop"], $"{tree.Digest} 2", Stop);

        (await _installation.PrepareAsync()).Problem.ShouldNotBeNull().ShouldContain("crashed");
        _installation.Foreign("UPDATE _meta SET extracted_at = '2027-01-01'");
        (await _installation.PrepareAsync()).Problem.ShouldBeNull();
        File.Exists(_installation["scratch", "adopting", "shop"]).ShouldBeFalse();
    }

    /// <summary>Null when the part is refused, before or after it was read.</summary>
    private async Task<string?> AnswerAsync(Agnes.Engine.Publishing.TablePublication table)
    {
        try
        {
            _installation.Store.Mark(table.Parts[0].Sha256, table.Stamps[0]); // as the commit does
            await _installation.Store.OpenRead(table.Parts[0].Sha256, table.Parts[0].SizeBytes).DisposeAsync();
            var answer = _installation.Rows(table, "min(id), max(id), count(token)");
            await _installation.Store.OpenRead(table.Parts[0].Sha256, table.Parts[0].SizeBytes).DisposeAsync();
            return answer;
        }
        catch (Exception e) when (e is PartDamagedException or DuckDB.NET.Data.DuckDBException)
        {
            return null;
        }
    }

    [Theory]
    [InlineData("SEGV", true)]
    [InlineData("ABRT", true)]
    [InlineData("KILL", false)]
    public async Task A_reader_that_crashes_blocks_its_source_and_one_that_was_killed_is_tried_once_more(string signal, bool blocked)
    {
        _installation.Foreign(TwoTables + Meta("b"));
        var tree = Engine.Publishing.SourceTree.Scan(_installation.Data.Source("shop"));
        var marker = _installation["scratch", "adopting", "shop"];
        // A reader that writes its marker and dies.
        var dying = new WorkerProgram("/bin/sh", ["-c", $"mkdir -p {Path.GetDirectoryName(marker)}; printf '{tree.Digest} 1' > {marker}; kill -{signal} $$", "sh"]);
        var publisher = new Engine.Workers.Publisher(_installation.Data, _installation.Scratch, Budget.FromTotal(1L << 30, 2), dying);
        (await publisher.PrepareAsync("shop", [], Stop)).Problem.ShouldNotBeNull().ShouldContain("ended unexpectedly");

        ((await _installation.PrepareAsync()).Problem is not null).ShouldBe(blocked);
    }

    [Fact]
    public async Task A_database_that_its_program_still_writes_is_left_for_later()
    {
        _installation.Foreign(TwoTables + Meta("b"));
        await using var writer = ChildProcess.Start(WorkerProgram.Default, "hold-database", _installation.Scratch.Root, new Reach([], [_installation.Data.Root]), null, _installation.Data.ExtractFile("shop"));
        var first = new byte[1];
        (await writer.Output.ReadAsync(first, Stop)).ShouldBe(1);
        first[0].ShouldBe((byte)'x', writer.ErrorTail);
        (await _installation.PrepareAsync()).Problem.ShouldNotBeNull().ShouldContain("changing");
    }

    private static async Task WriteOnAsync(string how, string target, byte[][] versions, CancellationToken enough)
    {
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            var bytes = versions[i % 2];
            switch (how)
            {
                case "rename":
                    await File.WriteAllBytesAsync($"{target}.tmp", bytes, CancellationToken.None);
                    File.Move($"{target}.tmp", target, overwrite: true);
                    break;
                case "truncate":
                    await using (var file = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(i % bytes.Length);
                    await File.WriteAllBytesAsync(target, bytes, CancellationToken.None);
                    break;
                default:
                    await using (var file = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) await file.WriteAsync(bytes, CancellationToken.None);
                    break;
            }
            await Task.Delay(i % 25, CancellationToken.None);
        }
    }
}
