using System.Diagnostics;
using Agnes.Emulators.BigQuery;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>A source that takes questions and never answers slows down nobody who wants to know what tables there are.</summary>
public sealed class SilentSourceTests(Postgres postgres)
{
    private const int Asked = 400;
    private const double RatioMax = 2;

    /// <summary>A loaded machine makes single requests late, whatever the source does: what is measured is tried again.</summary>
    private const int TriesMax = 3;

    /// <summary>Below, a difference is the machine's.</summary>
    private static readonly TimeSpan Noise = TimeSpan.FromMilliseconds(5);

    [Fact]
    [Long]
    public async Task The_catalog_is_as_fast_while_a_source_is_silent()
    {
        await using var world = await BigQueryShop.OpenAsync(postgres);
        var shop = world.Shop;
        (await shop.QueryAsync("SELECT COUNT(id) AS n FROM bought")).Status.ShouldBe(200);
        await MeasureAsync(shop); // both ways are warm
        for (var left = TriesMax; ; left--)
        {
            await world.SettledAsync();
            var without = await MeasureAsync(shop);
            world.Cloud.Break(Call.Any, new Trouble.Stall(), times: 10_000);
            var asking = Enumerable.Range(0, 4).Select(_ => shop.QueryAsync("SELECT COUNT(id) AS n FROM bought")).ToList();
            var refreshing = shop.AsAdminAsync("POST", "/api/admin/run-bq-metadata-refresh");
            var calls = world.Cloud.Calls.Count;
            await shop.EventuallyAsync(() => world.Cloud.Calls.Count > calls, "the source is being asked");
            var with = await MeasureAsync(shop);
            (asking.TrueForAll(one => !one.IsCompleted) && !refreshing.IsCompleted).ShouldBeTrue("the source was silent all the time");
            world.Cloud.Mend();
            (await shop.AsAdminAsync("PUT", "/api/admin/connections/warehouse", """{"settings":{"query_timeout_ms":500000}}""")).Status
                .ShouldBe(200); // ends what is being asked
            await Task.WhenAll([.. asking, refreshing]);
            var report = $"p99 of the catalog: {without.TotalMilliseconds:0.00} ms, with a silent source {with.TotalMilliseconds:0.00} ms";
            TestContext.Current.TestOutputHelper?.WriteLine(report);
            if (with <= (RatioMax * without) + Noise) break;
            left.ShouldBeGreaterThan(1, report);
        }
    }

    private static async Task<TimeSpan> MeasureAsync(Shop shop)
    {
        var times = new List<TimeSpan>(Asked);
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url), Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", shop.Admin);
        for (var i = 0; i < Asked; i++)
        {
            var path = i % 4 == 3 ? "/api/v2/schema/bought" : "/api/v2/catalog";
            var start = Stopwatch.GetTimestamp();
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            await answer.Content.ReadAsByteArrayAsync();
            var took = Stopwatch.GetElapsedTime(start);
            ((int)answer.StatusCode).ShouldBe(200, path);
            if (path == "/api/v2/catalog") times.Add(took);
        }

        return times.Order().ElementAt(times.Count * 99 / 100);
    }
}
