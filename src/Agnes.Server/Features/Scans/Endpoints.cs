using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Scans;

/// <summary>Parts of tables as files, for laptops that do not have the table.</summary>
internal static class ScansFeature
{
    private const long BodyBytesMax = 256 << 10;

    public static void MapScans(this IEndpointRouteBuilder routes)
    {
        var scan = routes.MapGroup("/api/v2/scan").WithTags("scan").SignedIn().OnlyReads().BodyBytesMax(BodyBytesMax);
        scan.MapPost("", RunScan.HandleAsync)
            .Produces<Stream>(contentType: RunScan.ArrowType, additionalContentTypes: [RunScan.ParquetType]).FillsDisk()
                .WithSummary("The chosen rows and columns of one table, as a file.");
        scan.MapPost("/estimate", EstimateScan.HandleAsync).Produces<ScanEstimate>()
            .WithSummary("What such a scan would cost; nothing is read.");
    }
}
