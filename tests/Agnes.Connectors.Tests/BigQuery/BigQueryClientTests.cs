using System.Diagnostics;
using Agnes.Connectors.BigQuery;
using Agnes.Emulators.BigQuery;
using Agnes.Engine.Query.Remote;
using Agnes.Testing;
using TableReference = Agnes.Connectors.BigQuery.TableReference;

namespace Agnes.Connectors.Tests.BigQuery;

public sealed class BigQueryClientTests
{
    private const string Orders = "SELECT id, name FROM `data-project.sales.orders` ORDER BY id";

    [Fact]
    public async Task A_statement_answers_with_its_columns_rows_and_cost()
    {
        await using var cloud = await Cloud.StartAsync();
        var answer = await cloud.Client().RunAsync(
            Cloud.Statement(
                "SELECT id, name, price, day, tags, home FROM `data-project.sales.orders` WHERE id <= @most ORDER BY id DESC",
                "job-1") with
            {
                Parameters = [BigQueryParameter.Int64("most", 2)],
                Labels = new Dictionary<string, string> { ["Asker"] = "Pat@example.com" },
            },
            Cloud.Stop);

        answer.Rows.Columns.Select(column => $"{column.Name} {column.EngineType}").ShouldBe(
            ["id BIGINT", "name VARCHAR", "price DECIMAL(38,9)", "day DATE", "tags VARCHAR[]",
                "home STRUCT(\"city\" VARCHAR, \"zip\" BIGINT)"]);
        (await Cloud.ReadAsync(answer)).ShouldBe(
            """
            2 | n2 | decimal:2250000000/9 | date:2026-01-03 | ["a","b"] | {"city":"c2","zip":20}
            1 | n1 | decimal:1250000000/9 | date:2026-01-02 | [] | {"city":"c1","zip":10}

            """);
        answer.BytesBilled.ShouldBe(10 << 20);
        answer.WasThere.ShouldBeFalse();
        var job = cloud.Server.Jobs.ShouldHaveSingleItem();
        (job.Project, job.Id, job.Location).ShouldBe((Cloud.Billing, "job-1", "EU"));
        job.Labels.ShouldBe(
            new Dictionary<string, string> { ["application"] = "agnes", ["connection"] = "warehouse", ["asker"] = "pat_example_com" },
            ignoreOrder: true);
        cloud.Server.QuotaProjects.Distinct().ShouldBe([Cloud.Billing]);
    }

    [Fact]
    public async Task Rows_come_in_pages_and_no_more_pages_than_are_wanted()
    {
        await using var cloud = await Cloud.StartAsync();
        var client = cloud.Client(connection => connection with { Limits = connection.Limits with { PageRowsMax = 3 } });
        var answer = await client.RunAsync(
            Cloud.Statement("SELECT id, home, tags FROM `data-project.sales.orders` ORDER BY id"), Cloud.Stop);

        var before = cloud.Server.Count(Call.GetQueryResults);
        var rows = await Cloud.ReadAsync(answer);
        rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(7);
        rows.ShouldEndWith("7 | {\"city\":\"c7\",\"zip\":70} | []\n");
        (cloud.Server.Count(Call.GetQueryResults) - before).ShouldBe(3);

        before = cloud.Server.Count(Call.GetQueryResults);
        (await Cloud.ReadAsync(answer, rowsMax: 4)).ShouldStartWith("1 |");
        (cloud.Server.Count(Call.GetQueryResults) - before).ShouldBe(2);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.62)]
    [InlineData(0.9)]
    public async Task A_page_that_breaks_off_is_asked_for_again_and_no_row_comes_twice(double share)
    {
        await using var cloud = await Cloud.StartAsync();
        var client = cloud.Client(connection => connection with { Limits = connection.Limits with { PageRowsMax = 4 } });
        var answer = await client.RunAsync(
            Cloud.Statement("SELECT id, home, tags FROM `data-project.sales.orders` ORDER BY id"), Cloud.Stop);
        cloud.Server.Break(Call.GetQueryResults, new Trouble.Cut(share));
        cloud.Server.Break(Call.GetQueryResults, new Trouble.Cut(share / 2));
        cloud.Server.PageRowsMax = 3; // also smaller pages than were asked for
        var rows = await Cloud.ReadAsync(answer);
        rows.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row => row[..1]).ShouldBe(["1", "2", "3", "4", "5", "6", "7"]);
    }

    [Fact]
    public async Task A_page_that_stalls_is_asked_for_once_more_and_then_given_up()
    {
        await using var cloud = await Cloud.StartAsync();
        var client = cloud.Client(
            connection => connection with { Limits = connection.Limits with { StallTime = TimeSpan.FromMilliseconds(400) } });
        var answer = await client.RunAsync(Cloud.Statement(Orders), Cloud.Stop);
        cloud.Server.Break(Call.GetQueryResults, new Trouble.StallHalfway(0.5));
        (await Cloud.ReadAsync(answer)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(7);

        cloud.Server.Break(Call.GetQueryResults, new Trouble.StallHalfway(0.5));
        cloud.Server.Break(Call.GetQueryResults, new Trouble.Stall());
        var before = cloud.Server.Count(Call.GetQueryResults);
        var failure = await Should.ThrowAsync<BigQueryException>(() => Cloud.ReadAsync(answer));
        failure.Message.ShouldContain("0.4 seconds");
        (cloud.Server.Count(Call.GetQueryResults) - before).ShouldBe(2);
    }

    [Fact]
    public async Task A_statement_whose_answer_was_lost_is_found_again_and_billed_once()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Break(Call.JobsInsert, new Trouble.DropAfter());
        var answer = await cloud.Client().RunAsync(Cloud.Statement(Orders), Cloud.Stop);
        answer.WasThere.ShouldBeTrue();
        (await Cloud.ReadAsync(answer)).ShouldStartWith("1 | n1\n");
        cloud.Server.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_comes_after_a_crash_with_the_same_id_finds_the_job_and_pays_nothing()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Warehouse.AddDataset(Cloud.Data, "far", "asia-east1"); // there, a job is found with its location alone
        cloud.Server.Warehouse.AddTable(Cloud.Data, "far", "t", "id INT64", "SELECT 5");
        var statement = Cloud.Statement("SELECT id FROM `data-project.far.t`", "after-a-crash");
        await cloud.Client().RunAsync(statement, Cloud.Stop);
        var second = await cloud.Client().RunAsync(statement, Cloud.Stop); // a client that knows nothing of the first
        second.WasThere.ShouldBeTrue();
        second.Location.ShouldBe("asia-east1");
        (await Cloud.ReadAsync(second)).ShouldBe("5\n");
        cloud.Server.Jobs.Sum(job => job.BytesBilled).ShouldBe(10 << 20);
    }

    [Fact]
    public async Task A_job_that_was_ended_with_its_asker_is_run_anew_for_whoever_comes_after()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cloud.Stop);
        var first = cloud.Client().RunAsync(Cloud.Statement(Orders, "ended"), leaving.Token);
        await UntilAsync(() => cloud.Server.Jobs.Count == 1);
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => first);
        await UntilAsync(() => cloud.Server.Jobs[0].State == "DONE");
        cloud.Server.ReleaseJobs();
        (await Cloud.ReadAsync(await cloud.Client().RunAsync(Cloud.Statement(Orders, "ended"), Cloud.Stop))).ShouldStartWith("1 | n1\n");
        cloud.Server.Jobs.Select(job => (job.Id, job.BytesBilled)).ShouldBe([("ended", 0), ("ended_2", 10 << 20)]);
    }

    [Fact]
    public async Task The_id_of_another_statements_job_is_refused_and_that_job_goes_on()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        var running = cloud.Client().RunAsync(Cloud.Statement(Orders, "one-id"), Cloud.Stop);
        await UntilAsync(() => cloud.Server.Jobs.Count == 1);
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => cloud.Client().RunAsync(Cloud.Statement("SELECT 1 AS n", "one-id"), Cloud.Stop));
        failure.Message.ShouldContain("another statement");
        cloud.Server.ReleaseJobs();
        (await Cloud.ReadAsync(await running)).ShouldStartWith("1 | n1");
    }

    [Fact]
    public async Task A_job_is_cancelled_at_BigQuery_when_its_asker_leaves()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cloud.Stop);
        var running = cloud.Client().RunAsync(Cloud.Statement(Orders, "left"), leaving.Token);
        await UntilAsync(() => cloud.Server.Jobs is [{ State: "RUNNING" }]);
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        var job = cloud.Server.Jobs.ShouldHaveSingleItem();
        job.IsCancelled.ShouldBeTrue();
        await UntilAsync(() => job.State == "DONE");
        job.BytesBilled.ShouldBe(0);
    }

    [Fact]
    public async Task A_job_whose_submission_was_left_unanswered_is_cancelled_too()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        cloud.Server.Break(Call.JobsInsert, new Trouble.StallHalfway(0.1));
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cloud.Stop);
        var running = cloud.Client().RunAsync(Cloud.Statement(Orders) with { Location = "EU" }, leaving.Token);
        await UntilAsync(() => cloud.Server.Jobs.Count == 1);
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        cloud.Server.Jobs.ShouldHaveSingleItem().IsCancelled.ShouldBeTrue();
    }

    [Fact]
    public async Task A_cancellation_that_BigQuery_does_not_answer_does_not_hold_the_asker()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        cloud.Server.Break(Call.JobsCancel, new Trouble.Stall(), times: 9);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cloud.Stop);
        var client = cloud.Client(
            connection => connection with { Limits = connection.Limits with { CancelTime = TimeSpan.FromMilliseconds(500) } });
        var running = client.RunAsync(Cloud.Statement(Orders), leaving.Token);
        await UntilAsync(() => cloud.Server.Jobs is [{ State: "RUNNING" }]);
        var clock = Stopwatch.StartNew();
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        clock.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(8)));
    }

    [Fact]
    public async Task A_slow_job_is_waited_for_by_calls_that_end()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        var running = cloud.Client().RunAsync(Cloud.Statement(Orders), Cloud.Stop);
        await UntilAsync(() => cloud.Server.Count(Call.GetQueryResults) >= 3);
        cloud.Server.ReleaseJobs();
        (await Cloud.ReadAsync(await running)).ShouldStartWith("1 | n1");
    }

    [Fact]
    public async Task BigQuery_ends_a_job_whose_time_is_over()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.HoldJobs();
        var failure = await Should.ThrowAsync<BigQueryException>(
            () => cloud.Client().RunAsync(Cloud.Statement(Orders) with { TimeMax = TimeSpan.FromMilliseconds(300) }, Cloud.Stop));
        (failure.Reason, failure.Kind).ShouldBe(("timeout", "bq_upstream_error"));
    }

    [Fact]
    public async Task A_dry_run_says_what_a_statement_would_read_and_costs_nothing()
    {
        await using var cloud = await Cloud.StartAsync();
        var dry = await cloud.Client().DryRunAsync("SELECT price FROM `data-project.sales.cheap`", [], StatementAuthor.Asker, Cloud.Stop);
        dry.Bytes.ShouldBe(7 * (8 + 16));
        dry.StatementType.ShouldBe("SELECT");
        dry.Tables.ShouldBe(
            [new TableReference(Cloud.Data, "sales", "cheap"), new TableReference(Cloud.Data, "sales", "orders")], ignoreOrder: true);
        dry.Columns.ShouldHaveSingleItem().EngineType.ShouldBe("DECIMAL(38,9)");
        dry.Location.ShouldBe("EU");
        cloud.Server.Jobs.ShouldBeEmpty();

        (await cloud.Client().DryRunAsync("SELECT * FROM `data-project.sales.huge`", [], StatementAuthor.Asker, Cloud.Stop))
            .Bytes.ShouldBe(1000L * (8 + 3) << 20);
        (await cloud.Client().DryRunAsync("SELECT COUNT(*) AS n FROM `data-project.sales.huge`", [], StatementAuthor.Asker, Cloud.Stop))
            .Bytes.ShouldBe(0);
    }

    [Fact]
    public async Task Data_sets_and_tables_are_listed_through_all_pages()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.PageRowsMax = 2;
        var client = cloud.Client();
        Task<IReadOnlyList<RemoteRelation>> ListAsync(string? dataset, string? after = null, int max = 10) =>
            client.ListAsync(new RemoteListing(dataset, dataset, after, max), Cloud.Stop);
        (await ListAsync(null)).Select(one => (one.Bucket, one.Table)).ShouldBe([("empty", null), ("sales", null)]);
        (await ListAsync("sales")).Select(one => $"{one.Bucket} {one.Table} {one.Description.EntityType}").ShouldBe(
            ["sales cheap VIEW", "sales huge BASE TABLE", "sales orders BASE TABLE", "sales outside EXTERNAL",
                "sales totals MATERIALIZED VIEW"]);
        (await ListAsync("sales", after: "huge", max: 2)).Select(one => one.Table).ShouldBe(["orders", "outside"]);
        (await ListAsync("empty")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_is_described_without_a_job()
    {
        await using var cloud = await Cloud.StartAsync();
        var client = cloud.Client();
        var orders = (await client.GetTableAsync("sales", "orders", Cloud.Stop)).ShouldNotBeNull();
        orders.Columns.Select(column => $"{column.Name} {column.StandardType}").ShouldBe(
            ["id INT64", "name STRING", "price NUMERIC", "day DATE", "tags ARRAY<STRING>", "home STRUCT<city STRING, zip INT64>"]);
        orders.Columns[0].ToColumn().Nullable.ShouldBeFalse();
        (orders.Type, orders.Rows, orders.PartitionedBy, orders.Location, orders.Description)
            .ShouldBe(("TABLE", 7L, "day", "EU", "What was sold"));
        orders.Bytes.ShouldBe(cloud.Server.Warehouse.Tables.Single(table => table.Name == "orders").TotalBytes);
        orders.ClusteredBy.ShouldBe(["name"]);
        orders.ChangedAt.ShouldBe(new DateTimeOffset(2026, 11, 28, 12, 0, 0, TimeSpan.Zero));

        var view = (await client.GetTableAsync("sales", "cheap", Cloud.Stop)).ShouldNotBeNull();
        (view.Type, view.Rows, view.Bytes).ShouldBe(("VIEW", null, null));
        (await client.GetTableAsync("sales", "totals", Cloud.Stop))!.Rows.ShouldBeNull();
        (await client.GetTableAsync("sales", "nothing", Cloud.Stop)).ShouldBeNull();
        cloud.Server.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Rows_of_a_table_are_listed_through_all_pages_without_a_job()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.PageRowsMax = 3;
        cloud.Server.Break(Call.TableDataList, new Trouble.Cut(0.5));
        var client = cloud.Client();
        var orders = (await client.GetTableAsync("sales", "orders", Cloud.Stop)).ShouldNotBeNull();
        orders.StoresRows.ShouldBeTrue();
        var listed = client.RowsOf(orders);
        var rows = new TextRows();
        (await listed.ReadAsync(rows, long.MaxValue, Cloud.Stop)).ShouldBe(7);
        rows.ToString().ShouldBe(
            await Cloud.ReadAsync(await client.RunAsync(Cloud.Statement("SELECT * FROM `data-project.sales.orders` ORDER BY id"), Cloud.Stop)));
        var first = new TextRows();
        (await client.RowsOf(orders).ReadAsync(first, 2, Cloud.Stop)).ShouldBe(2);
        cloud.Server.Calls.Last(one => one.Call == Call.TableDataList).Path.ShouldContain("maxResults=2");
        cloud.Server.Jobs.Count.ShouldBe(1, "the statement that it was compared with");
        foreach (var other in (string[])["cheap", "totals", "outside"])
            (await client.GetTableAsync("sales", other, Cloud.Stop))!.StoresRows.ShouldBeFalse(other);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            clock.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(60)));
            await Task.Delay(10, Cloud.Stop);
        }
    }
}
