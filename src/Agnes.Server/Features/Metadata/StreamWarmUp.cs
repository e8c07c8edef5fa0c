using System.Runtime.CompilerServices;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary>
/// <c>GET /api/admin/cache-warmup/stream</c>: how things stand, then what happens, until a run is done or nothing happens any more.
/// </summary>
internal static class StreamWarmUp
{
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(30);

    private static readonly string[] Told = [WarmUpEvents.Start, WarmUpEvents.Row, WarmUpEvents.Complete];

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, JobEvents events, MetadataCache cache, TimeProvider time)
    {
        using var watch = events.Watch(WarmUpJob.KindName, null, null);
        if (watch is null)
            return Problem.Detail(
                StatusCodes.Status503ServiceUnavailable, "Too many streams are open; poll /api/admin/cache-warmup/status instead.");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        await using var stream = EventsAsync(watch, state, cache, time, ended.Token).GetAsyncEnumerator(ended.Token);
        await EventStream.WriteAsync(context, stream, time, ended);
        return Results.Empty;
    }

    private static async IAsyncEnumerable<StreamEvent> EventsAsync(
        JobWatch watch, StateDb state, MetadataCache cache, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var standing = await WarmUpJson.StandingAsync(state, cache, cancellation);
        yield return standing is null
            ? new StreamEvent(null, WarmUpEvents.Idle, WarmUpJson.Never().ToJsonString())
            : new StreamEvent(null, WarmUpEvents.Snapshot, standing.ToJsonString());
        while (await NextAsync(watch, time, cancellation) is { } happened)
        {
            if (!Told.Contains(happened.Name, StringComparer.Ordinal)) continue;
            yield return new StreamEvent(null, happened.Name, happened.Data);
            if (happened.Name == WarmUpEvents.Complete) yield break;
        }
    }

    /// <returns>Null: nothing happened for a while.</returns>
    private static async Task<JobEvent?> NextAsync(JobWatch watch, TimeProvider time, CancellationToken cancellation)
    {
        using var silence = new CancellationTokenSource(SilenceMax, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, silence.Token);
        try
        {
            return await watch.Events.WaitToReadAsync(stop.Token) && watch.Events.TryRead(out var happened) ? happened : null;
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }
}
