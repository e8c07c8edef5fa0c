using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Agnes.Emulators.Jira;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>Events are delivered as Jira does it: signed, tried again where that helps, and in the order that a test wants.</summary>
public sealed class JiraDeliveryTests
{
    private const string Secret = "geheim-größe";

    [Fact]
    public async Task A_delivery_is_signed_over_its_raw_body()
    {
        await using var receiver = await Receiver.StartAsync();
        var site = new JiraSite();
        var webhook = site.AddComment("SUPPORT-1", "žádost").Events[0];
        (await receiver.Webhooks.PostAsync([webhook], cancellationToken: Desk.Stop)).ShouldHaveSingleItem().IsAcknowledged.ShouldBeTrue();
        var got = receiver.Got.ShouldHaveSingleItem();
        got.Headers["X-Hub-Signature"].ShouldBe(
            "sha256=" + Convert.ToHexString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), got.Body)).ToLowerInvariant());
        got.Body.ShouldBe(webhook.Body);
        got.Headers["X-Atlassian-Webhook-Identifier"].ShouldBe(webhook.Identifier);
        got.Headers["X-Atlassian-Webhook-Flow"].ShouldBe("Primary");
        got.Headers.ContainsKey("X-Atlassian-Webhook-Retry").ShouldBeFalse();
        Encoding.UTF8.GetString(got.Body).ShouldContain("žádost");
    }

    [Fact]
    public async Task What_may_pass_is_tried_again_with_the_same_identifier_and_what_is_refused_is_not()
    {
        await using var receiver = await Receiver.StartAsync(503, 429, 408, 200);
        var how = new DeliveryOptions { RetryPause = TimeSpan.Zero };
        var webhook = new JiraSite().Update("PLAT-1", "summary", "x").Events[0];
        var delivery = (await receiver.Webhooks.PostAsync([webhook], how, Desk.Stop))[0];
        (delivery.Status, delivery.Attempts).ShouldBe((200, 4));
        receiver.Got.Select(got => got.Headers.GetValueOrDefault("X-Atlassian-Webhook-Retry")).ShouldBe([null, "1", "2", "3"]);
        receiver.Got.Select(got => got.Headers["X-Atlassian-Webhook-Identifier"]).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);

        receiver.Answer(401);
        var refused = (await receiver.Webhooks.PostAsync([webhook], how, Desk.Stop))[0];
        (refused.Status, refused.Attempts, refused.IsAcknowledged).ShouldBe((401, 1, false));
        receiver.Answer([.. Enumerable.Repeat(500, 9)]);
        var given = (await receiver.Webhooks.PostAsync([webhook], how, Desk.Stop))[0];
        (given.Status, given.Attempts).ShouldBe((500, 6)); // the first attempt and five more
    }

    [Fact]
    public async Task No_answer_in_time_and_no_connection_are_tried_again()
    {
        await using var receiver = await Receiver.StartAsync(-1, 200);
        var how = new DeliveryOptions { RetryPause = TimeSpan.Zero, Patience = TimeSpan.FromSeconds(1.5) };
        var webhook = new JiraSite().Update("PLAT-1", "summary", "x").Events[0];
        (await receiver.Webhooks.PostAsync([webhook], how, Desk.Stop))[0].Attempts.ShouldBe(2);
        using var client = new HttpClient();
        var nobody = await new JiraWebhooks(client, new Uri("http://127.0.0.1:1/"), Secret).PostAsync([webhook], how, Desk.Stop);
        (nobody[0].Status, nobody[0].Attempts).ShouldBe((0, 6));
    }

    [Fact]
    public async Task Deliveries_are_doubled_and_out_of_order_by_seed()
    {
        await using var receiver = await Receiver.StartAsync();
        var site = new JiraSite();
        var events = Enumerable.Range(0, 200).SelectMany(i => site.Update("PLAT-1", "summary", $"{i}").Events).ToList();
        var how = new DeliveryOptions { Concurrency = 1, Duplicates = 0.2, ShuffledBy = 10, Seed = 4 };
        var deliveries = await receiver.Webhooks.PostAsync(events, how, Desk.Stop);
        deliveries.Count.ShouldBe(receiver.Got.Count);
        deliveries.Count(delivery => delivery.IsDuplicate).ShouldBeInRange(20, 60);
        receiver.Got.Select(got => got.Headers["X-Atlassian-Webhook-Identifier"]).Distinct(StringComparer.Ordinal).Count().ShouldBe(200);
        var order = receiver.Got.Select(got => got.Headers["X-Atlassian-Webhook-Identifier"]).ToList();
        order.ShouldNotBe(deliveries.OrderBy(delivery => delivery.Event.Timestamp).Select(delivery => delivery.Event.Identifier));
        receiver.Got.Clear();
        await receiver.Webhooks.PostAsync(events, how, Desk.Stop);
        receiver.Got.Select(got => got.Headers["X-Atlassian-Webhook-Identifier"]).ShouldBe(order);
        receiver.Got.Clear();
        await receiver.Webhooks.PostAsync(events, new DeliveryOptions { Concurrency = 1 }, Desk.Stop);
        receiver.Got.Select(got => got.Headers["X-Atlassian-Webhook-Identifier"]).ShouldBe(events.Select(webhook => webhook.Identifier));
    }

    /// <summary>Takes deliveries and answers as it is told; 200 when nothing more was said, and never for −1.</summary>
    private sealed class Receiver : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly HttpClient _client = new();
        private readonly ConcurrentQueue<int> _answers;

        private Receiver(WebApplication app, int[] answers) => (_app, _answers) = (app, new ConcurrentQueue<int>(answers));

        public ConcurrentQueue<(IReadOnlyDictionary<string, string> Headers, byte[] Body)> Got { get; } = new();

        public JiraWebhooks Webhooks => new(_client, new Uri(new Uri(_app.Urls.First()), "/webhooks/jira"), Secret);

        public static async Task<Receiver> StartAsync(params int[] answers)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var receiver = new Receiver(builder.Build(), answers);
            receiver._app.Run(receiver.ReceiveAsync);
            await receiver._app.StartAsync(Desk.Stop);
            return receiver;
        }

        public void Answer(params int[] answers)
        {
            foreach (var answer in answers) _answers.Enqueue(answer);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await _app.DisposeAsync();
        }

        private async Task ReceiveAsync(HttpContext context)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var headers = context.Request.Headers.ToDictionary(header => header.Key, header =>
                header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            Got.Enqueue((headers, body.ToArray()));
            if (!_answers.TryDequeue(out var answer)) answer = StatusCodes.Status200OK;
            if (answer > 0) context.Response.StatusCode = answer;
            else await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
