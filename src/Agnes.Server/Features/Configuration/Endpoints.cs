using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Configuration;

/// <summary>The instance's configuration and its secrets. Admins only; a secret's value never comes out again.</summary>
internal static class ConfigurationEndpoints
{
    public static void MapConfiguration(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin").WithTags("Configuration").Admin();
        admin.MapGet("/server-config", ShowServerConfig.Handle).WithSummary("The editable sections of the configuration, secrets masked.");
        admin.MapPost("/server-config", UpdateServerConfig.HandleAsync).WithSummary("Change sections: sections, confirm_danger, dry_run, $unset; If-Match guards against concurrent edits.");
        admin.MapPost("/configure", Configure.HandleAsync).WithSummary("The first set-up: instance name, domain and data source in one go.");
        admin.MapGet("/secrets", Secrets.List).WithSummary("The names of the stored secrets.");
        admin.MapPut("/secrets/{name}", Secrets.SetAsync).WithSummary("Store a secret under the name of an environment variable.");
        admin.MapDelete("/secrets/{name}", Secrets.RemoveAsync).WithSummary("Forget a stored secret.");
    }
}
