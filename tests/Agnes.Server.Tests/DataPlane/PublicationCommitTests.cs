using Agnes.Engine.Limits;
using Agnes.Engine.Publishing;
using Agnes.Protocol;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>The commit on both engines; every write is compared with what the state then holds (<c>CheckSnapshot</c>).</summary>
public sealed class PublicationCommitTests(Postgres postgres)
{
    private static readonly TableBelongings NothingKept = new(new Belongings([]));
    private static readonly DateTime Noon = new(2026, 3, 10, 12, 0, 0, DateTimeKind.Utc);

    [Theory, OnBothEngines]
    public async Task A_version_is_taken_over_once_and_replaced_whole(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        (await CommitAsync(state, "erp", [Table("orders", 'a', 'b'), Table("items", 'c')])).Published.ShouldBe(["orders", "items"]);
        var first = state.Snapshot;
        first.PublishedTable("orders")!.Parts.Select(part => part.Sha256[0]).ShouldBe(['a', 'b']);
        first.SyncStates["items"].LastSync.ShouldBe(Noon);
        first.ViewOwners["orders"].SourceName.ShouldBe("erp");
        first.PublishedNamesOf("erp").ShouldBe(["orders", "items"], ignoreOrder: true);

        (await CommitAsync(state, "erp", [Table("orders", 'a', 'b'), Table("items", 'c')])).Changed.ShouldBeFalse();
        state.Snapshot.Version.ShouldBe(first.Version);

        (await CommitAsync(state, "erp", [Table("orders", 'a', 'd') with { ExtractedAt = Noon.AddHours(1) }, Table("items", 'c') with { Changed = false }])).Published.ShouldBe(["orders"]);
        var kept = state.Snapshot.Kept["orders"];
        kept.ByNumber.Count.ShouldBe(2);
        kept.ByNumber.Values.Count(version => version.IsCurrent).ShouldBe(1);
        kept.Part("", new string('b', 64)).ShouldNotBeNull();
        state.Snapshot.PublishedTable("items").ShouldBe(first.PublishedTable("items"));
        (await state.ReadAsync<long>("SELECT count(*) FROM sync_history"))[0].ShouldBe(3);
        (await state.ReadAsync<string>("SELECT resource FROM audit_log WHERE action = 'publish'")).ShouldBe(["erp", "erp"]);
    }

    [Theory, OnBothEngines]
    public async Task The_same_rows_extracted_again_make_no_new_version(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await CommitAsync(state, "erp", [Table("orders", 'a')]);
        var number = state.Snapshot.PublishedTable("orders")!.Number;
        var outcome = await CommitAsync(state, "erp", [Table("orders", 'a') with { ExtractedAt = Noon.AddHours(1) }]);
        outcome.Refreshed.ShouldBe(["orders"]);
        state.Snapshot.PublishedTable("orders")!.Number.ShouldBe(number);
        state.Snapshot.SyncStates["orders"].LastSync.ShouldBe(Noon.AddHours(1));
    }

    [Theory]
    [InlineData("freeze", 'a')]
    [InlineData("discard", 'a')]
    [InlineData("evolve", 'b')]
    public async Task A_contract_that_was_set_while_rows_were_brought_is_not_overtaken_by_them(string contract, char published)
    {
        using var place = await StatePlace.NewAsync(StateEngine.DuckDb, postgres);
        await using var state = await place.OpenAsync();
        await CommitAsync(state, "erp", [Table("orders", 'a')]);
        await state.WriteAsync(async write =>
        {
            var row = new TableRow { Id = "orders", Name = "orders", SchemaContract = contract };
            await write.ExecuteAsync(RegistrySql.Insert, row);
            write.Apply(snapshot => snapshot.WithTable(row));
        });
        var wider = Table("orders", 'b') with { ExtractedAt = Noon.AddHours(1) };
        await CommitAsync(state, "erp", [wider with { Columns = [.. wider.Columns, new TableColumn("more", "VARCHAR")] }]);
        state.Snapshot.PublishedTable("orders")!.Parts[0].Sha256[0].ShouldBe(published);
    }

    [Theory, OnBothEngines]
    public async Task A_name_belongs_to_the_first_source_in_whatever_case(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await CommitAsync(state, "a", [Table("orders", 'a')]);
        (await CommitAsync(state, "b", [Table("Orders", 'b'), Table("own", 'c')])).Collided.ShouldBe(["Orders"]);
        state.Snapshot.PublishedTable("ORDERS")!.Source.ShouldBe("a");
        (await CommitAsync(state, "a", [], removed: ["orders"])).Removed.ShouldBe(["orders"]);
        state.Snapshot.PublishedTable("orders").ShouldBeNull();
        (await CommitAsync(state, "b", [Table("Orders", 'b'), Table("own", 'c')])).Published.ShouldBe(["Orders"]);
        state.Snapshot.ViewOwners["orders"].SourceName.ShouldBe("b");
    }

    [Theory, OnBothEngines]
    public async Task A_grant_on_a_table_that_nobody_registered_does_not_open_another_sources_table_of_the_name(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var group = state.Snapshot.GroupByName(Snapshot.EveryoneGroup)!.Id;
        await state.WriteAsync(write => Agnes.Server.Platform.Identity.GrantStore.AddAsync(write, group, "table", "loose", "root@example.com"));
        int Grants() => state.Snapshot.GrantsOn("table", "loose").Count;
        await CommitAsync(state, "a", [Table("loose", 'a')]);
        await CommitAsync(state, "a", [], removed: ["loose"]);
        await CommitAsync(state, "a", [Table("loose", 'b')]);
        Grants().ShouldBe(1, "granted before there was one, and a table that comes back is the same");
        await CommitAsync(state, "a", [], removed: ["loose"]);
        await CommitAsync(state, "b", [Table("loose", 'c')]);
        Grants().ShouldBe(0);
        (await state.ReadAsync<string>("SELECT params FROM audit_log WHERE action = 'resource_grant.deleted'")).ShouldHaveSingleItem().ShouldContain("is now of b");
        (await state.ReadAsync<long>("SELECT count(*) FROM resource_grants")).ShouldBe([0]);
    }

    [Theory, OnBothEngines]
    public async Task A_source_that_cannot_be_read_keeps_its_tables_and_says_why(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await CommitAsync(state, "erp", [Table("orders", 'a')]);
        await state.WriteAsync(write => new PublicationCommit(write, Publication.Failed("erp", "it is no database"), new SourceKinds(SourceList.All), NothingKept).RunAsync());
        state.Snapshot.PublishedTable("orders").ShouldNotBeNull();
        var told = state.Snapshot.SyncStates["orders"];
        (told.Status, told.Rows, told.LastSync).ShouldBe(("error", 10L, (DateTime?)Noon));
        told.Error!.ShouldContain("it is no database");
        var version = state.Snapshot.Version;
        await state.WriteAsync(write => new PublicationCommit(write, Publication.Failed("erp", "it is no database"), new SourceKinds(SourceList.All), NothingKept).RunAsync());
        state.Snapshot.Version.ShouldBe(version);
        await CommitAsync(state, "erp", [Table("orders", 'a') with { Changed = false }]);
        state.Snapshot.SyncStates["orders"].Error.ShouldBeNull();
    }

    [Theory, OnBothEngines]
    public async Task A_renamed_and_a_forgotten_table_leave_nothing_under_the_old_name(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await CommitAsync(state, "erp", [Table("orders", 'a', 'b')]);
        await CommitAsync(state, "erp", [Table("orders", 'c', 'b')]);
        await state.WriteAsync(write => write.RenameTableAsync("orders", "sales"));
        state.Snapshot.PublishedTable("orders").ShouldBeNull();
        state.Snapshot.PublishedTable("sales")!.Parts[0].Sha256[0].ShouldBe('c');
        state.Snapshot.Kept["sales"].Part("", new string('a', 64)).ShouldNotBeNull();
        await state.WriteAsync(write => write.RenameTableAsync("sales", "SALES"));
        state.Snapshot.PublishedTable("sales")!.Name.ShouldBe("SALES");
        await state.WriteAsync(write => write.ForgetTableAsync("SALES"));
        state.Snapshot.Kept.ShouldBeEmpty();
        foreach (var table in (string[])["table_versions", "version_parts", "sync_state", "sync_history", "view_ownership"])
            (await state.ReadAsync<long>($"SELECT count(*) FROM {table}"))[0].ShouldBe(0, table);
    }

    [Fact]
    [Long]
    public async Task A_thousand_tables_fit_into_one_commit_and_publishing_one_of_them_costs_the_same_as_one_alone()
    {
        using var place = await StatePlace.NewAsync(StateEngine.DuckDb, postgres);
        await using var state = await StateDb.OpenAsync(place.Options with { CheckSnapshot = false });
        // All in one commit, within the share of memory that state has by default.
        (await CommitAsync(state, "s", [.. Enumerable.Range(0, 1_000).Select(i => Table($"t{i}", 'a'))])).Published.Count.ShouldBe(1_000);
        var before = await RowsAsync(state);
        await CommitAsync(state, "s", [Table("t7", 'b'), .. Enumerable.Range(0, 1_000).Where(i => i != 7).Select(i => Table($"t{i}", 'a') with { Changed = false })]);
        (await RowsAsync(state)).ShouldBe(before + 4); // a version, a part, a line of history and of the audit
    }

    private static async Task<long> RowsAsync(StateDb state) => (await state.ReadAsync<long>(
        "SELECT (SELECT count(*) FROM table_versions) + (SELECT count(*) FROM version_parts) + (SELECT count(*) FROM sync_history) + (SELECT count(*) FROM audit_log)"))[0];

    private static Task<CommitOutcome> CommitAsync(StateDb state, string source, IReadOnlyList<TablePublication> tables, IReadOnlyList<string>? removed = null) =>
        state.WriteAsync(write => new PublicationCommit(write, new Publication(source, tables, removed ?? [], []), new SourceKinds(SourceList.All), NothingKept).RunAsync());

    private static TablePublication Table(string name, params char[] parts) => new(
        name, null, "local", Noon, [new TableColumn("id", "BIGINT")], 10, 100,
        [.. parts.Select(c => new TablePart($"{c}.parquet", new string(c, 64), 100, 10 / parts.Length))],
        [.. parts.Select(_ => new FileStamp(100, 1, 1))],
        parts.Length == 1 ? new string(parts[0], 32) : null,
        $"origin-{string.Concat(parts)}");
}
