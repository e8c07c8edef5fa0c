using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// What a request's body may take of the server, in bytes and in time, as follows from who may call: little for an endpoint that is open to
/// anybody, unless it says that it bounds by itself what it reads at once. Every request passes here before its handler.
/// </summary>
internal sealed class RequestBounds(ServerOptions options)
{
    /// <summary>The slowest line that a large body may come over.</summary>
    private const long BytesPerSecondMin = 64 << 10;

    /// <summary>Bounds the body, unless it is too large by what it says of itself.</summary>
    /// <returns>The refusal.</returns>
    public IResult? Apply(HttpContext context, EndpointAccess declared)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false }) return null;
        var isPublic = declared is EndpointAccess.PublicAccess;
        var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        var most = limit?.MaxRequestBodySize ?? 0;
        if (isPublic) most = Math.Min(most, context.GetEndpoint()?.Metadata.GetMetadata<PublicBodyLimit>()?.Bytes ?? LimitOptions.PublicBodyBytesMax);
        if (context.Request.ContentLength > most)
        {
            // Kestrel reads and drops what follows, for some seconds at most. With its own limit it would end the connection instead,
            // unannounced, under the next request.
            if (limit is { IsReadOnly: false }) limit.MaxRequestBodySize = null;
            return Problem.TooLarge();
        }

        var body = new BoundedBody(context.Request.Body, most, isPublic ? options.Limits.PublicBodyTime : options.Limits.BodyTime + TimeFor(context.Request.ContentLength ?? most));
        context.Response.RegisterForDispose(body);
        context.Request.Body = body;
        return null;
    }

    private static TimeSpan TimeFor(long bytes) => TimeSpan.FromSeconds((double)bytes / BytesPerSecondMin);
}
