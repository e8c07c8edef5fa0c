using System.Net;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sync.Alerts;

/// <summary>Alerts on their way to the operator's webhook. What was posted is sent as it is, signed where there is a secret.</summary>
internal sealed class AlertWebhook(IHttpClientFactory clients, ServerOptions options) : IOutlet
{
    public const string ChannelName = "alerts";
    public const string ClientName = "alerts";
    public const string SignatureHeader = "X-Agnes-Signature";

    public string Channel => ChannelName;

    /// <returns>As the header has it.</returns>
    public static string Sign(string secret, string body) =>
        $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)))}";

    public async Task SendAsync(string content, CancellationToken cancellation)
    {
        using var client = clients.CreateClient(ClientName);
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Alerts.Webhook) { Content = new StringContent(content, Encoding.UTF8, "application/json") };
        if (options.Alerts.WebhookSecret is { } secret) request.Headers.Add(SignatureHeader, Sign(secret, content));
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (response.IsSuccessStatusCode) return;
            var isForNow = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500;
            throw new OutletException($"the webhook answered {(int)response.StatusCode}", isForNow);
        }
        catch (HttpRequestException fault)
        {
            throw new OutletException($"the webhook did not answer as it should: {fault.HttpRequestError}", isForNow: true, fault);
        }
    }
}
