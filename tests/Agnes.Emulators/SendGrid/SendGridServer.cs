using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.SendGrid;

/// <summary>The one address of SendGrid's web interface that mails are handed to, with its answers: 202, 401 for a wrong key, 400 for a wrong body, 429 and 5xx on demand.</summary>
public sealed class SendGridServer : IAsyncDisposable
{
    public const string Key = "SG.a-key-of-the-emulator";
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<JsonNode> _taken = new();
    private readonly ConcurrentQueue<int> _next = new();
    private int _asked;

    private SendGridServer(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>What was taken, oldest first, as it came.</summary>
    public IReadOnlyCollection<JsonNode> Taken => _taken;

    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Answers the next request so, whatever it holds.</summary>
    public void AnswerNext(int status) => _next.Enqueue(status);

    public static async Task<SendGridServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new SendGridServer(app);
        app.MapPost("/v3/mail/send", (Delegate)server.TakeAsync);
        await app.StartAsync();
        server.Address = new Uri(app.Urls.First());
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task<IResult> TakeAsync(HttpContext context)
    {
        Interlocked.Increment(ref _asked);
        if (_next.TryDequeue(out var status)) return Results.StatusCode(status);
        if (context.Request.Headers.Authorization != $"Bearer {Key}") return Results.StatusCode(StatusCodes.Status401Unauthorized);
        var body = await JsonNode.ParseAsync(context.Request.Body);
        var isGood = body?["personalizations"]?[0]?["to"]?[0]?["email"] is not null && body["from"]?["email"] is not null && body["subject"] is not null
            && (string?)body["content"]?[0]?["type"] == "text/plain" && body["content"]?[0]?["value"] is not null;
        if (!isGood) return Results.StatusCode(StatusCodes.Status400BadRequest);
        _taken.Enqueue(body!);
        return Results.StatusCode(StatusCodes.Status202Accepted);
    }
}
