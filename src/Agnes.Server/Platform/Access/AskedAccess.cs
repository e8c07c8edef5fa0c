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

    /// <returns>The asker as they are now; null where they would not be let through. What depends on the route and the token's scope
    /// alone does not change.</returns>
    public Caller? CallerNow(Authenticator authenticator, Snapshot now)
    {
        var caller = authenticator.Authenticate(Credential, now).Caller;
        if (caller is not null && ViewAs is not null)
            caller = caller.IsAdmin && now.User(ViewAs) is { Active: true } user ? Caller.Of(now, user, CallerKind.Simulation) with { SimulatedBy = caller.UserId } : null;
        if (caller is null) return null;
        var isLetThrough = Declared switch
        {
            EndpointAccess.AdminAccess => caller.IsAdmin,
            EndpointAccess.TableAccess => AccessRules.MayAskFor(now, caller, NamedTable.Resolve(now, caller, Table!)),
            _ => true,
        };
        return isLetThrough ? caller : null;
    }
}

/// <summary>By what a request proves who asks.</summary>
/// <param name="IsFromHeader">Else from the cookie.</param>
/// <param name="IsAmbiguous">Several cookies claim to be it, so that none counts.</param>
/// <param name="Address">Where it came from; for the record, never for a decision.</param>
internal sealed record Credential(string? Token, bool IsFromHeader, bool IsAmbiguous, string? Address);
