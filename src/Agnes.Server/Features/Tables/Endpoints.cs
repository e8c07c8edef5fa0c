using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Tables;

/// <summary>Which tables there are: the registry, for admins.</summary>
internal static class TablesFeature
{
    private const long BatchBytesMax = 4L << 20;

    public static void AddTables(this IServiceCollection services)
    {
        services.AddSingleton<TablePreviews>();
        services.AddSingleton<SourceListings>();
    }

    public static void MapTables(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin").WithTags("registry").Admin();
        admin.MapPost("/register-table", RegisterTable.HandleAsync).Produces<RegisteredAnswer>(StatusCodes.Status201Created);
        admin.MapPost("/register-table/precheck", PrecheckTable.HandleAsync).Produces<PrecheckAnswer>();
        admin.MapGet("/discover-tables", DiscoverTables.HandleAsync).Produces<DiscoveredAnswer>()
            .WithSummary("What a source has that could be registered: ?connection= and ?dataset= narrow it.");
        admin.MapPost("/discover-and-register", DiscoverAndRegister.HandleAsync).Produces<DiscoverAndRegisterAnswer>()
            .WithSummary("Registers what the Keboola project has and nobody registered: ?dry_run=true says what that would be.");
        admin.MapPost("/register-tables", RegisterTables.HandleAsync).Produces<RegisteredTablesAnswer>(StatusCodes.Status201Created)
            .BodyBytesMax(BatchBytesMax);
        admin.MapGet("/registry", ListRegistry.Handle).Produces<RegistryAnswer>();
        admin.MapGet("/registry/{id}/set-aside", ShowSetAside.Handle).Produces<SetAsideRows>();
        admin.MapPut("/registry/{id}", UpdateTable.HandleAsync).Produces<UpdatedTable>();
        admin.MapDelete("/registry/{id}", DeleteTable.HandleAsync).Produces(StatusCodes.Status204NoContent);
    }
}
