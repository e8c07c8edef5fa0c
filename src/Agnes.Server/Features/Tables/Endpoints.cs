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
        admin.MapPost("/register-table", RegisterTable.HandleAsync);
        admin.MapPost("/register-table/precheck", PrecheckTable.HandleAsync);
        admin.MapGet("/discover-tables", DiscoverTables.HandleAsync)
            .WithSummary("What a source has that could be registered: ?connection= and ?dataset= narrow it.");
        admin.MapPost("/discover-and-register", DiscoverAndRegister.HandleAsync)
            .WithSummary("Registers what the Keboola project has and nobody registered: ?dry_run=true says what that would be.");
        admin.MapPost("/register-tables", RegisterTables.HandleAsync).BodyBytesMax(BatchBytesMax);
        admin.MapGet("/registry", ListRegistry.Handle);
        admin.MapGet("/registry/{id}/set-aside", ShowSetAside.Handle);
        admin.MapPut("/registry/{id}", UpdateTable.HandleAsync);
        admin.MapDelete("/registry/{id}", DeleteTable.HandleAsync);
    }
}
