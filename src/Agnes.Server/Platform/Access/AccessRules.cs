using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>What each declaration asks of a caller who is known already.</summary>
internal static class AccessRules
{
    /// <summary>Null when the caller may go on; the table that the route names is then pinned.</summary>
    public static IResult? Refusal(HttpContext context, EndpointAccess declared, RequestAccess access)
    {
        if (Simulation.Apply(context, access) is { } refusal) return refusal;
        return declared switch
        {
            EndpointAccess.AdminAccess when !access.Caller!.IsAdmin => Problem.Detail(StatusCodes.Status403Forbidden, "Admin access required"),
            _ when TokenScope.Refusal(access.Caller!.Scope, context, declared) is { } narrow => Problem.Detail(StatusCodes.Status403Forbidden, narrow),
            EndpointAccess.TableAccess table => TableRefusal(context, access, table),
            _ => null,
        };
    }

    /// <summary>
    /// Whether the asker would be let through now: for streams, downloads and statements that outlive their snapshot. To be asked every few seconds while they run.
    /// </summary>
    public static bool StillAllowed(this HttpContext context)
    {
        var state = context.RequestServices.GetRequiredService<StateDb>();
        var declared = context.GetEndpoint()?.Metadata.GetMetadata<EndpointAccess>();
        if (declared is null or EndpointAccess.PublicAccess || !state.IsConfirmed) return declared is EndpointAccess.PublicAccess;
        var now = new RequestAccess(state.Snapshot);
        now.Caller = context.RequestServices.GetRequiredService<Authenticator>().Authenticate(context, now.Snapshot).Caller;
        return now.Caller is not null && Refusal(context, declared, now) is null;
    }

    private static IResult? TableRefusal(HttpContext context, RequestAccess access, EndpointAccess.TableAccess declared)
    {
        var sent = context.GetRouteValue(declared.RouteParameter) as string
            ?? throw new InvalidOperationException($"The route has no parameter '{declared.RouteParameter}'.");
        var caller = access.Caller!;
        var table = NamedTable.Resolve(access.Snapshot, caller, sent);
        if (table is null ? !caller.IsAdmin : !Access.CanRead(access.Snapshot, caller, table))
        {
            return Problem.Detail(StatusCodes.Status403Forbidden, declared.Denied.Replace("{table}", sent, StringComparison.Ordinal));
        }

        access.Table = table;
        return null;
    }
}
