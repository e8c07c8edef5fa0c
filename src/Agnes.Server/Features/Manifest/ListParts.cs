using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Manifest;

/// <summary><c>GET /api/sync/parts/{table}/{parts_digest}</c>: the parts of a version that a manifest named.</summary>
internal static class ListParts
{
    public static IResult Handle(HttpContext context, string parts_digest)
    {
        var found = context.Table() is { } table ? context.Snapshot().Kept.GetValueOrDefault(table.Name)?.WithDigest("", parts_digest) : null;
        if (found is not { } version) return Problem.NotFound("No kept version of this table has these parts; get the manifest again.");
        var tag = $"\"{version.PartsDigest}\"";
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl = "private, no-cache";
        return Preconditions.NoneMatchIsEqual(context.Request, tag)
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : JsonBody.Of(new PartsList(version.Number, version.Columns, version.Parts), ProtocolJson.Default.PartsList);
    }
}
