using System.Text;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Serving;

/// <param name="Id">What a client sends back as <c>Last-Event-ID</c>; null leaves its last one.</param>
internal sealed record StreamEvent(string? Id, string Name, string Data);

/// <summary>
/// Server-sent events. A comment goes out when nothing else did for a while, so that proxies keep the connection and a dead client is noticed;
/// the stream ends when the asker's access does.
/// </summary>
internal static class EventStream
{
    public const string ContentType = "text/event-stream";

    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(15);

    /// <param name="events">The stream ends with them.</param>
    /// <param name="ended">Stops <paramref name="events"/>, cancelled here when the stream ends, and when the client goes.</param>
    public static async Task WriteAsync(HttpContext context, IAsyncEnumerator<StreamEvent> events, TimeProvider time, CancellationTokenSource ended)
    {
        var response = context.Response;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.Body.WriteAsync(": connected\n\n"u8.ToArray(), ended.Token);
        await response.Body.FlushAsync(ended.Token);

        var access = context.Lease().Ended;
        using var woken = CancellationTokenSource.CreateLinkedTokenSource(ended.Token, access);
        var waiting = events.MoveNextAsync().AsTask();
        try
        {
            for (; ; )
            {
                await Task.WhenAny(waiting, Task.Delay(HeartbeatEvery, time, woken.Token));
                ended.Token.ThrowIfCancellationRequested();
                if (access.IsCancellationRequested) return;
                if (waiting.IsCompleted)
                {
                    if (!await waiting) return;
                    await response.Body.WriteAsync(Encode(events.Current), ended.Token);
                    waiting = events.MoveNextAsync().AsTask();
                }
                else
                {
                    await response.Body.WriteAsync(": still here\n\n"u8.ToArray(), ended.Token);
                }

                await response.Body.FlushAsync(ended.Token);
            }
        }
        finally
        {
            await ended.CancelAsync();
            await ((Task)waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the sequence may not be disposed while it is asked for its next
        }
    }

    private static byte[] Encode(StreamEvent happened)
    {
        var text = new StringBuilder();
        if (happened.Id is { } id) text.Append("id: ").Append(id).Append('\n');
        text.Append("event: ").Append(happened.Name).Append('\n');
        foreach (var line in happened.Data.Split('\n')) text.Append("data: ").Append(line).Append('\n');
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }
}
