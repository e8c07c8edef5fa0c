using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>What each declaration asks of a caller who is known already.</summary>
internal static class AccessRules
{
    public const string AdminsOnly = "Admin access required";

    /// <summary>Null when the caller may go on; the table that the route names is then pinned.</summary>
    public static IResult? Refusal(HttpContext context, EndpointAccess declared, RequestAccess access)
    {
        if (Simulation.Apply(context, access) is { } refusal) return refusal;
        return declared switch
        {
            EndpointAccess.AdminAccess when !access.Caller!.IsAdmin => Problem.Detail(StatusCodes.Status403Forbidden, AdminsOnly),
            _ when TokenScope.Refusal(access.Caller!.Scope, context, declared) is { } narrow => Problem.Detail(StatusCodes.Status403Forbidden, narrow),
            EndpointAccess.TableAccess table => TableRefusal(context, access, table),
            _ => null,
        };
    }

    /// <summary>What the route calls the table that it needs.</summary>
    public static string TableSent(HttpContext context, EndpointAccess.TableAccess declared) => context.GetRouteValue(declared.RouteParameter) as string
        ?? throw new InvalidOperationException($"The route has no parameter '{declared.RouteParameter}'.");

    /// <summary>Only who may read everything learns that a table does not exist.</summary>
    public static bool MayAskFor(Snapshot snapshot, Caller caller, NamedTable? table) => table is null ? caller.IsAdmin : Access.CanRead(snapshot, caller, table);

    /// <summary>The refusal's text.</summary>
    public static string Denied(EndpointAccess.TableAccess declared, string sent) => declared.Denied.Replace("{table}", sent, StringComparison.Ordinal);

    private static IResult? TableRefusal(HttpContext context, RequestAccess access, EndpointAccess.TableAccess declared)
    {
        var sent = TableSent(context, declared);
        var caller = access.Caller!;
        var table = NamedTable.Resolve(access.Snapshot, caller, sent);
        if (!MayAskFor(access.Snapshot, caller, table))
        {
            return Problem.Detail(StatusCodes.Status403Forbidden, Denied(declared, sent));
        }

        access.Table = table;
        return null;
    }
}
