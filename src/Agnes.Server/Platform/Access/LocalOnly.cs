using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// Stands in front of everything in local development, whose sessions are an admin's: only under this machine's own names, and no page of another site. A name that
/// somebody points at this machine (DNS rebinding), a proxy, and a form on a foreign page are refused, whatever credentials come along. It grants nothing, and that the
/// server is reached from this machine alone follows from where it listens.
/// </summary>
internal static class LocalOnly
{
    public const string NotThisMachine = "Local development answers this machine only, under localhost or 127.0.0.1.";
    public const string Proxied = "Local development refuses what came through a proxy: unset LOCAL_DEV_MODE to serve others.";

    /// <summary>Before forwarded headers are looked at, and before routing.</summary>
    public static IApplicationBuilder UseLocalOnly(this IApplicationBuilder app, ServerOptions options) => options.LocalDevelopment is null ? app : app.Use((context, next) =>
        Refusal(context) is { } refusal ? new ProblemResult(StatusCodes.Status403Forbidden, refusal, refusal, alwaysJson: true).ExecuteAsync(context) : next(context));

    private static string? Refusal(HttpContext context)
    {
        var request = context.Request;
        if (ClientAddress.MarkOf(request) is not null) return Proxied;
        if (!LocalDevelopment.IsThisMachine(request.Host.Host)) return NotThisMachine;
        return SameOrigin.IsChange(request) && SameOrigin.IsForeign(request) ? SameOrigin.Refused : null;
    }
}
