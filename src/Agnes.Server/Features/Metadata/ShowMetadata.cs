using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;

namespace Agnes.Server.Features.Metadata;

/// <summary><c>GET /api/v2/metadata-cache/status</c>: of the tables that the caller may read, and of no others.</summary>
internal static class ShowMetadata
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, MetadataCache cache, AskedSources sources, ServerOptions options, TimeProvider time)
    {
        var view = await cache.ViewAsync(context.RequestAborted);
        var tables = new JsonArray();
        foreach (var table in Scopes.Tables(context.Snapshot(), context.Caller()))
            if (table.Row is { } row && sources.Of(row) is { } remote) tables.Add((JsonNode)Of(row.Id, view.Of(row.Id, remote), cache));
        return JsonBody.Of(new JsonObject
        {
            ["scheduler_interval_seconds"] = (long)options.Metadata.Every.TotalSeconds,
            ["fresh_threshold_seconds"] = 2 * (long)options.Metadata.Every.TotalSeconds,
            ["server_time"] = Timestamps.Offset(time.GetUtcNow()),
            ["tables"] = tables,
        });
    }

    private static JsonObject Of(string id, TableMetadata? known, MetadataCache cache) => new()
    {
        ["table_id"] = id,
        ["refreshed_at"] = Timestamps.Naive(known?.RefreshedAt),
        ["rows"] = known?.Rows,
        ["size_bytes"] = known?.SizeBytes,
        ["partition_by"] = known?.PartitionBy,
        ["clustered_by"] = List(known?.Clustering),
        ["entity_type"] = known?.EntityType,
        ["known_columns"] = List(known?.ColumnNames),
        ["error_at"] = Timestamps.Naive(known?.ErrorAt),
        ["error_msg"] = known?.ErrorMsg,
        ["freshness"] = cache.FreshnessOf(known),
    };

    private static JsonArray List(IReadOnlyList<string>? names) => new([.. (names ?? []).Select(name => (JsonNode)name)]);
}
