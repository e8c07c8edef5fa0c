using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Webhooks;

/// <summary>Lets deliveries in: a few at once, each whole and proven before its kind sees what it says.</summary>
internal sealed class Deliveries(RateLimits limits, AuditLog audit, IServiceProvider services) : IDisposable
{
    public const long BytesMax = 1 << 20;

    /// <summary>Only what is not genuine counts, and what does not arrive in its time: a source may have much to say.</summary>
    public const int GuessesPerMinuteMax = 60;

    private const int AtOnceMax = 64;
    private const string Action = "webhook";
    private static readonly TimeSpan PlaceWait = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _places = new(AtOnceMax);

    public Task<IResult> TakeAsync(HttpContext context, SourceKind kind) => TakeAsync(context, kind.Receiver!, kind.Name);

    /// <param name="source">Whose it is, for the audit and the count of guesses.</param>
    public async Task<IResult> TakeAsync(HttpContext context, IReceiver receiver, string source)
    {
        if (receiver.NotSetUp(services) is { } missing) return Problem.Detail(StatusCodes.Status503ServiceUnavailable, missing);
        if (!await _places.WaitAsync(PlaceWait, context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "5";
            return Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Too many deliveries at once. Send it again in a moment.");
        }

        try
        {
            using var body = new MemoryStream();
            try
            {
                await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            }
            catch (BadHttpRequestException late) when (late.StatusCode == StatusCodes.Status408RequestTimeout)
            {
                limits.Take(context, source); // else one address held all places by sending nothing
                throw;
            }

            return await TakeAsync(context, receiver, source, new Delivery(context.Request.Headers, body.GetBuffer().AsMemory(0, (int)body.Length)));
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task<IResult> TakeAsync(HttpContext context, IReceiver receiver, string source, Delivery delivery)
    {
        if (!receiver.IsGenuine(delivery, services))
        {
            await audit.AppendAsync(null, Action, $"source:{source}", What(delivery), "InvalidSignature", cancellation: CancellationToken.None);
            limits.Take(context, source);
            return Problem.Detail(StatusCodes.Status401Unauthorized, "Invalid signature");
        }

        var answer = await receiver.TakeAsync(delivery, services, context.RequestAborted);
        if ((answer as IStatusCodeHttpResult)?.StatusCode is >= StatusCodes.Status400BadRequest)
            await audit.AppendAsync(null, Action, $"source:{source}", What(delivery), "Refused", cancellation: CancellationToken.None);
        return answer; // what was taken is kept by its kind: an entry for each of thousands a second would bury all others
    }

    private static JsonObject What(Delivery delivery) =>
        new() { ["bytes"] = delivery.Body.Length, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(delivery.Body.Span)) };
}
