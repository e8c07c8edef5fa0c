using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Profiles;

/// <summary><c>POST /api/catalog/profile/{table_name}/refresh</c>: waits for the new profile, or with <c>Prefer: respond-async</c> only starts it.</summary>
internal static class RefreshProfile
{
    public static async Task<IResult> HandleAsync(HttpContext context, string table_name, Profiler profiler)
    {
        if (context.Table() is not { Published: not null } table) return Problem.NotFound($"No parquet for '{table_name}'");
        if (context.Request.Headers["Prefer"].ToString().Contains("respond-async", StringComparison.OrdinalIgnoreCase))
        {
            return profiler.Start(context, table) is { } busy ? busy.Refuse(context) : JsonBody.Of(new JsonObject { ["status"] = "queued" }, StatusCodes.Status202Accepted);
        }

        var profiled = await profiler.OfAsync(context, table, isAnew: true);
        if (profiled.Row is not { } row) return profiled.Refuse(context);
        var columns = ProfileText.Read(row.Profile)["column_count"]!.GetValue<int>();
        return JsonBody.Of(new RefreshedProfile("ok", table.Name, columns), ProfilesJson.Default.RefreshedProfile);
    }
}

internal sealed record RefreshedProfile(string Status, string Table, int Columns);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RefreshedProfile))]
internal sealed partial class ProfilesJson : JsonSerializerContext;
