namespace Agnes.Server.Platform.Access;

/// <summary>Who may call an endpoint. An endpoint without one is answered as denied, and a test finds it.</summary>
public abstract record EndpointAccess
{
    private EndpointAccess()
    {
    }

    /// <summary>For the documentation of the API.</summary>
    public abstract string Description { get; }

    public sealed record PublicAccess : EndpointAccess
    {
        public override string Description => "public";
    }

    public sealed record SignedInAccess : EndpointAccess
    {
        public override string Description => "signed in";
    }

    public sealed record AdminAccess : EndpointAccess
    {
        public override string Description => "admin";
    }

    /// <param name="RouteParameter">The route's parameter that holds the table's id or name.</param>
    /// <param name="Denied">The text for a hidden and for a never-existing table alike; <c>{table}</c> stands for what was sent.</param>
    public sealed record TableAccess(string RouteParameter, string Denied) : EndpointAccess
    {
        public override string Description => $"access to the table {{{RouteParameter}}}";
    }
}

/// <summary>
/// What each endpoint says about itself where it is mapped. The last declaration counts, so a group may state a rule and one route another.
/// </summary>
public static class EndpointAccessExtensions
{
    public const string TableDenied = "Access denied to this table";

    /// <summary>Anybody, also without credentials.</summary>
    public static T Public<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new EndpointAccess.PublicAccess());

    /// <summary>Any active user.</summary>
    public static T SignedIn<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new EndpointAccess.SignedInAccess());

    /// <summary>Members of the group Admin.</summary>
    public static T Admin<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new EndpointAccess.AdminAccess());

    /// <summary>Those who may read the table that the route names. The endpoint finds it at <c>context.Table()</c>.</summary>
    public static T NeedsTable<T>(this T endpoint, string routeParameter, string denied = TableDenied) where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new EndpointAccess.TableAccess(routeParameter, denied));

    /// <summary>A larger or smaller limit for the request's body than the server's.</summary>
    public static T BodyBytesMax<T>(this T endpoint, long bytes) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new BodyLimit(bytes));

    /// <summary>For a public endpoint that has to take more than such ones do, and bounds by itself how many it reads at once.</summary>
    public static T PublicBodyBytesMax<T>(this T endpoint, long bytes) where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new PublicBodyLimit(bytes));

    /// <summary>
    /// How many calls of one network a minute are listened to. The handler counts, once it found the body valid: <see
    /// cref="RateLimits.Take(HttpContext)"/>.
    /// </summary>
    /// <param name="countedAs">Endpoints of one name share a window; by default each has its own.</param>
    public static T PerMinute<T>(this T endpoint, int calls, string? countedAs = null) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new CallLimit(calls, countedAs));

    /// <summary>
    /// Many such calls belong to one piece of work, e.g. the parts of a pull: they count little for how fast a person may call.
    /// </summary>
    public static T CountsLittle<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new LittleCall());

    /// <summary>
    /// What it makes stays on the disk, or lies there for a while: it is refused while less than the reserve is free. Control writes and
    /// reads are not.
    /// </summary>
    public static T FillsDisk<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new DiskFilling());

    private sealed record BodyLimit(long Bytes) : Microsoft.AspNetCore.Http.Metadata.IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => Bytes;
    }
}

/// <summary>See <see cref="EndpointAccessExtensions.PublicBodyBytesMax"/>.</summary>
internal sealed record PublicBodyLimit(long Bytes);

/// <summary>See <see cref="EndpointAccessExtensions.PerMinute"/>.</summary>
internal sealed record CallLimit(int PerMinute, string? Name)
{
    public string CountedAs(HttpContext context) => Name ?? $"{context.Request.Method} {(context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText}";
}

/// <summary>See <see cref="EndpointAccessExtensions.CountsLittle"/>.</summary>
internal sealed record LittleCall;

/// <summary>See <see cref="EndpointAccessExtensions.FillsDisk"/>.</summary>
internal sealed record DiskFilling;
