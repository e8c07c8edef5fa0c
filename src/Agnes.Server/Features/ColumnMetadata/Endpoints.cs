using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary>What columns mean: written by admins or their agents, shown with every schema, and given back to the source where it takes it.</summary>
internal static class ColumnMetadataFeature
{
    public static void AddColumnMetadata(this IServiceCollection services) => services.AddSingleton<IBelonging, ColumnMetadataBelonging>();

    public static void MapColumnMetadata(this IEndpointRouteBuilder routes)
    {
        var metadata = routes.MapGroup("/api/admin/metadata").WithTags("metadata");
        metadata.MapGet("/{table_id}", ShowColumns.HandleAsync).Produces<DescribedColumns>().NeedsTable("table_id")
            .WithSummary("What is known of a table's columns.");
        metadata.MapPost("/{table_id}", SaveColumns.HandleAsync).Produces<SavedColumns>().Admin()
            .WithSummary("Say what columns mean; a column or a field that is not named stays.");
        metadata.MapPost("/{table_id}/push", PushColumns.HandleAsync).Produces<PushedColumns>().Admin()
            .WithSummary("Give types and descriptions back to Keboola.");
    }
}
