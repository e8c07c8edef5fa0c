using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Configuration;

/// <summary>The instance's configuration and its secrets. Admins only; a secret's value never comes out again.</summary>
internal static class ConfigurationEndpoints
{
    public static void MapConfiguration(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin").WithTags("Configuration").Admin();
        admin.MapGet("/server-config", ShowServerConfig.Handle).Produces<ServerConfigAnswer>()
            .WithSummary("The editable sections of the configuration, secrets masked.");
        admin.MapPost("/server-config", UpdateServerConfig.HandleAsync).Produces<ConfigChangeAnswer>()
            .WithSummary("Change sections: sections, confirm_danger, dry_run, $unset; If-Match guards against concurrent edits.");
        admin.MapPost("/configure", Configure.HandleAsync).Produces<SetUpDone>()
            .WithSummary("The first set-up: instance name, domain and data source in one go.");
        admin.MapGet("/secrets", Secrets.List).Produces<SecretList>().WithSummary("The names of the stored secrets.");
        admin.MapPut("/secrets/{name}", Secrets.SetAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Store a secret under the name of an environment variable.");
        admin.MapDelete("/secrets/{name}", Secrets.RemoveAsync).Produces(StatusCodes.Status204NoContent)
            .WithSummary("Forget a stored secret.");
    }
}
