using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>The one place that lets requests through to endpoints: it stands after routing and before every handler.</summary>
internal sealed partial class Enforcement(
    RequestDelegate next, StateDb state, Authenticator authenticator, SameOrigin sameOrigin, RateLimits limits, ApiRates rates, DiskReserve disk, RequestBounds bounds, Leases leases, AuditLog audit,
    ILogger<Enforcement> log)
{
    public Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint is not RouteEndpoint route) return endpoint is null ? Fallback.Answer(context).ExecuteAsync(context) : RefuseMethodAsync(context, endpoint);
        if (Fallback.IsSlashVariant(context, route)) return Fallback.Answer(context).ExecuteAsync(context);
        var pending = state.IsConfirmed ? authenticator.PrepareAsync(context) : ValueTask.FromResult(false);
        return pending.IsCompletedSuccessfully ? EnforceAsync(context, route, pending.Result) : EnforceWhenAsync(context, route, pending);
    }

    private async Task EnforceWhenAsync(HttpContext context, RouteEndpoint route, ValueTask<bool> pending) => await EnforceAsync(context, route, await pending);

    /// <param name="canDecide">Whether it is known who asks, or that nobody does.</param>
    private Task EnforceAsync(HttpContext context, RouteEndpoint route, bool canDecide)
    {
        var access = new RequestAccess(state.Snapshot);
        context.Features.Set(access);
        if (Refusal(context, route, access, canDecide) is { } refusal) return RefuseAsync(context, refusal);
        return access.Caller is { } caller ? RunAsync(context, access, caller) : next(context);
    }

    /// <summary>Everything that somebody known asks for runs under a lease, from here to its last byte, and asks again before it writes.</summary>
    private async Task RunAsync(HttpContext context, RequestAccess access, Caller caller)
    {
        var asked = AskedAccess.Of(context, context.GetEndpoint()!.Metadata.GetMetadata<EndpointAccess>()!, access);
        WriteRight.Current = new WriteRight(now => asked.Refusal(authenticator, now), () => state.Snapshot); // ends with this method
        using var lease = leases.Open(context, asked, access);
        access.Lease = lease;
        if (caller.SimulatedBy is { } admin) await SimulateAsync(context, admin, caller.UserId);
        else await next(context);
    }

    private async Task SimulateAsync(HttpContext context, string admin, string user)
    {
        var what = new JsonObject { ["method"] = context.Request.Method, ["path"] = context.Request.Path.Value, ["request_id"] = context.TraceIdentifier };
        await audit.AppendAsync(admin, Simulation.Action, $"user:{user}", what, cancellation: context.RequestAborted);
        context.Response.Headers.Append("Vary", Simulation.Header);
        await next(context);
    }

    private IResult? Refusal(HttpContext context, RouteEndpoint endpoint, RequestAccess access, bool canDecide)
    {
        var declared = endpoint.Metadata.GetMetadata<EndpointAccess>();
        if (declared is null)
        {
            LogUndeclared(log, endpoint.RoutePattern.RawText ?? "");
            return Problem.Detail(StatusCodes.Status403Forbidden, "This endpoint is not open to anybody.");
        }

        if (sameOrigin.Refuses(context)) return Problem.Detail(StatusCodes.Status403Forbidden, SameOrigin.Refused);
        if (limits.Spent(context) is { } spent) return spent;
        if (declared is EndpointAccess.PublicAccess) return bounds.Apply(context, declared);
        if (!state.IsConfirmed || !canDecide)
        {
            context.Response.Headers.RetryAfter = "1";
            return Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Access cannot be decided at the moment: the shared state does not answer. Try again shortly.");
        }

        access.Credential = authenticator.CredentialOf(context);
        var outcome = authenticator.Authenticate(access.Credential, access.Snapshot);
        if (outcome.Caller is not { } caller) return Problem.Detail(StatusCodes.Status401Unauthorized, outcome.Failure!);
        access.Caller = caller;
        if (AuditOrigin.Current is { } origin) origin.CallerId = caller.UserId;
        if (rates.Refusal(caller.UserId, endpoint.Metadata.GetMetadata<LittleCall>() is not null) is { } tooFast) return tooFast;
        if (AccessRules.Refusal(context, declared, access) is { } refusal) return refusal;
        return endpoint.Metadata.GetMetadata<DiskFilling>() is not null && disk.IsLow ? DiskReserve.Refusal() : bounds.Apply(context, declared);
    }

    private static Task RefuseAsync(HttpContext context, IResult refusal)
    {
        context.Response.Headers.CacheControl = "no-store";
        return refusal.ExecuteAsync(context);
    }

    /// <summary>Routing knows the path, but not this method of it; its own endpoint says which methods there are.</summary>
    private static async Task RefuseMethodAsync(HttpContext context, Endpoint endpoint)
    {
        if (endpoint.RequestDelegate is { } describe) await describe(context);
        if (!context.Response.HasStarted) await Fallback.MethodNotAllowed().ExecuteAsync(context);
    }

    [LoggerMessage(EventId = 5101, Level = LogLevel.Error, Message = "The endpoint {Route} declares no access and is denied to everybody.")]
    private static partial void LogUndeclared(ILogger log, string route);
}
