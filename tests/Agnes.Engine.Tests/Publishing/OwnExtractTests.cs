using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Publishing;

public sealed class OwnExtractTests : IDisposable
{
    private readonly Installation _installation = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _installation.Dispose();

    [Fact]
    public async Task A_run_becomes_a_publication_whose_parts_are_in_the_store()
    {
        var outcome = await _installation.RunAsync(Table("orders", "SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, 'b' ORDER BY 1"));
        outcome.Ok.ShouldHaveSingleItem().Rows.ShouldBe(2);

        var publication = await _installation.PrepareAsync();
        publication.Problem.ShouldBeNull();
        var table = publication.Tables.ShouldHaveSingleItem();
        table.Columns.ShouldBe([new TableColumn("id", "INTEGER"), new TableColumn("name", "VARCHAR")]);
        table.Rows.ShouldBe(2);
        _installation.Rows(table).ShouldBe("1|a 2|b");
        table.Md5.ShouldBe(await ContentHash.Md5Async(_installation["extracts", "shop", "data", "orders.parquet"], Stop));
        table.Parts[0].Sha256.ShouldBe(await ContentHash.Sha256Async(_installation["extracts", "shop", "data", "orders.parquet"], Stop));
        _installation.Events.ShouldContain(happened => happened.Kind == "table_started" && happened.Table == "orders");
    }

    [Fact]
    [Long]
    public async Task Big_parts_are_hashed_right_although_they_are_hashed_while_they_grow()
    {
        await _installation.RunAsync(Table("big", string.Join(";;", Enumerable.Range(0, 3).Select(part => $"SELECT range + {part} AS id, md5(range::VARCHAR) AS token FROM range(700000)"))), Table("one", "SELECT range AS id, md5(range::VARCHAR) AS token FROM range(900000)"));
        foreach (var table in (await _installation.PrepareAsync()).Tables)
        {
            foreach (var part in table.Parts) (await _installation.Store.IsIntactAsync(part.Sha256, Stop)).ShouldBeTrue();
            if (table.Parts.Count == 1) table.Md5.ShouldBe(await ContentHash.Md5Async(_installation.Store.PathOf(table.Parts[0].Sha256), Stop));
        }
        Directory.EnumerateDirectories(_installation.Data.Incoming).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_of_several_parts_has_a_folder_and_no_md5()
    {
        await _installation.RunAsync(Table("orders", "SELECT 1 AS id;;SELECT 2 AS id;;SELECT 3 AS id"));
        var table = (await _installation.PrepareAsync()).Tables.ShouldHaveSingleItem();
        table.Parts.Select(part => part.Name).ShouldBe(["00.parquet", "01.parquet", "02.parquet"]);
        table.Md5.ShouldBeNull();
        _installation.Rows(table).ShouldBe("1 2 3");
        Directory.EnumerateFiles(_installation["extracts", "shop", "data", "orders"]).Count().ShouldBe(3);

        await _installation.RunAsync(Table("orders", "SELECT 4 AS id"));
        _installation.Rows((await _installation.PrepareAsync()).Tables.Single()).ShouldBe("4");
        Directory.Exists(_installation["extracts", "shop", "data", "orders"]).ShouldBeFalse();
        _installation.Foreign("SELECT count(*) FROM orders"); // other tools can still read it
    }

    [Fact]
    public async Task A_run_of_one_table_carries_the_others_over()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x"), Table("c", "SELECT 3 AS x"));
        var known = Installation.Commit(await _installation.PrepareAsync());
        await _installation.RunAsync(["A", "b"], [Table("b", "SELECT 22 AS x")]);

        var publication = await _installation.PrepareAsync("shop", known);
        publication.Tables.Select(table => (table.Name, table.Changed, _installation.Rows(table))).ShouldBe([("a", false, "1"), ("b", true, "22")]);
        publication.Removed.ShouldBe(["c"]);
        File.Exists(_installation["extracts", "shop", "data", "c.parquet"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_table_that_fails_keeps_its_last_good_version()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x"));
        var outcome = await _installation.RunAsync(Table("a", "fail"), Table("b", "SELECT 22 AS x"));
        outcome.Failed.ShouldBe([new FailedTable("a", "it was told to fail")]);
        (await _installation.PrepareAsync()).Tables.Select(_ => _installation.Rows(_)).ShouldBe(["1", "22"]);
    }

    [Fact]
    public async Task A_worker_that_crashes_leaves_the_extract_as_it_was()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"));
        (await Should.ThrowAsync<WorkerFailedException>(() => _installation.RunAsync(Table("a", "SELECT 2 AS x"), Table("b", "crash")))).Message.ShouldContain("ended with code");
        _installation.Rows((await _installation.PrepareAsync()).Tables.Single()).ShouldBe("1");
    }

    [Fact]
    public async Task A_cancelled_run_ends_its_worker_at_once_and_changes_nothing()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var request = new ExtractRequest("run", "shop", "scripted", [Table("a", "hang")]);
        var run = _installation.Runner.RunAsync(request, new Progress<ExtractEvent>(_ => cancellation.Cancel()), cancellation.Token);
        await Should.ThrowAsync<OperationCanceledException>(() => run);
        File.Exists(_installation.Data.ExtractFile("shop")).ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(_installation.Scratch.Root).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_worker_whose_parent_is_gone_ends_by_itself()
    {
        await using var child = ChildProcess.Start(WorkerProgram.Default, "extract-worker", _installation.Scratch.Root, new Reach([], [_installation.Data.Root]));
        var request = $$$"""{"op":"extract","data_folder":"{{{_installation.Data.Root}}}","share":{"memory_bytes":100000000,"threads":1,"temp_bytes":1000000},"extract":{"run_id":"r","source":"shop","connector":"scripted","tables":[{"id":"a","name":"a","source_table":"hang"}]}}""" + "\n";
        await child.Input.WriteAsync(System.Text.Encoding.UTF8.GetBytes(request), Stop);
        await child.Input.FlushAsync(Stop);
        (await child.Output.ReadAsync(new byte[1], Stop)).ShouldBe(1); // it has begun
        child.Input.Close();
        (await child.Exited.WaitAsync(TimeSpan.FromSeconds(20), Stop)).ShouldBe(137);
    }

    [Fact]
    public async Task An_unknown_connector_is_an_error_that_names_it() =>
        (await Should.ThrowAsync<WorkerFailedException>(() => _installation.Runner.RunAsync(new ExtractRequest("r", "shop", "fax", []), new Progress<ExtractEvent>(), Stop))).Message.ShouldContain("'fax'");

    [Fact]
    public async Task A_part_that_another_program_changed_is_skipped_and_the_rest_published()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x"));
        var known = Installation.Commit(await _installation.PrepareAsync());
        await using (var file = new FileStream(_installation["extracts", "shop", "data", "a.parquet"], FileMode.Open, FileAccess.Write)) file.WriteByte(0);

        var publication = await _installation.PrepareAsync("shop", known);
        publication.Skipped.ShouldHaveSingleItem().Name.ShouldBe("a");
        publication.Tables.ShouldHaveSingleItem().Name.ShouldBe("b");
        publication.Removed.ShouldBeEmpty();

        await _installation.RunAsync(Table("a", "SELECT 1 AS x"));
        _installation.Rows((await _installation.PrepareAsync("shop", known)).Tables[0]).ShouldBe("1");
    }

    [Fact]
    public async Task An_extract_that_was_restored_from_a_copy_is_carried_on()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x;;SELECT 3 AS x"));
        var file = _installation.Data.ExtractFile("shop");
        File.Copy(file, $"{file}.copy");
        File.Move($"{file}.copy", file, overwrite: true);
        (await _installation.PrepareAsync()).Tables.Select(table => _installation.Rows(table)).ShouldBe(["1", "2 3"]);
        await _installation.RunAsync(Table("c", "SELECT 4 AS x"));
        (await _installation.PrepareAsync()).Tables.Select(table => _installation.Rows(table)).ShouldBe(["1", "2 3", "4"]);
    }

    [Fact]
    public async Task A_foreign_extract_cannot_slip_parts_of_others_through_our_writer()
    {
        await _installation.RunAsync(Table("secret", "SELECT 'secret' AS x"));
        Directory.Move(_installation.Data.Source("shop"), _installation.Data.Source("elsewhere"));
        // The whole of another source's database, without the files that only its owner has.
        Directory.CreateDirectory(_installation["extracts", "shop", "data"]);
        File.Copy(_installation.Data.ExtractFile("elsewhere"), _installation.Data.ExtractFile("shop"));
        await Should.ThrowAsync<WorkerFailedException>(() => _installation.RunAsync(Table("a", "SELECT 1 AS x")));
        (await _installation.PrepareAsync()).Tables.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_part_that_vanished_costs_its_table_only_until_that_is_synced_again()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x"));
        var gone = (await _installation.PrepareAsync()).Tables[0].Parts[0].Sha256;
        File.Delete(_installation.Store.PathOf(gone));

        (await _installation.RunAsync(Table("b", "SELECT 22 AS x"))).Failed.ShouldBeEmpty();
        var publication = await _installation.PrepareAsync();
        publication.Skipped.ShouldHaveSingleItem().Name.ShouldBe("a");
        publication.Tables.ShouldHaveSingleItem().Name.ShouldBe("b");

        await _installation.RunAsync(Table("a", "SELECT 1 AS x"));
        (await _installation.PrepareAsync()).Tables.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_part_that_cannot_be_stored_fails_its_table_and_no_other()
    {
        await _installation.RunAsync(Table("a", "SELECT 1 AS x"));
        // Nothing can be put where a file stands in the way of the store's folder.
        var hash = "SELECT 2 AS x";
        await _installation.RunAsync(Table("probe", hash));
        var sha = (await _installation.PrepareAsync()).Tables.Single(table => table.Name == "probe").Parts[0].Sha256;
        Directory.Delete(Path.GetDirectoryName(_installation.Store.PathOf(sha))!, recursive: true);
        await File.WriteAllTextAsync(Path.GetDirectoryName(_installation.Store.PathOf(sha))!, "in the way", Stop);

        var outcome = await _installation.RunAsync(Table("bad", hash), Table("good", "SELECT 3 AS x, 'good' AS y"));
        outcome.Failed.ShouldHaveSingleItem().Name.ShouldBe("bad");
        outcome.Ok.ShouldHaveSingleItem().Name.ShouldBe("good");
    }

    [Fact]
    public async Task An_unreadable_extract_of_ours_stops_a_partial_run_and_is_built_anew_by_a_whole_one()
    {
        await _installation.RunAsync(["a", "b"], [Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x")]);
        await File.WriteAllTextAsync(_installation.Data.ExtractFile("shop"), "this is no database", Stop);

        (await Should.ThrowAsync<WorkerFailedException>(() => _installation.RunAsync(["a", "b"], [Table("a", "SELECT 1 AS x")]))).Message.ShouldContain("all tables");
        await _installation.RunAsync(["a", "b"], [Table("a", "SELECT 1 AS x"), Table("b", "SELECT 2 AS x")]);
        (await _installation.PrepareAsync()).Tables.Count.ShouldBe(2);
        File.Exists(_installation["extracts", "shop", "extract.duckdb.broken"]).ShouldBeTrue();
    }

    [Fact]
    public async Task Types_that_Parquet_has_not_are_stored_without_loss()
    {
        await _installation.RunAsync(Table("t", "SELECT 12345678901234567890123456789012345678::DECIMAL(38,0) AS big, 'x' AS s"));
        var table = (await _installation.PrepareAsync()).Tables.Single();
        _installation.Rows(table, "big::VARCHAR").ShouldBe("12345678901234567890123456789012345678");
    }

    private static TableConfig Table(string name, string sql) => new(name, name, SourceTable: sql);
}
