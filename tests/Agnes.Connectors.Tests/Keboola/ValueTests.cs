using Agnes.Connectors.Keboola;
using Agnes.Emulators.Keboola;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>What cells become, which rows are asked for, and what is said of cells that are no values.</summary>
public sealed class ValueTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private static readonly (string Name, string Type)[] Typed =
    [
        ("i", "INTEGER"), ("n", "NUMERIC"), ("b", "BOOLEAN"), ("d", "DATE"), ("t", "TIMESTAMP"), ("z", "TIMESTAMP_TZ"), ("s", "STRING"),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cells_become_values_of_their_columns_types_and_what_is_none_is_counted(bool isParquet)
    {
        await using var project = await Project.OpenAsync();
        var table = project.Server.Add(new ProjectTable("in.c-crm.things", [.. Typed.Select(column => column.Name)]));
        foreach (var (name, type) in Typed) table.Describe(name, "KBC.datatype.basetype", type);
        table.Import(Now,
            ["1", "1.5", "yes", "2026-01-02", "2026-01-02 03:04:05.123456", "2026-01-02T03:04:05+02:00", "007"],
            ["2.0", "1e3", "FALSE", "2026-01-02 23:00:00", "2026-01-02T03:04:05+01:00", "2026-01-02 03:04:05", ""],
            ["1.5", "x", "maybe", "0000-00-00", "soon", "", null],
            ["", "", "", "", "", "", " "]);
        var outcome = await project.MustAsync(isParquet ? Project.Materialized("things") : Project.Table("things"));
        project.Columns("things").ShouldBe("i BIGINT, n DOUBLE, b BOOLEAN, d DATE, t TIMESTAMP, z TIMESTAMP WITH TIME ZONE, s VARCHAR");
        var text = project.Rows("things", "i, n, b, d::VARCHAR, t::VARCHAR, epoch(z), s", "");
        text.ShouldBe(
            "1|1.5|True|2026-01-02|2026-01-02 03:04:05.123456|1767315845|007 "
            + "2|1000|False|2026-01-02|2026-01-02 02:04:05|1767323045| "
            + "NULL|NULL|NULL|NULL|NULL|NULL|NULL NULL|NULL|NULL|NULL|NULL|NULL| ");
        var told = outcome.Warnings.Single();
        foreach (var said in (string[])["i (BIGINT) 1, such as 1.5", "n (DOUBLE) 1, such as x", "b (BOOLEAN) 1, such as maybe",
            "d (DATE) 1", "t (TIMESTAMP) 1, such as soon"])
            told.ShouldContain(said);
    }

    [Fact]
    public async Task A_columns_type_is_the_word_of_whoever_counts_first()
    {
        await using var project = await Project.OpenAsync();
        var table = project.Server.Add(new ProjectTable("in.c-crm.a", ["user", "machine", "storage", "defined", "unknown"]));
        table.Describe("user", "KBC.datatype.basetype", "STRING", "keboola.snowflake-transformation");
        table.Describe("user", "KBC.datatype.basetype", "integer");
        table.Describe("machine", "KBC.datatype.type", "DATE", "ai-metadata-enrichment");
        table.Describe("machine", "KBC.datatype.basetype", "BOOLEAN", "ai-metadata-enrichment");
        table.Describe("storage", "KBC.datatype.basetype", "DATE", "storage");
        table.Describe("unknown", "KBC.datatype.basetype", "GEOGRAPHY");
        table.Definition["defined"] = "NUMERIC";
        var alias = project.Server.Add(new ProjectTable("in.c-crm.b", ["user"]) { IsAlias = true });
        alias.Describe("user", "KBC.datatype.basetype", "INTEGER");
        await project.MustAsync(Project.Table("a"), Project.Table("b"));
        project.Columns("a").ShouldBe("user BIGINT, machine BOOLEAN, storage DATE, defined DOUBLE, unknown VARCHAR");
        project.Columns("b").ShouldBe("user BIGINT");
    }

    [Fact]
    public async Task A_table_without_rows_has_its_columns()
    {
        await using var project = await Project.OpenAsync();
        project.AddOrders(rows: 0);
        foreach (var form in (FileForm[])[new(), new() { SliceRows = 2 },
            new() { SliceRows = 2, HasHeaderInFirstSlice = true, IsPacked = false }])
        {
            project.Server.Form = form;
            await project.MustAsync(Project.Table("orders"));
            (project.Columns("orders"), project.Count("orders")).ShouldBe(("id BIGINT, day DATE, amount DOUBLE, note VARCHAR", 0));
            await project.MustAsync(Project.Materialized("orders"));
            project.Columns("orders").ShouldBe("id BIGINT, day DATE, amount DOUBLE, note VARCHAR");
        }

        foreach (var strategy in (string[])["incremental", "partitioned"])
        {
            await project.MustAsync(Project.Table("orders",
                $$"""{"sync_strategy":"{{strategy}}","partition_by":"day","max_history_days":0}"""));
            project.Columns("orders").ShouldBe("id BIGINT, day DATE, amount DOUBLE, note VARCHAR");
        }
    }

    [Fact]
    public async Task A_filter_goes_to_the_project_with_the_dates_of_today()
    {
        await using var project = await Project.OpenAsync();
        project.AddOrders(rows: 30);
        var today = DateTimeOffset.UtcNow;
        await project.MustAsync(Project.Table("orders",
            """{"where_filters":[{"column":"day","operator":"lt","values":["{{today}}"]},{"column":"id","values":["3","4","77"]}]}"""));
        project.Rows("orders", "id").ShouldBe("3 4");
        project.Exports[^1].Body.ToJsonString().ShouldBe(
            $$"""{"whereFilters":[{"column":"day","operator":"lt","values":["{{today:yyyy-MM-dd}}"]},"""
            + """{"column":"id","operator":"eq","values":["3","4","77"]}]}""");
        await project.MustAsync(Project.Materialized("orders",
            """{"columns":["note","id"],"limit":2,"changed_since":"{{last_week}}","file_type":"csv","what":"ever"}"""));
        project.Columns("orders").ShouldBe("note VARCHAR, id BIGINT");
        project.Count("orders").ShouldBe(2);
        project.Exports[^1].Body.ToJsonString()
            .ShouldBe($$"""{"columns":"note,id","changedSince":"{{today.AddDays(-7):yyyy-MM-dd}}","limit":2}""");
    }

    [Fact]
    public void Dates_in_filters_are_those_of_the_contract()
    {
        var today = new DateOnly(2026, 5, 12);
        DatePlaceholders.Resolve("from {{last_week}} to {{today}}", today).ShouldBe("from 2026-05-05 to 2026-05-12");
        DatePlaceholders.Resolve("{{start_of_3_months_ago}}", today).ShouldBe("2026-02-01");
        DatePlaceholders.Resolve("{{last_2_years}}|{{last_year}}|{{last_6_months}}|{{last_3_months}}|{{last_2_months}}|{{last_month}}",
            today)
            .ShouldBe("2024-05-12|2025-05-12|2025-11-13|2026-02-11|2026-03-13|2026-04-12");
        Should.Throw<FormatException>(() => DatePlaceholders.Resolve("{{lasst_week}}", today)).Message.ShouldContain("{{lasst_week}}");
    }

    [Fact]
    public async Task Settings_that_do_not_fit_the_table_fail_it_with_a_sentence_and_leave_the_others()
    {
        await using var project = await Project.OpenAsync();
        project.AddOrders(rows: 1);
        foreach (var name in (string[])["a", "b", "c", "d", "e", "f"]) project.AddOrders(name, rows: 1);
        project.Find("e").Import(Now, ["x", "2026-01-01", "1", "a key that is no number"]);
        var outcome = await project.RunAsync(
            Project.Table("orders"),
            Project.Table("a", """{"sync_strategy":"partitioned","partition_by":"nothing"}"""),
            Project.Table("b", """{"sync_strategy":"incremental","primary_key":["nothing"]}"""),
            Project.Table("c", """{"where_filters":[{"column":"id","values":["{{lasst_week}}"]}]}"""),
            Project.Table("d", """{"sync_strategy":"partitioned","partition_by":"amount"}"""),
            Project.Table("e", """{"sync_strategy":"incremental"}"""),
            Project.Materialized("f", "SELECT 1"),
            Project.Table("missing"));
        outcome.Ok.Select(table => table.Name).ShouldBe(["orders"]);
        var failed = outcome.Failed.ToDictionary(table => table.Name, table => table.Error);
        failed["a"].ShouldContain("partition_by names 'nothing'");
        failed["b"].ShouldContain("primary_key names 'nothing'");
        failed["c"].ShouldContain("{{lasst_week}}");
        failed["d"].ShouldContain("holds no dates");
        failed["e"].ShouldContain("1 cells of the key id are no BIGINT, such as x");
        failed["f"].ShouldContain("JSON");
        failed["missing"].ShouldContain("in.c-crm.missing");
    }

    [Fact]
    public async Task A_cell_may_be_as_long_as_it_likes_and_hold_whatever_it_likes()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 0);
        var longest = new string('x', 5 << 20);
        orders.Import(Now, ["1", "2026-01-01", "1", longest], ["2", "2026-01-01", "1", "a,b\r\n\"c\"\n\n\\ 'd'"],
            ["3", "2026-01-01", "1", "id"]);
        project.Server.Form = new FileForm { SliceRows = 2 };
        await project.MustAsync(Project.Table("orders"));
        project.Rows("orders", "id, length(note)").ShouldBe($"1|{longest.Length} 2|15 3|2");
        project.Rows("orders", "note", "WHERE id = 2").ShouldBe("a,b\r\n\"c\"\n\n\\ 'd'");
    }
}
