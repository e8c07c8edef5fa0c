using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Agnes.Server.Tests.Serving;

/// <summary>Endpoints that do what no endpoint of the product does on demand.</summary>
internal static class Probes
{
    public const string Secret = "Host=db;Password=hunter2 at /srv/secret";
    public const int SmallBytesMax = 1_000;

    public static void Map(WebApplication app)
    {
        foreach (var path in (string[])["/api/large", "/api/data/large", "/cli/wheel/large"]) app.MapGet(path, (int length) => JsonBody.Of(new string('a', length - 2))).Public();
        app.MapPost("/api/echo", EchoAsync).Public().BodyBytesMax(SmallBytesMax);
        app.MapGet("/api/broken", IResult () => throw new InvalidOperationException(Secret)).Public();
        app.MapGet("/broken", IResult () => throw new InvalidOperationException(Secret)).Public();
        app.MapGet("/api/full", IResult () => throw new StateUnavailableException(StateFailure.DiskFull, "No space left on /srv/secret")).Public();
        app.MapGet("/api/taken", IResult () => throw new ProblemException(StatusCodes.Status409Conflict, "code_of_it", "What to do next.")).Public();
        app.MapGet("/api/whence", (HttpContext context) => $"{context.Request.Scheme} {context.Connection.RemoteIpAddress}").Public();
        app.MapGet("/api/watch/{table_id}", WatchAsync).NeedsTable("table_id");
        app.MapGet("/page", () => "for you").SignedIn();
        app.MapPost("/page", () => "for you").SignedIn();
        app.MapGet("/api/forgotten", () => Secret);
    }

    /// <summary>Ends when the asker may no longer look on.</summary>
    private static async Task<IResult> WatchAsync(HttpContext context, CancellationToken stop)
    {
        var ended = new TaskCompletionSource();
        await using var registered = context.Lease().Ended.Register(ended.SetResult);
        await ended.Task.WaitAsync(stop);
        return JsonBody.Of("ended");
    }

    private static async Task<IResult> EchoAsync(HttpContext context, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var value = body.String("a");
        body.ThrowIfInvalid();
        return JsonBody.Of(value);
    }
}
