using Agnes.Engine.Extracts;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.History;

/// <summary><c>GET /api/v2/history/{table_id}</c></summary>
internal static class ShowHistory
{
    public static IResult Handle(HttpContext context, string table_id, int? parts = null)
    {
        if (context.Table() is not { } table) return Problem.NotFound($"table '{table_id}' not found");
        var kept = context.Snapshot().Kept.GetValueOrDefault(table.Name)?.ByNumber.Values.ToList() ?? [];
        var versions = kept.Select((version, i) => Of(version, i == 0 ? null : kept[i - 1], parts == 1)).Reverse();
        return JsonBody.Of(
            new TableHistory(table_id, PrimaryKey.Columns(table.Row?.PrimaryKey) ?? [], [.. versions]), ProtocolJson.Default.TableHistory);
    }

    /// <param name="before">The version that it took the place of, as far as that is kept.</param>
    public static TableVersion Of(PublishedVersion version, PublishedVersion? before, bool withParts)
    {
        var theirs = before?.Parts.Select(part => part.Sha256).ToHashSet(StringComparer.Ordinal);
        var fresh = theirs is null ? null : version.Parts.Where(part => !theirs.Contains(part.Sha256)).ToList();
        return new TableVersion(
            version.Number, Timestamps.Naive(version.PublishedAt), Timestamps.Naive(version.ExtractedAt), version.IsCurrent, version.InsteadOf is not null,
            version.Rows, version.Bytes, version.Parts.Count,
            before is null ? null : version.Rows - before.Rows, fresh?.Count, fresh?.Sum(part => part.SizeBytes),
            before is null ? [] : SchemaDrift.Between(before.Columns, version.Columns).Words,
            withParts ? [.. version.Parts.Select(part => new VersionPart(part.Sha256, part.SizeBytes, part.Rows))] : null);
    }
}
