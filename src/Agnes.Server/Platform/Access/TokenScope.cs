namespace Agnes.Server.Platform.Access;

/// <summary>What a personal access token may be used for. A scope only ever takes away from what its owner may do.</summary>
public static class TokenScope
{
    /// <summary>Everything that its owner may do.</summary>
    public const string General = "general";

    /// <summary>Reading: no endpoint that changes anything.</summary>
    public const string Read = "read";

    /// <summary>The plugin marketplace and nothing else.</summary>
    public const string Marketplace = "marketplace";

    /// <summary>What a new laptop needs to set itself up: everything that is not for admins.</summary>
    public const string Bootstrap = "bootstrap-analyst";

    public static readonly IReadOnlyList<string> Known = [General, Read, Marketplace, Bootstrap];

    /// <summary>Why a token of the scope cannot be used there, or null. Tokens from before there were scopes have none and may do everything; one that is not known may do nothing.</summary>
    internal static string? Refusal(string scope, HttpContext context, EndpointAccess declared)
    {
        var allowed = scope switch
        {
            General => true,
            Read => IsReading(context),
            Bootstrap => declared is not EndpointAccess.AdminAccess,
            Marketplace => context.GetEndpoint()?.Metadata.GetMetadata<MarketplaceUse>() is not null,
            _ => false,
        };
        return allowed ? null : $"The token's scope '{scope}' does not allow this: use one with the scope '{General}'.";
    }

    private static bool IsReading(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || context.GetEndpoint()?.Metadata.GetMetadata<ReadingUse>() is not null;
}

/// <summary>Marks an endpoint that only reads although its method says otherwise.</summary>
internal sealed record ReadingUse;

/// <summary>Marks what a token for the marketplace is for.</summary>
internal sealed record MarketplaceUse;

/// <summary>Marks a reading endpoint where an admin may look at things as another person: nothing private of that person is shown there.</summary>
internal sealed record SimulationUse;

/// <summary>What else endpoints say about themselves where they are mapped.</summary>
public static class EndpointUseExtensions
{
    public static T OnlyReads<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new ReadingUse());

    public static T ForMarketplace<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new MarketplaceUse());

    public static T MayBeSimulated<T>(this T endpoint) where T : IEndpointConventionBuilder => endpoint.WithMetadata(new SimulationUse());
}
