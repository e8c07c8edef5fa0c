using Agnes.Protocol;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Manifest;

/// <summary>What a caller may pull.</summary>
internal static class ManifestFeature
{
    public static void MapManifest(this IEndpointRouteBuilder routes)
    {
        var sync = routes.MapGroup("/api/sync").WithTags("sync").CountsLittle();
        sync.MapGet("/manifest", ShowManifest.Handle).Produces<Agnes.Protocol.Manifest>().SignedIn().MayBeSimulated();
        sync.MapGet("/parts/{table}/{parts_digest}", ListParts.Handle).Produces<PartsList>().NeedsTable("table");
    }
}
