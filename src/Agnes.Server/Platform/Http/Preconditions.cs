using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Agnes.Server.Platform.Http;

internal enum PreconditionOutcome
{
    Proceed,
    NotModified,
    Failed,
}

/// <summary>Conditional requests by RFC 9110 §13, in its order: If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since.</summary>
internal static class Preconditions
{
    public static PreconditionOutcome Evaluate(HttpRequest request, EntityTagHeaderValue tag, DateTimeOffset? lastModified)
    {
        var headers = request.GetTypedHeaders();
        if (request.Headers.ContainsKey(HeaderNames.IfMatch))
        {
            if (!Matches(request.Headers.IfMatch, tag, strong: true)) return PreconditionOutcome.Failed;
        }
        else if (lastModified is { } unmodified && headers.IfUnmodifiedSince is { } since && WholeSeconds(unmodified) > since)
        {
            return PreconditionOutcome.Failed;
        }

        var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (request.Headers.ContainsKey(HeaderNames.IfNoneMatch))
        {
            if (!Matches(request.Headers.IfNoneMatch, tag, strong: false)) return PreconditionOutcome.Proceed;
            return reads ? PreconditionOutcome.NotModified : PreconditionOutcome.Failed;
        }

        var unchanged = reads && lastModified is { } modified && headers.IfModifiedSince is { } seen && WholeSeconds(modified) <= seen;
        return unchanged ? PreconditionOutcome.NotModified : PreconditionOutcome.Proceed;
    }

    /// <summary>Whether a range may be served from what we have now; a weak tag or another date asks for the whole.</summary>
    public static bool RangeStillApplies(HttpRequest request, EntityTagHeaderValue tag, DateTimeOffset? lastModified)
    {
        if (!request.Headers.ContainsKey(HeaderNames.IfRange)) return true;
        var condition = request.GetTypedHeaders().IfRange;
        if (condition?.EntityTag is { } wanted) return wanted.Compare(tag, useStrongComparison: true);
        return condition?.LastModified is { } date && lastModified is { } modified && WholeSeconds(modified) == date;
    }

    /// <summary>The answer that costs nothing: the common single, literally equal tag is compared without parsing.</summary>
    public static bool NoneMatchIsEqual(HttpRequest request, string tag) =>
        request.Headers.IfNoneMatch is { Count: > 0 } given
        && (string.Equals(given[0], tag, StringComparison.Ordinal) || Matches(given, EntityTagHeaderValue.Parse(tag), strong: false));

    private static bool Matches(StringValues header, EntityTagHeaderValue tag, bool strong)
    {
        if (header.Count == 1 && string.Equals(header[0]?.Trim(), "*", StringComparison.Ordinal)) return true;
        return EntityTagHeaderValue.TryParseList(header.ToArray()!, out var tags) && tags.Any(t => t.Compare(tag, strong));
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerSecond));
}
