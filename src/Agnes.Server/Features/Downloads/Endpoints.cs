using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Serving;

namespace Agnes.Server.Features.Downloads;

/// <summary>The bytes of tables. Nothing in here depends on how many tables or users there are.</summary>
internal static class DownloadsFeature
{
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    public static void MapDownloads(this IEndpointRouteBuilder routes)
    {
        var data = routes.MapGroup("/api/data").WithTags("data").CountsLittle();
        data.MapMethods("/{table_id}/download", Reading, DownloadTable.Handle)
            .Produces<Stream>(contentType: ParquetResult.ContentType)
            .NeedsTable("table_id");
        data.MapMethods("/{table_id}/parts/{sha256}", Reading, DownloadPart.Handle)
            .Produces<Stream>(contentType: ParquetResult.ContentType)
            .NeedsTable("table_id");
        data.MapGet("/{table_id}/check-access", CheckAccess.Handle).Produces(StatusCodes.Status204NoContent)
            .NeedsTable("table_id").MayBeSimulated();
    }
}
