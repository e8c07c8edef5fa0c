using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary>
/// <c>GET /api/admin/discover-tables</c>: what a source has that could be registered. Of a source that lists tables by data set alone its
/// data sets, until one is named. <c>?connection=</c> names another than the instance's main source.
/// </summary>
internal static class DiscoverTables
{
    private const int ListedMax = 5_000;
    private const string Local = "local";

    public static async Task<IResult> HandleAsync(
        HttpContext context, SourceKinds kinds, AskedSources sources, SourceListings listings, ServerOptions options, SecretStore secrets,
        string? dataset = null, string? connection = null)
    {
        if (dataset is { Length: 0 }) dataset = null;
        var (kind, name) = connection is { Length: > 0 } ? Named(context.Snapshot(), kinds, connection) : OfInstance(kinds, options, secrets);
        if (connection is { Length: > 0 } && kind is null)
            return Problem.NotFound($"There is no connection '{TableRules.Shorten(connection)}': agnes admin connection list");
        if (kind is { IsListed: true }) return await ListedAsync(kind, name, listings, dataset, context);
        if (kind is not { IsAsked: true } || sources.Find(kind, name) is not { } found) return Nothing(kind);
        if (kind.Dialect == SqlDialect.BigQuery && dataset is not null && !Identifiers.IsQuoted(dataset))
            return Problem.Detail(StatusCodes.Status400BadRequest, $"dataset '{TableRules.Shorten(dataset)}' is no valid BigQuery name");
        try
        {
            var (listed, isCut) = await ListAsync(found.System, dataset, context.RequestAborted);
            var answer = Answer(kind, kind.CatalogOf(found.Settings), listed, dataset);
            if (isCut) answer["truncated"] = true;
            return JsonBody.Of(answer);
        }
        catch (RemoteException failure)
        {
            return Failed(failure);
        }
    }

    /// <summary>Of a source that says all that it has at once.</summary>
    private static async Task<IResult> ListedAsync(
        SourceKind kind, string connection, SourceListings listings, string? bucket, HttpContext context)
    {
        try
        {
            var all = await listings.OfAsync(context.Snapshot(), kind, connection, context.RequestAborted);
            var found = all.Where(table => bucket is null || table.BucketId == bucket).OrderBy(table => table.Id, StringComparer.Ordinal)
                .ToList();
            var shown = found.Take(ListedMax).ToList();
            var answer = new JsonObject { ["tables"] = Array(shown, Whole), ["count"] = shown.Count, ["source"] = kind.Name };
            if (bucket is not null) answer["dataset"] = bucket;
            if (found.Count > ListedMax) answer["truncated"] = true;
            return JsonBody.Of(answer);
        }
        catch (RemoteException failure)
        {
            return Failed(failure);
        }
    }

    private static JsonObject Whole(ListedTable one) => new()
    {
        ["id"] = one.Id,
        ["name"] = one.Name,
        ["bucket_id"] = one.BucketId,
        ["bucket_name"] = one.BucketName,
        ["columns"] = Array(one.Columns, column => column),
        ["row_count"] = one.Rows,
        ["size_bytes"] = one.Bytes,
        ["primary_key"] = Array(one.PrimaryKey, column => column),
        ["last_change"] = one.LastChange,
        ["last_import"] = one.LastImport,
    };

    private static (SourceKind? Kind, string Name) Named(Snapshot snapshot, SourceKinds kinds, string connection) =>
        snapshot.Connections.GetValueOrDefault(connection) is { } set
            ? (kinds.OfType(set.Kind), set.Name)
            : (kinds.All.FirstOrDefault(kind => kind.Name == connection && kind.HasDefault), connection);

    private static (SourceKind? Kind, string Name) OfInstance(SourceKinds kinds, ServerOptions options, SecretStore secrets)
    {
        var kind = SettingLayers.Open(options, secrets).Find("DATA_SOURCE") is { Length: > 0 } type ? kinds.Named(type) : null;
        return (kind is { HasDefault: true } ? kind : null, kind?.Name ?? Local);
    }

    private static async Task<(IReadOnlyList<RemoteRelation> Listed, bool IsCut)> ListAsync(
        IRemoteTables system, string? dataset, CancellationToken stop)
    {
        var all = new List<RemoteRelation>();
        while (all.Count <= ListedMax)
        {
            var last = all.Count == 0 ? null : all[^1];
            var page = await system.ListAsync(
                new RemoteListing(dataset, last?.Bucket, last?.Table, ListedMax + 1 - all.Count), stop);
            if (page.Count == 0) return (all, false);
            all.AddRange(page);
        }

        return ([.. all.Take(ListedMax)], true);
    }

    private static JsonObject Answer(SourceKind kind, string? catalog, IReadOnlyList<RemoteRelation> listed, string? dataset)
    {
        var isByDataset = kind.Dialect == SqlDialect.BigQuery;
        var answer = isByDataset && dataset is null
            ? new JsonObject { ["datasets"] = Array(listed, one => Dataset(catalog, one)) }
            : new JsonObject { ["tables"] = Array(listed, one => isByDataset ? Listed(catalog, one) : Whole(one)) };
        answer["count"] = listed.Count;
        answer["source"] = kind.Name;
        if (dataset is not null) answer["dataset"] = dataset;
        return answer;
    }

    private static JsonObject Dataset(string? catalog, RemoteRelation one) =>
        new() { ["dataset_id"] = one.Bucket, ["full_id"] = $"{catalog}.{one.Bucket}" };

    private static JsonObject Listed(string? catalog, RemoteRelation one) => new()
    {
        ["table_id"] = one.Table,
        ["table_type"] = one.Description.EntityType switch { "BASE TABLE" => "TABLE", var type => type?.Replace(' ', '_') },
        ["full_id"] = $"{catalog}.{one.Bucket}.{one.Table}",
    };

    private static JsonObject Whole(RemoteRelation one) => new()
    {
        ["id"] = $"{one.Bucket}.{one.Table}",
        ["name"] = one.Table,
        ["bucket_id"] = one.Bucket,
        ["bucket_name"] = one.Bucket,
        ["columns"] = Array(one.Description.Columns, column => column.Name),
        ["row_count"] = one.Description.Rows,
        ["size_bytes"] = one.Description.Bytes,
        ["primary_key"] = new JsonArray(),
        ["last_change"] = null,
        ["last_import"] = null,
        ["table_type"] = one.Description.EntityType,
    };

    private static IResult Nothing(SourceKind? kind) => JsonBody.Of(new JsonObject
    {
        ["tables"] = new JsonArray(),
        ["count"] = 0,
        ["source"] = Local,
        ["error"] = kind is null
            ? "The instance has no main source that could be looked into. Name a connection: ?connection=NAME"
            : $"This server does not look into {kind.Title}. Name another connection: ?connection=NAME",
    });

    private static IResult Failed(RemoteException failure)
    {
        var said = failure.Failure
            ?? new RemoteFailure("upstream_error", StatusCodes.Status502BadGateway, new Dictionary<string, string>());
        var details = new JsonObject();
        foreach (var (name, value) in said.Details) details[name] = value;
        return Problem.Detail(said.Status, new JsonObject { ["error"] = failure.Message, ["kind"] = said.Kind, ["details"] = details });
    }

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonNode?> of) => new([.. items.Select(of)]);
}
