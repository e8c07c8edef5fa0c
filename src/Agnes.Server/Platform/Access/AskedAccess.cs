using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>What a request was let through by, as values: it can be asked again whenever, without the request.</summary>
/// <param name="Table">What the route names, where the endpoint needs a table.</param>
/// <param name="ViewAs">The person in whose place an admin asks.</param>
internal sealed record AskedAccess(Credential Credential, EndpointAccess Declared, string? Table, string? ViewAs)
{
    public static AskedAccess Of(HttpContext context, EndpointAccess declared, RequestAccess access) => new(
        access.Credential!,
        declared,
        declared is EndpointAccess.TableAccess table ? AccessRules.TableSent(context, table) : null,
        access.Caller?.SimulatedBy is null ? null : access.Caller.UserId);

    /// <returns>The asker as they are now; null where they would not be let through.</returns>
    public Caller? CallerNow(Authenticator authenticator, Snapshot now) => Look(authenticator, now).Caller;

    /// <returns>What the same request would be answered now; null where it would be let through.</returns>
    public ProblemException? Refusal(Authenticator authenticator, Snapshot now) => Look(authenticator, now).Refusal;

    /// <summary>What depends on the route and the token's scope alone does not change.</summary>
    private (Caller? Caller, ProblemException? Refusal) Look(Authenticator authenticator, Snapshot now)
    {
        var outcome = authenticator.Authenticate(Credential, now);
        if (outcome.Caller is not { } caller) return (null, new ProblemException(StatusCodes.Status401Unauthorized, outcome.Failure!));
        if (ViewAs is not null)
        {
            if (!caller.IsAdmin || now.User(ViewAs) is not { Active: true } user) return (null, Forbidden(AccessRules.AdminsOnly));
            caller = Caller.Of(now, user, CallerKind.Simulation) with { SimulatedBy = caller.UserId };
        }

        return Declared switch
        {
            EndpointAccess.AdminAccess when !caller.IsAdmin => (null, Forbidden(AccessRules.AdminsOnly)),
            EndpointAccess.TableAccess table when !AccessRules.MayAskFor(now, caller, NamedTable.Resolve(now, caller, Table!)) => (null, Forbidden(AccessRules.Denied(table, Table!))),
            _ => (caller, null),
        };
    }

    private static ProblemException Forbidden(string detail) => new(StatusCodes.Status403Forbidden, detail);
}

/// <summary>By what a request proves who asks.</summary>
/// <param name="IsFromHeader">Else from the cookie.</param>
/// <param name="IsAmbiguous">Several cookies claim to be it, so that none counts.</param>
/// <param name="Address">Where it came from; for the record, never for a decision.</param>
internal sealed record Credential(string? Token, bool IsFromHeader, bool IsAmbiguous, string? Address);
