using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>
/// Nothing that somebody was let at goes on for more than five seconds after it was taken away: not what waits, not what runs, not what
/// is read slowly.
/// </summary>
public sealed class WhatOutlivesARevocationTests(Postgres postgres)
{
    private const int Rows = 1_500_000;
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(15);

    private static readonly (string Method, string Path, string? Body)[] Entrances =
    [
        ("POST", "/api/v2/scan", """{"table_id":"bulk","select":["i"]}"""),
        ("POST", "/api/v2/scan/estimate", """{"table_id":"bulk","where":"i > 6"}"""),
        ("GET", "/api/v2/sample/bulk", null),
        ("POST", "/api/verified-queries/run", """{"id":"sums/total"}"""),
        ("GET", "/api/catalog/profile/bulk", null),
    ];

    private static readonly (string Method, string Path, string? Body)[] Slowly =
    [
        ("POST", "/api/v2/scan", """{"table_id":"bulk"}"""),
        ("POST", "/api/query", """{"sql":"SELECT * FROM bulk, (SELECT repeat('x', 50))","limit":1000000}"""),
        ("GET", "/api/data/bulk/download", null),
        ("GET", "/api/pour/bulk", null),
        ("GET", "/api/pour", null), // says nothing of what it tells
    ];

    [Fact]
    public async Task Every_entrance_to_the_workers_and_every_slow_reader_ends_within_five_seconds_whatever_was_revoked()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options =>
        {
            ForeignExtract.Write(options.DataDir, "large", ("bulk", $"SELECT i, random() AS a FROM range({Rows}) t(i)"));
            return options;
        }, map: app =>
        {
            app.MapGet("/api/pour/{table_id}", PourAsync).NeedsTable("table_id");
            app.MapGet("/api/pour", PourAsync).SignedIn();
        });
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("bulk") is not null, "the large table was published");
        await ImportQueryAsync(shop);
        foreach (var what in (string[])["grant", "token", "user"])
        {
            await shop.GrantAsync("bulk");
            var made = await shop.Server.SendAsync("POST", "/auth/tokens", new JsonObject { ["name"] = what }.ToJsonString(), shop.Analyst);
            await SlowReadersEndAsync(shop, what, made);
        }
    }

    private static async Task SlowReadersEndAsync(Shop shop, string what, Answer made)
    {
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", made.Text("token"));
        var readers = new List<HttpResponseMessage>();
        foreach (var (method, path, body) in Slowly)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
            readers.Add(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)); // the head, and the rest later
            readers[^1].IsSuccessStatusCode.ShouldBeTrue($"{path}: {(int)readers[^1].StatusCode}");
        }

        // Both kinds of workers are busy, so that everything else is under way for as long as anybody lets it be.
        using var free = new CancellationTokenSource();
        var busy = await OccupyAsync(shop, free.Token);
        var running = Entrances.Select(entrance => shop.Server.SendAsync(entrance.Method, entrance.Path, entrance.Body, made.Text("token"))).ToList();
        await Task.Delay(1200); // all are on their way
        foreach (var (run, entrance) in running.Zip(Entrances)) if (run.IsCompleted) throw new InvalidOperationException($"{entrance.Path} did not wait: {(await run).Body}");
        var watch = Stopwatch.StartNew();
        await RevokeAsync(shop, what, made.Text("id"));
        foreach (var (run, entrance) in running.Zip(Entrances)) (await run.WaitAsync(GiveUp)).Status.ShouldBe(403, $"{entrance.Path} after {what}");
        watch.Elapsed.ShouldBeLessThan(EndMax);
        await Task.Delay(TimeSpan.FromSeconds(2.5) - watch.Elapsed is { Ticks: > 0 } rest ? rest : TimeSpan.Zero);
        foreach (var (reader, entrance) in readers.Zip(Slowly))
        {
            await Should.ThrowAsync<Exception>(reader.Content.CopyToAsync(Stream.Null).WaitAsync(GiveUp), $"the rest of {entrance.Path} was sent in spite of: {what}");
            reader.Dispose();
        }
        await free.CancelAsync();
        await Task.WhenAll(busy);
        var audit = await shop.Server.AuditAsync();
        foreach (var action in (string[])["query", "scan"]) audit.Last(row => row.Action == action).Result.ShouldBe("revoked");
        if (what == "token") (await shop.AsAdminAsync("DELETE", $"/api/admin/grants/{shop.Server.State.Snapshot.Grant(shop.GroupId, "table", "bulk")!.Id}")).Status.ShouldBe(204);
    }

    /// <summary>As an endpoint that remembers nothing would: it writes for as long as somebody listens.</summary>
    private static async Task PourAsync(HttpContext context)
    {
        var piece = new byte[64 << 10];
        while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(piece);
    }

    private static async Task<List<Task<StatementOutcome>>> OccupyAsync(Shop shop, CancellationToken end)
    {
        var (runner, pool) = (shop.Server.Services.GetRequiredService<StatementRunner>(), shop.Server.Services.GetRequiredService<Agnes.Engine.Query.Workers.WorkerPool>());
        const string heavy = "SELECT count(*) FROM range(1000000000) a, range(1000000) b";
        var busy = new List<Task<StatementOutcome>>();
        for (var i = 0; i <= pool.Options.Workers; i++)
            busy.Add(runner.RunAsync(Lease.OfSystem($"test {i}", end), Scope.Of([]), heavy, 1, System.IO.Pipelines.PipeWriter.Create(Stream.Null), StatementLimits.Default, end));
        await Task.Delay(800, CancellationToken.None);
        return busy;
    }

    private static async Task RevokeAsync(Shop shop, string what, string tokenId)
    {
        var answer = what switch
        {
            "grant" => await shop.AsAdminAsync("DELETE", $"/api/admin/grants/{shop.Server.State.Snapshot.Grant(shop.GroupId, "table", "bulk")!.Id}"),
            "token" => await shop.AsAdminAsync("DELETE", $"/auth/admin/tokens/{tokenId}"),
            _ => await shop.AsAdminAsync("POST", $"/api/users/{UserId(shop)}/deactivate"),
        };
        answer.Status.ShouldBeInRange(200, 204, answer.Body);
    }

    private static string UserId(Shop shop) => shop.Server.State.Snapshot.UserByEmail("ana@example.com")!.Id;

    private static async Task ImportQueryAsync(Shop shop)
    {
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shop.Admin);
        using var form = new MultipartFormDataContent { { new StringContent("{name: total, category: sums, question: 'How much?', sql: SELECT sum(a) FROM bulk}"), "file", "sums/total.yml" } };
        using var imported = await client.PostAsync("/api/admin/verified-queries/import", form);
        imported.IsSuccessStatusCode.ShouldBeTrue(await imported.Content.ReadAsStringAsync());
        (await shop.AsAdminAsync("POST", "/api/admin/verified-queries/canonical", """{"id":"sums/total"}""")).Status.ShouldBe(200);
    }
}
