namespace Agnes.Server.Platform.Access;

/// <summary>
/// Lets an admin see what a person sees: the header names the person by id or e-mail. Only where an endpoint says so, only reading, and every such request is audited
/// under the admin's name before it is answered.
/// </summary>
internal static class Simulation
{
    public const string Header = "X-Agnes-View-As";
    public const string Action = "access.simulated";

    /// <summary>Puts the person in the admin's place, or says why not.</summary>
    public static IResult? Apply(HttpContext context, RequestAccess access)
    {
        var wanted = context.Request.Headers[Header].ToString();
        if (wanted.Length == 0) return null;
        var admin = access.Caller!;
        if (!admin.IsAdmin || admin.Kind == CallerKind.Service) return Problem(StatusCodes.Status403Forbidden, "Admin access required");
        if (TokenScope.Refusal(admin.Scope, context, new EndpointAccess.AdminAccess()) is { } narrow) return Problem(StatusCodes.Status403Forbidden, narrow);
        var reads = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        if (!reads || context.GetEndpoint()?.Metadata.GetMetadata<SimulationUse>() is null)
        {
            return Problem(StatusCodes.Status403Forbidden, $"This cannot be seen as another person: leave {Header} out.");
        }

        if ((access.Snapshot.User(wanted) ?? access.Snapshot.UserByEmail(wanted)) is not { } user) return Problem(StatusCodes.Status404NotFound, "User not found");
        if (!user.Active) return Problem(StatusCodes.Status409Conflict, "The account is deactivated: it sees nothing.");
        access.Caller = Caller.Of(access.Snapshot, user, CallerKind.Simulation) with { SimulatedBy = admin.UserId };
        return null;
    }

    private static IResult Problem(int status, string text) => Http.Problem.Detail(status, text);
}
