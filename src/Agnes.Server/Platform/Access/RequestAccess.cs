using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>What the enforcement pinned to a request: one snapshot, who asks, and the table that the route names.</summary>
internal sealed class RequestAccess(Snapshot snapshot)
{
    public Snapshot Snapshot { get; } = snapshot;

    /// <summary>By what the request proves who asks; null where nobody had to.</summary>
    public Credential? Credential { get; set; }

    public Caller? Caller { get; set; }

    public NamedTable? Table { get; set; }

    /// <summary>Null where the endpoint is public.</summary>
    public RequestLease? Lease { get; set; }
}

/// <summary>How endpoints learn what the enforcement found out.</summary>
public static class RequestAccessExtensions
{
    /// <summary>The one snapshot of this request: everything it reads comes from here.</summary>
    public static Snapshot Snapshot(this HttpContext context) => context.Access().Snapshot;

    /// <summary>Who asks. Only where the endpoint declared more than <c>Public</c>.</summary>
    public static Caller Caller(this HttpContext context) =>
        context.Access().Caller ?? throw new InvalidOperationException("The endpoint is public: ask CallerOrNull.");

    /// <summary>Who asks on a public endpoint, when they are signed in at all.</summary>
    public static Caller? CallerOrNull(this HttpContext context)
    {
        var access = context.Access();
        if (!context.RequestServices.GetRequiredService<StateDb>().IsConfirmed) return null;
        var authenticator = context.RequestServices.GetRequiredService<Authenticator>();
        return access.Caller ??= authenticator.Authenticate(authenticator.CredentialOf(context), access.Snapshot).Caller;
    }

    /// <summary>The table that the route names, on endpoints with <c>NeedsTable</c>. Null: it does not exist, and the caller may know that.</summary>
    public static NamedTable? Table(this HttpContext context) => context.Access().Table;

    /// <summary>What statements of this request run under: it ends when the asker may no longer have what they ask for.</summary>
    internal static Agnes.Engine.Query.Lease Lease(this HttpContext context) =>
        context.Access().Lease?.Lease ?? throw new InvalidOperationException("The endpoint is public: nobody's access can end.");

    internal static RequestAccess Access(this HttpContext context)
    {
        if (context.Features.Get<RequestAccess>() is { } access) return access;
        access = new RequestAccess(context.RequestServices.GetRequiredService<StateDb>().Snapshot);
        context.Features.Set(access);
        return access;
    }
}
