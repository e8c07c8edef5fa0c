using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary>Which sources there are, and the connections to each. Admins only.</summary>
internal static class ConnectionsEndpoints
{
    public static void MapConnections(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin/connections").WithTags("Sources").Admin();
        admin.MapGet("", ListConnections.Handle).Produces<ConnectionsAnswer>()
            .WithSummary("The kinds of sources with what is set for each, and the connections that there are.");
        admin.MapPost("", AddConnection.HandleAsync).Produces<ConnectionAnswer>(StatusCodes.Status201Created)
            .WithSummary("Add a connection: name, kind, settings. Secrets are stored apart.");
        admin.MapPost("/{name}/check", CheckConnection.HandleAsync).Produces<CheckedConnection>().PerMinute(CheckConnection.PerMinuteMax)
            .WithSummary("Ask the source whether it is reached, takes the credentials, and may be read.");
        admin.MapPut("/{name}", UpdateConnection.HandleAsync).Produces<ConnectionAnswer>()
            .WithSummary("Change settings: what is absent stays, null clears.");
        admin.MapDelete("/{name}", RemoveConnection.HandleAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Remove a connection through which no table comes.");
    }
}
