using System.Text.Json.Nodes;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>What one person may have other systems do: one account for statements and scans, kept in the state.</summary>
public sealed class RemoteQuotaTests(Postgres postgres)
{
    private const long LeastBilled = 0;
    private const string Statement = "SELECT COUNT(id) AS n FROM bought";
    private const string Scan = """{"table_id":"bought","select":["id"]}""";

    [Theory]
    [InlineData(StateEngine.DuckDb)]
    [InlineData(StateEngine.Postgres)]
    public async Task What_a_source_reads_counts_for_statements_and_scans_alike_until_nothing_is_left(StateEngine engine)
    {
        await using var world = await BigQueryShop.OpenAsync(
            postgres, options => options with { Scan = options.Scan with { BytesPerDay = 150 } }, engine);
        var shop = world.Shop;
        (await shop.RowsAsync(Statement)).ShouldBe("[[7]]"); // 7 rows of 8 bytes
        (await shop.AsAnalystAsync("POST", "/api/v2/scan", Scan)).Status.ShouldBe(200);
        (await UsedAsync(shop)).ShouldBe((112, 2));
        (await shop.RowsAsync(Statement)).ShouldBe("[[7]]");

        var refused = await shop.QueryAsync(Statement);
        refused.Status.ShouldBe(429, refused.Body);
        var detail = refused.Json["detail"]!;
        (detail["reason"]!.GetValue<string>(), detail["kind"]!.GetValue<string>()).ShouldBe(("daily_byte_cap_exceeded", "daily_bytes"));
        (detail["current"]!.GetValue<long>(), detail["limit"]!.GetValue<long>()).ShouldBe((168, 150));
        detail["retry_after_seconds"]!.GetValue<int>().ShouldBeInRange(1, 86_400);
        refused.Header("Retry-After").ShouldBe(detail["retry_after_seconds"]!.GetValue<int>().ToString(System.Globalization.CultureInfo.InvariantCulture));
        var scan = await shop.AsAnalystAsync("POST", "/api/v2/scan", Scan);
        (scan.Status, scan.Json["detail"]!["error"]!.GetValue<string>()).ShouldBe((429, "quota_exceeded"));
        world.Cloud.Jobs.Count.ShouldBe(3);

        (await shop.RowsAsync("SELECT COUNT(*) AS n FROM orders")).ShouldBe("[[1000]]"); // what lies here is asked of nobody
        (await shop.AsAdminAsync("POST", "/api/query", new JsonObject { ["sql"] = Statement }.ToJsonString())).Status.ShouldBe(200);
    }

    [Fact]
    [Long]
    public async Task Statements_and_dollars_are_counted_too()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres, options => options with
        {
            Scan = options.Scan with { StatementsPerDay = 2, CostPerTerabyte = 1_000_000_000, BytesPerDay = 1L << 50 },
        });
        (await world.Shop.RowsAsync(Statement)).ShouldBe("[[7]]");
        (await world.Shop.RowsAsync("SELECT o.name FROM orders o JOIN bought b ON b.id = o.id WHERE b.id = 1")).ShouldBe("""[["name 1"]]""");
        var refused = (await world.Shop.QueryAsync(Statement)).Json["detail"]!;
        (refused["reason"]!.GetValue<string>(), refused["current"]!.GetValue<int>()).ShouldBe(("daily_statement_cap_exceeded", 2));

        var entry = (await world.Shop.Server.AuditAsync()).First(row => row.Action == "query");
        var remote = JsonNode.Parse(entry.Params!)!["remote"]!.AsArray().ShouldHaveSingleItem()!;
        (remote["connection"]!.GetValue<string>(), remote["bytes"]!.GetValue<long>()).ShouldBe(("warehouse", 56));
        remote["cost_usd"]!.GetValue<double>().ShouldBe(56.0 / (1L << 40) * 1_000_000_000, 0.000_001);

        await using var dear = await BigQueryShop.OpenAsync(
            postgres, options => options with { Scan = options.Scan with { CostPerDay = 0.05, CostPerTerabyte = 1_000_000_000 } });
        (await dear.Shop.RowsAsync(Statement)).ShouldBe("[[7]]");
        var spent = (await dear.Shop.QueryAsync(Statement)).Json["detail"]!;
        (spent["kind"]!.GetValue<string>(), spent["limit"]!.GetValue<double>()).ShouldBe(("daily_cost_usd", 0.05));
        spent["current"]!.GetValue<double>().ShouldBe(0.050932, 0.000_001);
    }

    [Fact]
    public async Task A_statement_that_failed_there_does_not_count_and_one_whose_asker_left_does()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        world.Cloud.FailJobs("invalidQuery");
        (await world.Shop.QueryAsync(Statement)).Status.ShouldBe(400);
        (await UsedAsync(world.Shop)).ShouldBe((LeastBilled, 0));

        world.Cloud.HoldJobs();
        using var patience = new CancellationTokenSource();
        using var client = new HttpClient { BaseAddress = new Uri(world.Shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", world.Shop.Analyst);
        using var body = new StringContent(new JsonObject { ["sql"] = Statement }.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        var leaving = client.PostAsync(new Uri("/api/query", UriKind.Relative), body, patience.Token);
        await world.Shop.EventuallyAsync(() => world.Cloud.Jobs.Any(job => job.State != "DONE"), "the job runs");
        (await UsedAsync(world.Shop)).ShouldBe((56, 1), "counted before it was asked: a kill forgets nothing");
        await patience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => leaving);
        await world.Shop.EventuallyAsync(() => world.Cloud.Jobs.Any(job => job.IsCancelled), "the job is cancelled");
        (await UsedAsync(world.Shop)).ShouldBe((56, 1));
    }

    [Fact]
    public async Task What_is_given_back_after_midnight_is_given_back_to_the_day_before()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await place.OpenAsync();
        var time = new MovableTime();
        var quota = new RemoteQuota(state, new ServerOptions { DataDir = place.Options.DataDir, StateDir = place.Options.StateDir }, time);
        using var budget = quota.For("ana");
        var charge = new RemoteCharge("warehouse", 56, IsMetered: true);
        (await budget.SpendAsync(charge, CancellationToken.None)).ShouldBeNull();
        time.Advance(TimeSpan.FromDays(1));
        await budget.RefundAsync(charge);
        await state.FlushAsync();
        var day = (await state.ReadAsync<Used>("SELECT bytes, statements FROM scan_usage")).ShouldHaveSingleItem();
        day.ShouldBe(new Used(0, 0));
    }

    [Fact]
    [Long]
    public async Task Fifty_scans_at_once_stay_within_the_slots_and_the_day()
    {
        await using var world = await BigQueryShop.OpenAsync(
            postgres, options => options with { Scan = options.Scan with { BytesPerDay = 300, AtOnce = 3 } });
        world.Cloud.HoldJobs();
        var asked = Enumerable.Range(0, 50).Select(_ => world.Shop.AsAnalystAsync("POST", "/api/v2/scan", Scan)).ToList();
        await world.Shop.EventuallyAsync(() => asked.Count(one => one.IsCompleted) == 47, "all but three are refused");
        await world.Shop.EventuallyAsync(() => world.Cloud.Jobs.Count == 3, "the three run");
        world.Cloud.ReleaseJobs();
        var answers = await Task.WhenAll(asked);
        answers.Count(answer => answer.Status == 200).ShouldBe(3);
        answers.Where(answer => answer.Status != 200).ShouldAllBe(answer => answer.Status == 429 && answer.Header("Retry-After") != null);
        answers.Count(answer => answer.Body.Contains("concurrent_scans", StringComparison.Ordinal)).ShouldBeGreaterThan(0);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => world.Shop.AsAnalystAsync("POST", "/api/v2/scan", Scan)));
        var (bytes, statements) = await UsedAsync(world.Shop);
        bytes.ShouldBe(statements * 56);
        bytes.ShouldBeLessThan(300 + 56);
        world.Cloud.Jobs.Count.ShouldBe(statements);
    }

    private static async Task<(long Bytes, int Statements)> UsedAsync(Shop shop)
    {
        await shop.Server.State.FlushAsync();
        var rows = await shop.Server.State.ReadAsync<Used>(
            "SELECT coalesce(sum(bytes), 0)::BIGINT AS bytes, coalesce(sum(statements), 0)::BIGINT AS statements FROM scan_usage");
        return (rows[0].Bytes, (int)rows[0].Statements);
    }

    private sealed record Used(long Bytes, long Statements);
}
