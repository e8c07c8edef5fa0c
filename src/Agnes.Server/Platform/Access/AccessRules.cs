using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>What each declaration asks of a caller who is known already.</summary>
internal static class AccessRules
{
    /// <summary>How often what runs on looks whether it still may.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

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
    /// <param name="also">What else must hold, as the state and the asker are now.</param>
    public static bool StillAllowed(this HttpContext context, Func<Snapshot, Caller, bool>? also = null)
    {
        var state = context.RequestServices.GetRequiredService<StateDb>();
        var declared = context.GetEndpoint()?.Metadata.GetMetadata<EndpointAccess>();
        if (declared is null or EndpointAccess.PublicAccess || !state.IsConfirmed) return declared is EndpointAccess.PublicAccess;
        var now = new RequestAccess(state.Snapshot);
        now.Caller = context.RequestServices.GetRequiredService<Authenticator>().Authenticate(context, now.Snapshot).Caller;
        return now.Caller is not null && Refusal(context, declared, now) is null && also?.Invoke(now.Snapshot, now.Caller) is not false;
    }

    /// <summary>Runs what may take long; it is cancelled within a second of the asker's access being taken away.</summary>
    /// <param name="also">What else must hold, as the state and the asker are now. Called while the work runs.</param>
    /// <returns>Whether the asker might have it until its end: else the result must not be told.</returns>
    public static async Task<(T Result, bool Allowed)> WhileAllowedAsync<T>(this HttpContext context, Func<CancellationToken, Task<T>> work, Func<Snapshot, Caller, bool> also)
    {
        using var revoked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var running = work(revoked.Token);
        while (!running.IsCompleted)
        {
            using var waiting = new CancellationTokenSource();
            await Task.WhenAny(running, Task.Delay(LookEvery, waiting.Token));
            await waiting.CancelAsync();
            if (running.IsCompleted || context.StillAllowed(also)) continue;
            await revoked.CancelAsync();
            return (await running, false);
        }

        return (await running, true);
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
