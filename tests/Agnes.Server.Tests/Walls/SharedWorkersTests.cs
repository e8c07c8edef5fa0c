using System.Net.Http.Headers;
using System.Text;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Workers;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Agnes.Server.Tests.Walls;

/// <summary>
/// One person floods an entrance; a neighbour's <c>SELECT 1</c>, sample and scan are answered meanwhile. Two workers, as on two
/// processors.
/// </summary>
public sealed class SharedWorkersTests(Postgres postgres)
{
    private const string Heavy = """{"sql":"SELECT count(*) FROM range(1000000000) a, range(1000000) b"}""";
    private const string Large = """{"sql":"SELECT i, repeat('x', 1000) AS x FROM range(20000) t(i)","limit":20000}""";
    private const string Estimate = "/api/v2/scan/estimate";
    private static readonly TimeSpan NeighbourMax = TimeSpan.FromSeconds(30);

    [Fact]
    [Long]
    public async Task A_neighbour_is_answered_while_one_person_floods_each_entrance()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, adjust: services => services.Replace(ServiceDescriptor.Singleton(provider =>
            WorkerPoolOptions.From(provider.GetRequiredService<Budget>(), provider.GetRequiredService<WorkerProgram>(), provider.GetRequiredService<Scratch>(),
                provider.GetRequiredService<DataFolder>().Parts, 2) with
            { Workers = 2 })));
        await NeighbourAsync(shop); // the workers have started

        using (var gone = new CancellationTokenSource())
        {
            var heavy = Enumerable.Range(0, 8).Select(_ => SendAsync(shop, "/api/query", Heavy, gone.Token)).ToList();
            await Task.Delay(500, CancellationToken.None);
            await NeighbourAsync(shop);
            heavy.Count(run => !run.IsCompleted).ShouldBe(5, "the neighbour was answered while all five ran or waited");
            await EndAsync(gone, heavy);
        }
        await AllSlotsAreFreeAsync(shop);

        using (var gone = new CancellationTokenSource())
        {
            var unread = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => SendAsync(shop, "/api/query", Large, gone.Token)));
            unread.ShouldAllBe(response => response.IsSuccessStatusCode);
            await NeighbourAsync(shop);
            foreach (var response in unread) response.Dispose();
        }

        using (var stop = new CancellationTokenSource())
        {
            var statuses = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
            var flood = Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
            {
                for (var round = 0; !stop.IsCancellationRequested; round++)
                {
                    var answer = await shop.AsAnalystAsync("POST", Estimate, $$"""{"table_id":"orders","where":"id > {{i}} AND amount < {{round}}"}""");
                    statuses.AddOrUpdate(answer.Status, 1, (_, count) => count + 1);
                }
            })).ToList();
            for (var round = 0; round < 5; round++) await NeighbourAsync(shop);
            await stop.CancelAsync();
            await Task.WhenAll(flood);
            statuses.Keys.Order().ShouldBe([200, 429]); // it is the one who floods that waits or is refused
        }
    }

    private static async Task NeighbourAsync(Shop shop)
    {
        (string Method, string Path, string? Body)[] asked =
        [
            ("POST", "/api/query", """{"sql":"SELECT 1"}"""), ("POST", "/api/query", """{"sql":"SELECT count(*) FROM orders a, orders b"}"""),
            ("GET", "/api/v2/sample/orders", null), ("POST", "/api/v2/scan", """{"table_id":"orders","where":"id < 10"}"""), ("POST", Estimate, """{"table_id":"orders","where":"id < 10"}"""),
        ];
        foreach (var (method, path, body) in asked)
        {
            var answer = await shop.AsAdminAsync(method, path, body).WaitAsync(NeighbourMax);
            answer.Status.ShouldBe(200, $"{path}: {answer.Body}");
        }
    }

    /// <summary>What ran for the one who floods has ended on the server too.</summary>
    private static async Task AllSlotsAreFreeAsync(Shop shop)
    {
        for (var round = 0; round < 100; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => shop.AsAnalystAsync("POST", "/api/query", """{"sql":"SELECT count(*) FROM orders"}""")));
            if (answers.All(answer => answer.Status == 200)) return;
            await Task.Delay(100, CancellationToken.None);
        }
        throw new TimeoutException("Statements that were given up still run.");
    }

    private static async Task EndAsync(CancellationTokenSource gone, List<Task<HttpResponseMessage>> running)
    {
        await gone.CancelAsync();
        await Task.WhenAll(running.Select(async run =>
        {
            try
            {
                (await run).Dispose();
            }
            catch (OperationCanceledException)
            {
                // What ran was given up.
            }
        }));
    }

    private static async Task<HttpResponseMessage> SendAsync(Shop shop, string path, string body, CancellationToken gone)
    {
        var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shop.Analyst);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, gone);
    }
}
