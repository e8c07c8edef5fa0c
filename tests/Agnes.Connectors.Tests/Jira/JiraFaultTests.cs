using System.Net;
using Agnes.Emulators.Jira;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>
/// The emulator goes wrong as it is told, once for each time that it is told, and lets through what its limit lets through.
/// </summary>
public sealed class JiraFaultTests
{
    [Fact]
    public async Task Each_fault_is_what_it_says_and_the_next_answer_is_true()
    {
        await using var desk = await Desk.OpenAsync();
        desk.Server.Break(Step.Issue, new Trouble { Resets = true }, new Trouble { BreaksOff = true }, new Trouble { IsNoJson = true },
            new Trouble { IsEmpty = true }, new Trouble(503) { RetryAfterSeconds = 1 });
        await Should.ThrowAsync<HttpRequestException>(() => desk.SendAsync("issue/PLAT-1"));
        await Should.ThrowAsync<HttpRequestException>(() => desk.SendAsync("issue/PLAT-1")); // the whole body is read
        using var page = await desk.SendAsync("issue/PLAT-1");
        (page.StatusCode, page.Content.Headers.ContentType!.MediaType).ShouldBe((HttpStatusCode.OK, "text/html"));
        (await desk.GetAsync("issue/PLAT-1")).AsObject().Count.ShouldBe(0);
        using var busy = await desk.SendAsync("issue/PLAT-1");
        ((int)busy.StatusCode, busy.Headers.RetryAfter!.Delta!.Value.TotalSeconds).ShouldBe((503, 1.0));
        desk.Server.IsMended.ShouldBeTrue();
        ((string)(await desk.GetAsync("issue/PLAT-1"))["key"]!).ShouldBe("PLAT-1");
        desk.Server.Count(Step.Issue).ShouldBe(6);
        desk.Server.Waits.ShouldHaveSingleItem().Asked.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_stall_lasts_until_the_caller_leaves()
    {
        await using var desk = await Desk.OpenAsync();
        desk.Server.Break(Step.Comments, new Trouble { Stalls = true });
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Desk.Stop);
        impatient.CancelAfter(TimeSpan.FromMilliseconds(300));
        await Should.ThrowAsync<OperationCanceledException>(() => desk.SendAsync("issue/PLAT-1/comment", stop: impatient.Token));
        (await desk.GetAsync("issue/PLAT-1/comment"))["comments"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Halfway_a_stall_has_sent_half_of_what_it_promised()
    {
        await using var desk = await Desk.OpenAsync();
        desk.Server.Break(Step.Issue, new Trouble { StallsHalfway = true });
        using var answer = await desk.SendAsync("issue/PLAT-1", isHeadOnly: true);
        var promised = answer.Content.Headers.ContentLength!.Value;
        await using var body = await answer.Content.ReadAsStreamAsync(Desk.Stop);
        var half = new byte[promised / 2];
        await body.ReadExactlyAsync(half, Desk.Stop);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Desk.Stop);
        impatient.CancelAfter(TimeSpan.FromMilliseconds(300));
        await Should.ThrowAsync<OperationCanceledException>(async () => await body.ReadExactlyAsync(half, impatient.Token));
    }

    [Fact]
    public async Task A_limit_is_for_each_kind_of_request_and_says_how_long_to_wait()
    {
        await using var desk = await Desk.OpenAsync(time: new StandingClock());
        desk.Server.Limit = new RateLimit(PerSecond: 2, Burst: 3);
        for (var i = 0; i < 3; i++)
        {
            using var passed = await desk.SendAsync("issue/PLAT-1");
            passed.StatusCode.ShouldBe(HttpStatusCode.OK);
            passed.Headers.GetValues("X-RateLimit-Limit").ShouldBe(["3"]);
        }

        using var refused = await desk.SendAsync("issue/PLAT-1");
        ((int)refused.StatusCode).ShouldBe(429);
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        refused.Headers.GetValues("RateLimit-Reason").ShouldBe(["jira-burst-based"]);
        refused.Headers.GetValues("X-RateLimit-Remaining").ShouldBe(["0"]);
        refused.Headers.GetValues("X-RateLimit-Reset").ShouldBe(["2026-11-30T12:00Z"]);
        await desk.GetAsync("issue/PLAT-1/comment");
        var pause = TimeSpan.FromMilliseconds(50);
        await Task.Delay(pause, Desk.Stop);
        desk.Site.Ahead += TimeSpan.FromSeconds(1);
        await desk.GetAsync("issue/PLAT-1");
        var (step, asked, waited) = desk.Server.Waits.ShouldHaveSingleItem();
        (step, asked).ShouldBe((Step.Issue, TimeSpan.FromSeconds(1)));
        waited.ShouldBeGreaterThanOrEqualTo(pause); // it is the caller's own time
        await desk.GetAsync("issue/PLAT-1");
        (await desk.RefusedAsync(429, "issue/PLAT-1")).ShouldBe("Rate limit exceeded.");
    }

    [Fact]
    public async Task An_attachment_is_at_another_host_which_is_not_to_see_credentials()
    {
        await using var desk = await Desk.OpenAsync();
        var id = desk.Site.AddAttachment("PLAT-1", "large.bin", "application/octet-stream", 300_000, sizeSaid: 12).Id;
        ((int)(await desk.GetAsync($"attachment/{id}"))["size"]!).ShouldBe(12);
        using var sent = await desk.SendAsync($"attachment/content/{id}");
        sent.StatusCode.ShouldBe(HttpStatusCode.Found);
        var address = sent.Headers.Location!;
        address.Authority.ShouldNotBe(new Uri(desk.Server.Address).Authority);
        using var client = new HttpClient();
        var bytes = await client.GetByteArrayAsync(address, Desk.Stop);
        bytes.Length.ShouldBe(300_000);
        bytes[123_456].ShouldBe(MediaHost.ByteOf(long.Parse(id!, System.Globalization.CultureInfo.InvariantCulture), 123_456));
        using var here = await desk.SendAsync($"attachment/content/{id}?redirect=false");
        (await here.Content.ReadAsByteArrayAsync(Desk.Stop)).ShouldBe(bytes);

        using var careless = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { { "Authorization", "Basic eDp5" } } };
        using var refused = await client.SendAsync(careless, Desk.Stop);
        (refused.StatusCode, desk.Server.Media.CredentialsSeen).ShouldBe((HttpStatusCode.BadRequest, 1));
        using var forged = await client.GetAsync(new Uri(address.AbsoluteUri.Replace("exp=1", "exp=2", StringComparison.Ordinal)),
            Desk.Stop);
        forged.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        desk.Site.Ahead += TimeSpan.FromMinutes(11);
        using var late = await client.GetAsync(address, Desk.Stop);
        late.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        desk.Server.Count(Step.Media).ShouldBe(4);
    }

    [Fact]
    public async Task Accounts_are_good_where_they_belong()
    {
        await using var desk = await Desk.OpenAsync();
        using var service = await desk.SendAsync("issue/SUPPORT-1", isService: true); // a token with scopes is good at the gateway alone
        service.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await service.Content.ReadAsStringAsync(Desk.Stop)).ShouldBe("Client must be authenticated to access this resource.");
        using var elsewhere = await desk.SendAsync("/ex/jira/00000000-0000-0000-0000-000000000000/rest/api/3/issue/SUPPORT-1");
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await desk.GetAsync($"/ex/jira/{JiraServer.CloudId}/rest/api/3/issue/SUPPORT-1?fields=customfield_10161", isService: true))
            ["fields"]!.AsObject().Select(field => field.Key).ShouldBe(["customfield_10161"]);
        desk.Server.Calls.ShouldAllBe(call => call.Account != null);
    }
}
