using Agnes.Engine.Parts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Downloads;

/// <summary><c>GET|HEAD /api/data/{table_id}/parts/{sha256}</c>: a part, if a kept version of this very table has it.</summary>
internal static class DownloadPart
{
    public static IResult Handle(HttpContext context, string table_id, string sha256, PartStore parts)
    {
        if (context.Table() is not { } table) return Problem.NotFound($"Table '{table_id}' not found");
        return context.Snapshot().Kept.GetValueOrDefault(table.Name)?.Part("", sha256) is { } kept
            ? PartResult.Open(parts, kept.Sha256, kept.SizeBytes, $"{kept.Sha256}.parquet", lastModified: null)
            : Problem.NotFound("No kept version of this table has this part; get the manifest again.");
    }
}
