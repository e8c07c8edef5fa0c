using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// Answers that depend on nothing but what the asker may read: made once for each set of groups and each change, then sent as they are. Their <c>server_time</c>
/// comes last and is no part of the tag. Making one grows with the tables in the scope; answering again, or 304, does not.
/// </summary>
internal sealed class ScopeBodies(TimeProvider time)
{
    private const int BodiesMax = 500;
    private readonly RecentCache<(string Kind, string Groups, long Access, long Registry, long Publications, long Beside), Body> _bodies = new(BodiesMax);

    /// <param name="beside">Another number wherever something that is no part of the snapshot makes the answer another one.</param>
    /// <param name="make">The body without its closing <c>,"server_time":"…"}</c>.</param>
    public IResult Answer(HttpContext context, string kind, Func<Snapshot, Caller, byte[]> make, long beside = 0)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var key = (kind, caller.GroupKey, snapshot.AccessVersion, snapshot.RegistryVersion, snapshot.PublicationVersion, beside);
        if (!_bodies.TryGet(key, out var body))
        {
            var bytes = make(snapshot, caller);
            body = new Body($"W/\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"", ImmutableArray.Create(bytes));
            _bodies.Set(key, body);
        }
        return new Result(body, time);
    }

    /// <summary>Cuts <c>,"server_time":""}</c> off a serialised answer.</summary>
    public static byte[] WithoutTime(byte[] serialised)
    {
        var end = ",\"server_time\":\"\"}"u8;
        return serialised.AsSpan().EndsWith(end) ? serialised[..^end.Length] : throw new ArgumentException("The answer does not end with an empty server_time.", nameof(serialised));
    }

    private sealed record Body(string Tag, ImmutableArray<byte> Start);

    private sealed class Result(Body body, TimeProvider time) : IResult
    {
        /// <summary>Measured: larger ones fall out of the processor's cache between the copy and the socket, smaller ones cost more calls.</summary>
        private const int PieceBytes = 64 * 1024;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.Headers.ETag = body.Tag;
            response.Headers.CacheControl = "private, no-cache";
            response.Headers.Vary = "Authorization, Cookie";
            if (Preconditions.NoneMatchIsEqual(httpContext.Request, body.Tag))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }

            var end = Encoding.ASCII.GetBytes($",\"server_time\":\"{Timestamps.Offset(time.GetUtcNow())}\"}}");
            response.ContentType = "application/json";
            response.ContentLength = body.Start.Length + end.Length;
            if (HttpMethods.IsHead(httpContext.Request.Method)) return Task.CompletedTask;
            return SendAsync(response, end, httpContext.RequestAborted);
        }

        private async Task SendAsync(HttpResponse response, byte[] end, CancellationToken cancellation)
        {
            // In large pieces: a plain write is cut into the server's blocks of 4 KiB, which halves the throughput of large bodies.
            var writer = response.BodyWriter;
            for (var at = 0; at < body.Start.Length; at += PieceBytes)
            {
                var piece = body.Start.AsSpan().Slice(at, Math.Min(PieceBytes, body.Start.Length - at));
                piece.CopyTo(writer.GetSpan(piece.Length));
                writer.Advance(piece.Length);
                await writer.FlushAsync(cancellation);
            }
            await writer.WriteAsync(end, cancellation);
        }
    }
}
