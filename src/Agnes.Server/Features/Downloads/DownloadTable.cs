using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Downloads;

/// <summary><c>GET|HEAD /api/data/{table_id}/download</c>: the whole table as one file.</summary>
internal static class DownloadTable
{
    private const int RetryAfterSeconds = 15;

    public static async Task<IResult> Handle(HttpContext context, string table_id, PartStore parts, Consolidations consolidations)
    {
        if (context.Table() is not { } table || table.Published is not { Parts.Count: > 0 } version) return Problem.NotFound($"Table '{table_id}' not found");
        if (version.Parts.Count == 1) return Send(parts, table, version, version.Parts[0].Sha256, version.Parts[0].SizeBytes);

        await consolidations.AskAsync(table.Name, context.RequestAborted);
        if (Consolidations.NewestWhole(context.Snapshot(), table.Name) is { Whole: { } whole } last) return Send(parts, table, last, whole.Sha256, whole.SizeBytes);
        context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString();
        return Problem.Detail(
            StatusCodes.Status503ServiceUnavailable,
            $"Table '{table_id}' is kept in {version.Parts.Count} parts; the one file is being made, ask again shortly. The parts can be fetched now: /api/sync/parts/{table.Id}/{version.PartsDigest}");
    }

    private static IResult Send(PartStore parts, NamedTable table, PublishedVersion version, string sha256, long sizeBytes) =>
        PartResult.Open(parts, sha256, sizeBytes, $"{table.Name}.parquet", version.PublishedAt);
}
