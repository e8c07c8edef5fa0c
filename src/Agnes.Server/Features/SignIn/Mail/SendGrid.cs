using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Delivers through SendGrid's web interface. Clicks are not counted there: that would send every link, which is a key, through another site.</summary>
internal sealed class SendGrid(IHttpClientFactory clients, MailOptions.SendGridOptions options) : IMailTransport
{
    public const string ClientName = "sendgrid";

    public async Task SendAsync(Letter letter, CancellationToken stop)
    {
        using var client = clients.CreateClient(ClientName);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(options.Address, "/v3/mail/send")) { Content = new StringContent(Body(letter), Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.Key);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.IsSuccessStatusCode) return;
            var isForNow = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)response.StatusCode >= 500;
            throw new MailException($"SendGrid answered {(int)response.StatusCode}", isForNow);
        }
        catch (HttpRequestException fault)
        {
            throw new MailException($"SendGrid did not answer as it should: {fault.HttpRequestError}", isForNow: true, fault);
        }
    }

    private string Body(Letter letter) => new JsonObject
    {
        ["personalizations"] = new JsonArray((JsonNode)new JsonObject { ["to"] = new JsonArray((JsonNode)new JsonObject { ["email"] = letter.To }) }),
        ["from"] = options.From.Name is { } name ? new JsonObject { ["email"] = options.From.Address, ["name"] = name } : new JsonObject { ["email"] = options.From.Address },
        ["subject"] = letter.Subject,
        ["content"] = new JsonArray((JsonNode)new JsonObject { ["type"] = "text/plain", ["value"] = letter.Text }),
        ["tracking_settings"] = new JsonObject
        {
            ["click_tracking"] = new JsonObject { ["enable"] = false, ["enable_text"] = false },
            ["open_tracking"] = new JsonObject { ["enable"] = false },
        },
    }.ToJsonString();
}
