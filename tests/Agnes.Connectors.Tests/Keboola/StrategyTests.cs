using System.Globalization;
using Agnes.Connectors.Keboola;
using Agnes.Emulators.Keboola;
using Agnes.Engine.Publishing;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>What is asked for, and what is written anew: incremental tables, partitions, windows of a first load, rows that are
/// gone.</summary>
public sealed class StrategyTests
{
    private const string Incremental = """{"sync_strategy":"incremental"}""";
    private const string Monthly = """{"sync_strategy":"partitioned","partition_by":"day","partition_granularity":"month"}""";
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    [Fact]
    public async Task An_incremental_table_gets_what_was_imported_since_and_replaces_rows_by_key()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders();
        await project.MustAsync(Project.Table("orders", Incremental));
        var first = project.Of("orders").Parts.Single().Sha256;
        await project.MustAsync(Project.Table("orders", Incremental));
        project.Of("orders").Parts.Single().Sha256.ShouldBe(first, "nothing was new");
        orders.Import(Now, ["3", "2026-05-05", "99", "changed"], ["11", "2026-06-06", "7", "new"]);
        await project.MustAsync(Project.Table("orders", """{"sync_strategy":"incremental","incremental_window_days":0}"""));
        project.Count("orders").ShouldBe(11);
        project.Rows("orders", "id, note", "WHERE id IN (3, 4, 11) ORDER BY id").ShouldBe("3|changed 4|note 4 11|new");

        var asked = project.Exports.Select(job => (job.Created, Since: Since(job))).ToList();
        asked[0].Since.ShouldBeNull();
        Near(asked[1].Since, asked[0].Created.AddDays(-7), 2);
        Near(asked[2].Since, asked[1].Created.AddMinutes(-10), 2);
    }

    [Fact]
    public async Task The_first_pull_of_an_incremental_table_goes_back_as_far_as_is_wanted()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 5, at: Now.AddDays(-100));
        orders.Import(Now.AddDays(-10), ["9", "2026-01-01", "1", "late"]);
        await project.MustAsync(Project.Table("orders", """{"sync_strategy":"incremental","max_history_days":30}"""));
        project.Rows("orders", "id").ShouldBe("9");
        Near(Since(project.Exports.Single()), DateTimeOffset.UtcNow.AddDays(-30), 60);
    }

    [Fact]
    public async Task A_key_that_was_set_goes_before_the_projects_own()
    {
        await using var project = await Project.OpenAsync();
        var table = project.Server.Add(new ProjectTable("in.c-crm.visits", ["who", "page", "n"]));
        table.Import(Now, ["a", "x", "1"], ["b", "x", "1"], ["a", "x", "2"]);
        const string Keyed = """{"sync_strategy":"incremental","primary_key":["WHO","page"]}""";
        await project.MustAsync(Project.Table("visits", Keyed));
        project.Rows("visits").ShouldBe("a|x|2 b|x|1", "the last of a key counts");
        table.Import(Now, ["b", "x", "5"], ["b", "y", "6"]);
        await project.MustAsync(Project.Table("visits", Keyed));
        project.Rows("visits").ShouldBe("a|x|2 b|x|5 b|y|6");
    }

    [Fact]
    public async Task A_table_without_a_key_is_read_whole_and_the_run_says_so()
    {
        await using var project = await Project.OpenAsync();
        var table = project.Server.Add(new ProjectTable("in.c-crm.visits", ["who", "day"]));
        table.Import(Now, ["a", "2026-01-01"], ["a", "2026-02-01"], ["a", "2026-02-01"]);
        foreach (var settings in (string[])[Incremental, Monthly])
        {
            var outcome = await project.MustAsync(Project.Table("visits", settings));
            outcome.Warnings.ShouldContain(warning => warning.Contains("no primary key", StringComparison.Ordinal));
            project.Rows("visits").ShouldBe("a|2026-01-01 a|2026-02-01 a|2026-02-01");
            project.Exports[^1].Body.ShouldNotContainKey("changedSince");
        }

        project.Of("visits").Parts.Count.ShouldBe(2);
        var before = project.Of("visits").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        table.Import(Now, ["b", "2026-02-03"]);
        await project.MustAsync(Project.Table("visits", Monthly));
        Changed(before, project.Of("visits")).ShouldBe(["2026_02.parquet"]);
    }

    [Fact]
    public async Task Only_touched_partitions_are_written_anew_and_a_row_that_moved_is_there_once()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 24);
        await project.MustAsync(Project.Table("orders", Monthly));
        project.Of("orders").Parts.Select(part => part.Name).ShouldBe(Enumerable.Range(1, 12).Select(month => $"2026_{month:D2}.parquet"));
        var before = project.Of("orders").Parts.ToDictionary(part => part.Name, part => part.Sha256);

        orders.Import(Now, ["3", "2026-07-07", "1", "moved"], ["25", "2026-07-08", "2", "new"]); // 3 was in April
        await project.MustAsync(Project.Table("orders", Monthly));
        Changed(before, project.Of("orders")).ShouldBe(["2026_04.parquet", "2026_07.parquet"]);
        project.Count("orders").ShouldBe(25);
        project.Rows("orders", "day::VARCHAR, note", "WHERE id = 3").ShouldBe("2026-07-07|moved");
    }

    [Theory]
    [InlineData("day", "2026_02_02.parquet")]
    [InlineData("month", "2026_02.parquet")]
    [InlineData("year", "2026.parquet")]
    public async Task Partitions_are_days_months_or_years_and_a_row_without_a_date_is_kept(string granularity, string name)
    {
        await using var project = await Project.OpenAsync();
        var table = project.Server.Add(new ProjectTable("in.c-crm.visits", ["id", "at"], "id"));
        table.Import(Now, ["1", "2026-02-02 10:00:00"], ["2", "no date"], ["3", ""]);
        await project.MustAsync(Project.Table("visits",
            $$"""{"sync_strategy":"partitioned","partition_by":"AT","partition_granularity":"{{granularity}}"}"""));
        project.Of("visits").Parts.Select(part => part.Name).ShouldBe([name, "null.parquet"]);
        project.Rows("visits", "id").ShouldBe("1 2 3");
    }

    [Fact]
    public async Task A_first_load_walks_back_in_windows_that_overlap_by_a_day()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 0);
        foreach (var age in Enumerable.Range(0, 100)) orders.Import(Now.AddDays(-age).AddHours(-1), [$"{age}", "2026-01-01", "1", "x"]);
        await project.MustAsync(Project.Table("orders",
            Monthly.Replace("}", ",\"max_history_days\":90,\"initial_load_chunk_days\":30}", StringComparison.Ordinal)));
        project.Count("orders").ShouldBe(91);
        var windows = project.Exports.Select(job => (From: Since(job)!.Value, To: Until(job)!.Value)).ToList();
        windows.Count.ShouldBe(3);
        foreach (var (newer, older) in windows.Zip(windows.Skip(1))) (older.To - newer.From)
            .ShouldBe(2 * 86_400, "a day on each side of the border");
        Near(windows[0].To, DateTimeOffset.UtcNow, 60);
    }

    [Fact]
    public async Task An_unbounded_first_load_ends_after_two_empty_windows_and_misses_nothing_behind_them()
    {
        await using var project = await Project.OpenAsync();
        project.AddOrders(rows: 5, at: Now.AddDays(-3));
        await project.MustAsync(Project.Table("orders", Monthly));
        project.Exports.Count.ShouldBe(3, "one with rows, two without");
        project.Count("orders").ShouldBe(5);

        var old = project.AddOrders("old", rows: 4, at: Now.AddDays(-700));
        old.Import(Now.AddDays(-3), ["9", "2026-03-03", "1", "x"]);
        await project.MustAsync(Project.Table("old", Monthly));
        project.Count("old").ShouldBe(5);
        project.Exports.Count(job => job.Table == "in.c-crm.old").ShouldBe(4);
        Since(project.Exports[^1]).ShouldBeNull();
    }

    [Fact]
    public async Task Rows_that_are_gone_are_found_when_keys_are_compared()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 24);
        var settings = Monthly.Replace("}", ",\"reconcile_every_days\":1}", StringComparison.Ordinal);
        await project.MustAsync(Project.Table("orders", settings));
        orders.Delete(row => row[0] is "3" or "5");
        await project.MustAsync(Project.Table("orders", settings));
        project.Count("orders").ShouldBe(24, "nobody tells, and it is not time yet");

        // As if the comparison of before had been the day before yesterday.
        await project.AgeCursorAsync("orders", TimeSpan.FromDays(2));
        var before = project.Of("orders").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        orders.Import(Now, ["30", "2026-12-24", "1", "new"]);
        await project.MustAsync(Project.Table("orders", settings));
        project.Rows("orders", "id", "WHERE id IN (2, 3, 4, 5, 30) ORDER BY id").ShouldBe("2 4 30");
        Changed(before, project.Of("orders")).ShouldBe(["2026_04.parquet", "2026_06.parquet", "2026_12.parquet"]);
        project.Exports[^2].Body["columns"]!.ToString().ShouldBe("id");
        await project.MustAsync(Project.Table("orders", settings));
        project.Exports.Count(job => job.Body.ContainsKey("columns")).ShouldBe(1, "keys were compared once");
    }

    [Fact]
    [Long]
    public async Task Another_column_type_or_key_has_the_table_read_whole_once()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 3);
        await project.MustAsync(Project.Table("orders", Incremental));
        orders.Describe("note", "KBC.datatype.basetype", "INTEGER");
        await project.MustAsync(Project.Table("orders", Incremental));
        project.Exports[^1].Body.ShouldNotContainKey("changedSince");
        project.Columns("orders").ShouldEndWith("note BIGINT");
        await project.MustAsync(Project.Table("orders", Incremental));
        project.Exports[^1].Body.ShouldContainKey("changedSince");
        await project.MustAsync(Project.Table("orders", """{"sync_strategy":"incremental","primary_key":["id","day"]}"""));
        project.Exports[^1].Body.ShouldNotContainKey("changedSince");
    }

    [Fact]
    [Long]
    public async Task A_table_that_is_larger_than_the_memory_of_a_job_is_divided_and_merged_all_the_same()
    {
        await using var project = await Project.OpenAsync();
        var orders = project.AddOrders(rows: 0);
        project.Options[KeboolaSettings.CallTimeOption] = "120"; // the emulator writes all of an export before it answers
        const int Rows = 260_000;
        var random = new Random(7);
        string Note() => string.Concat(Enumerable.Range(0, 1_200).Select(_ => (char)random.Next('a', 'z')));
        var notes = Enumerable.Range(0, 97).Select(_ => Note()).ToArray();
        orders.Import(Now.AddDays(-1), Enumerable.Range(1, Rows).Select(id =>
            (string?[])[$"{id}", $"2026-{1 + (id % 12):D2}-01", "1", notes[id % notes.Length]]));
        (Rows * 1_200L).ShouldBeGreaterThan(project.MemoryOfJobs);
        project.Server.Form = new FileForm { SliceRows = 20_000 };
        await project.MustAsync(Project.Table("orders", Monthly));
        var before = project.Of("orders").Parts.ToDictionary(part => part.Name, part => part.Sha256);
        orders.Import(Now, ["5", "2026-06-01", "2", "changed"]);
        await project.MustAsync(Project.Table("orders", Monthly));
        project.Count("orders").ShouldBe(Rows);
        Changed(before, project.Of("orders")).ShouldBe(["2026_06.parquet"]);
    }

    private static IEnumerable<string> Changed(Dictionary<string, string> before, TablePublication now) =>
        now.Parts.Where(part => before.GetValueOrDefault(part.Name) != part.Sha256).Select(part => part.Name);

    private static void Near(long? seconds, DateTimeOffset expected, int tolerance) =>
        seconds!.Value.ShouldBeInRange(expected.ToUnixTimeSeconds() - tolerance, expected.ToUnixTimeSeconds() + tolerance);

    private static long? Since(ExportJob job) => Seconds(job, "changedSince");

    private static long? Until(ExportJob job) => Seconds(job, "changedUntil");

    private static long? Seconds(ExportJob job, string name) =>
        job.Body[name] is { } value ? long.Parse(value.ToString(), CultureInfo.InvariantCulture) : null;
}
