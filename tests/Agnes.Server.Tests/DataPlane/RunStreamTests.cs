using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane;

public sealed class RunStreamTests(Postgres postgres)
{
    [Fact]
    public async Task A_run_is_told_as_it_happens_and_a_cut_stream_goes_on_where_it_was()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.RegisterAsync("""{"name":"absent","source_type":"local","source_table":"absent.csv"}""");
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var opened = new TaskCompletionSource();
        var live = ReadAsync(shop, "/api/sync/runs/stream", null, "run_done", cancel.Token, opened);
        await opened.Task.WaitAsync(cancel.Token);
        var run = await shop.SyncAsync();
        var events = await live;
        events[0].Name.ShouldBe("run_started");
        events[^1].Name.ShouldBe("run_done");
        events.ShouldContain(e => e.Name == "table_done" && e.Table == "visits");
        events.ShouldContain(e => e.Name == "table_failed" && e.Table == "absent");
        events[^1].Data["status"]!.GetValue<string>().ShouldBe("partial");
        events.ShouldAllBe(e => e.Data["run_id"]!.GetValue<string>() == run["id"]!.GetValue<string>());
        events.Select(e => e.Id).Distinct().Count().ShouldBe(events.Count);

        var rest = await ReadAsync(shop, "/api/sync/runs/stream", events[1].Id, "run_done", cancel.Token);
        rest.Select(e => e.Id).ShouldBe(events.Skip(2).Select(e => e.Id));

        // One who saw nothing, or comes from before a restart, is told how things stand.
        foreach (var seen in (string?[])[null, "0123456789ab-7"])
        {
            var standing = await ReadAsync(shop, $"/api/sync/runs/{run["id"]}/stream", seen, "run_done", cancel.Token);
            standing.Select(e => e.Name).ShouldBe(["run_started", "table_failed", "table_done", "run_done"], ignoreOrder: true);
        }
    }

    [Fact]
    public async Task A_stream_ends_within_five_seconds_when_its_owner_is_no_admin_any_more()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var admins = shop.Server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        (await shop.AsAdminAsync("POST", $"/api/admin/groups/{admins}/members", """{"email":"ana@example.com"}""")).Status.ShouldBeInRange(200, 299);
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shop.Analyst);
        using var response = await client.GetAsync("/api/sync/runs/stream", HttpCompletionOption.ResponseHeadersRead);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        var user = shop.Server.State.Snapshot.UserByEmail("ana@example.com")!.Id;
        (await shop.AsAdminAsync("DELETE", $"/api/admin/groups/{admins}/members/{user}")).Status.ShouldBeInRange(200, 299);
        var reading = response.Content.ReadAsStringAsync();
        (await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(20)))).ShouldBe(reading);
        (await client.GetAsync("/api/sync/runs/stream")).StatusCode.ShouldBe(System.Net.HttpStatusCode.Forbidden);
    }

    [Fact]
    public void One_who_does_not_keep_up_is_cut_off_and_hinders_nobody()
    {
        var events = new JobEvents();
        using var slow = events.Watch("sync", null, null)!;
        using var other = events.Watch("sync", "j2", null)!;
        for (var i = 0; i < 5000; i++) events.Publish("j1", "sync", "table_progress", "{}");
        events.Publish("j2", "sync", "run_done", "{}");
        other.Events.TryRead(out var seen).ShouldBeTrue();
        seen!.Name.ShouldBe("run_done");
        var read = 0;
        while (slow.Events.TryRead(out _)) read++;
        read.ShouldBeLessThan(5000);
        slow.Events.Completion.IsCompleted.ShouldBeTrue();
        using var late = events.Watch("sync", null, $"{events.Epoch}-1")!;
        late.Complete.ShouldBeFalse();
        using var recent = events.Watch("sync", null, $"{events.Epoch}-4999")!;
        (recent.Complete, recent.Missed.Count).ShouldBe((true, 2));
    }

    private static async Task<List<Told>> ReadAsync(Shop shop, string path, string? after, string until, CancellationToken cancellation, TaskCompletionSource? opened = null)
    {
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", shop.Admin);
        if (after is not null) request.Headers.Add("Last-Event-ID", after);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        response.EnsureSuccessStatusCode();
        opened?.SetResult();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        var told = new List<Told>();
        string? id = null, name = null;
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                told.Add(new Told(id, name!, JsonNode.Parse(line[6..])!));
                if (name == until) break;
            }
        }
        return told;
    }

    private sealed record Told(string? Id, string Name, JsonNode Data)
    {
        public string? Table => Data["table"]?.GetValue<string>();
    }
}
