using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Agnes.Emulators.Jira;

/// <summary>How events are delivered.</summary>
public sealed record DeliveryOptions
{
    public int Concurrency { get; init; } = 8;

    /// <summary>Share of the events that are delivered once more, 0 … 1, some places later, with the same identifier and body.</summary>
    public double Duplicates { get; init; }

    /// <summary>How far from its place an event may come; 0: in order.</summary>
    public int ShuffledBy { get; init; }

    public long Seed { get; init; } = 1;

    /// <summary>Atlassian's page on webhooks: up to five times.</summary>
    public int RetriesMax { get; init; } = 5;

    /// <summary>Before a retry; null: five to fifteen minutes, as Atlassian says.</summary>
    public TimeSpan? RetryPause { get; init; }

    /// <summary>How long an answer is waited for.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>How one delivery went.</summary>
/// <param name="Status">The last answer; 0: none came.</param>
/// <param name="Time">From sending to the last answer, without pauses.</param>
public sealed record Delivery(WebhookEvent Event, int Status, int Attempts, TimeSpan Time, bool IsDuplicate)
{
    public bool IsAcknowledged => Status is >= 200 and < 300;
}

/// <summary>
/// Posts events as Jira Cloud does: signed over the raw body (<c>X-Hub-Signature: sha256=…</c>), with an identifier that stays the same
/// when a delivery is tried again, and tried again after 408, 409, 425, 429, any 5xx, a failed connection and a time-out.
/// </summary>
public sealed class JiraWebhooks(HttpClient client, Uri address, string secret, TimeProvider? time = null)
{
    private static readonly HashSet<int> Transient = [408, 409, 425, 429];
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public static string Sign(string secret, ReadOnlySpan<byte> body) =>
        $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body))}";

    /// <summary>One request, as it is sent; tests change it to send what Jira would not.</summary>
    /// <param name="retry">0: the first attempt.</param>
    public HttpRequestMessage Request(WebhookEvent webhook, int retry = 0)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(webhook.Body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json; charset=UTF-8");
        request.Headers.TryAddWithoutValidation("User-Agent", "Atlassian Webhook HTTP Client");
        request.Headers.TryAddWithoutValidation("X-Hub-Signature", Sign(secret, webhook.Body));
        request.Headers.TryAddWithoutValidation("X-Atlassian-Webhook-Identifier", webhook.Identifier);
        request.Headers.TryAddWithoutValidation("X-Atlassian-Webhook-Flow", webhook.IsPrimary ? "Primary" : "Secondary");
        if (retry > 0) request.Headers.TryAddWithoutValidation("X-Atlassian-Webhook-Retry", retry.ToString(CultureInfo.InvariantCulture));
        return request;
    }

    /// <summary>Delivers events; those that were given up are among the deliveries, with their last answer.</summary>
    public async Task<IReadOnlyList<Delivery>> PostAsync(
        IEnumerable<WebhookEvent> events, DeliveryOptions? options = null, CancellationToken cancellationToken = default)
    {
        var how = options ?? new DeliveryOptions();
        var order = Order([.. events], how);
        var deliveries = new Delivery[order.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, order.Count),
                new ParallelOptions { MaxDegreeOfParallelism = how.Concurrency, CancellationToken = cancellationToken },
            async (index, stop) => deliveries[index] = await DeliverAsync(order[index].Event, order[index].IsDuplicate, how, index, stop));
        return deliveries;
    }

    /// <summary>The order of sending, with what is sent twice.</summary>
    internal static List<(WebhookEvent Event, bool IsDuplicate)> Order(IReadOnlyList<WebhookEvent> events, DeliveryOptions options)
    {
        var dice = new Dice(options.Seed, events.Count, -3);
        var placed = new List<(double Place, WebhookEvent Event, bool IsDuplicate)>();
        for (var i = 0; i < events.Count; i++)
        {
            placed.Add((i + Shift(ref dice, options.ShuffledBy), events[i], false));
            if (dice.Below(1_000_000) < options.Duplicates * 1_000_000)
                placed.Add((i + 0.5 + dice.Below(20) + Shift(ref dice, options.ShuffledBy), events[i], true));
        }

        return [.. placed.OrderBy(one => one.Place).Select(one => (one.Event, one.IsDuplicate))];
    }

    private static double Shift(ref Dice dice, int by) => by == 0 ? 0 : dice.Below((2 * by) + 1) - by;

    private async Task<Delivery> DeliverAsync(WebhookEvent webhook, bool isDuplicate, DeliveryOptions options, int index,
        CancellationToken cancellationToken)
    {
        var dice = new Dice(options.Seed, index, -4);
        var spent = TimeSpan.Zero;
        for (var attempt = 0; ; attempt++)
        {
            var begin = Stopwatch.GetTimestamp();
            var status = await SendAsync(webhook, attempt, options.Patience, cancellationToken);
            spent += Stopwatch.GetElapsedTime(begin);
            var isTransient = status is 0 or >= 500 || Transient.Contains(status);
            if (!isTransient || attempt == options.RetriesMax) return new Delivery(webhook, status, attempt + 1, spent, isDuplicate);
            await Task.Delay(options.RetryPause ?? TimeSpan.FromSeconds(300 + dice.Below(601)), _time, cancellationToken);
        }
    }

    private async Task<int> SendAsync(WebhookEvent webhook, int retry, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        waiting.CancelAfter(patience);
        try
        {
            using var request = Request(webhook, retry);
            using var response = await client.SendAsync(request, waiting.Token);
            return (int)response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return 0; // no connection, or one that ended: Jira tries again
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return 0; // no answer in time
        }
    }
}
