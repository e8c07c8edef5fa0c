using System.Text.Json.Nodes;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Profiles;

/// <summary><c>GET /api/catalog/profile/{table_name}</c>: the kept profile of the current version; made now where there is none yet.</summary>
internal static class ShowProfile
{
    public static async Task<IResult> HandleAsync(HttpContext context, string table_name, Profiler profiler, Definitions definitions)
    {
        if (context.Table() is not { Published: { } version } table) return Problem.NotFound($"Profile not found for '{table_name}'");
        var profiled = await profiler.OfAsync(context, table, isAnew: false);
        if (profiled.Row is not { } row) return profiled.Refuse(context);

        var profile = ProfileText.Read(row.Profile);
        profile["table_id"] = table.Id ?? table.Name;
        profile["description"] = table.Row?.Description ?? version.Description ?? "";
        profile["sync_strategy"] = table.Row?.SyncStrategy ?? "none";
        profile["last_sync"] = Timestamps.Naive(context.Snapshot().SyncStates.GetValueOrDefault(table.Name)?.LastSync ?? version.ExtractedAt);
        profile["used_by_metrics"] = Metrics(await definitions.OfAsync(context), table.Name);
        profile["profiled_at"] = Timestamps.Naive(row.ProfiledAt);
        return JsonBody.Of(profile);
    }

    /// <summary>Never kept with the profile: each asker sees only the metrics whose tables they may all read.</summary>
    private static JsonArray Metrics(VisibleDefinitions visible, string table) =>
        [.. visible.Metrics
            .Where(metric => metric.DeclaredTables().Contains(table, StringComparer.OrdinalIgnoreCase))
            .Select(metric => (JsonNode)new JsonObject { ["name"] = metric.Name, ["file"] = "" })];
}
