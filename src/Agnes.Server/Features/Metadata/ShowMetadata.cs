using System.Text.Json.Serialization;
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
        var tables = new List<TableMetadataView>();
        foreach (var table in Scopes.Tables(context.Snapshot(), context.Caller()))
            if (table.Row is { } row && sources.Of(row) is { } remote) tables.Add(Of(row.Id, view.Of(row.Id, remote), cache));
        var every = (long)options.Metadata.Every.TotalSeconds;
        return JsonBody.Of(
            new MetadataStatus(every, 2 * every, Timestamps.Offset(time.GetUtcNow()), tables), MetadataViewsJson.Default.MetadataStatus);
    }

    private static TableMetadataView Of(string id, TableMetadata? known, MetadataCache cache) => new(
        id, Timestamps.Naive(known?.RefreshedAt), known?.Rows, known?.SizeBytes, known?.PartitionBy, known?.Clustering ?? [],
        known?.EntityType,
        known?.ColumnNames ?? [], Timestamps.Naive(known?.ErrorAt), known?.ErrorMsg, cache.FreshnessOf(known));
}

internal sealed record MetadataStatus(
    long SchedulerIntervalSeconds, long FreshThresholdSeconds, string ServerTime, IReadOnlyList<TableMetadataView> Tables);

internal sealed record TableMetadataView(
    string TableId, string? RefreshedAt, long? Rows, long? SizeBytes, string? PartitionBy, IReadOnlyList<string> ClusteredBy,
    string? EntityType,
    IReadOnlyList<string> KnownColumns, string? ErrorAt, string? ErrorMsg, string Freshness);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MetadataStatus))]
[JsonSerializable(typeof(StartedWarmUp))]
internal sealed partial class MetadataViewsJson : JsonSerializerContext;
