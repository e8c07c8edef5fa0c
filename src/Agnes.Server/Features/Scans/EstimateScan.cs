using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Scans;

/// <summary><c>POST /api/v2/scan/estimate</c>: tables whose rows lie here cost nothing to scan.</summary>
internal static class EstimateScan
{
    private static readonly ScanTexts Texts = new("table {table} not found", "not authorized for this table");

    public static async Task<IResult> HandleAsync(HttpContext context, Scopes scopes, StatementRunner runner, ServerOptions options)
    {
        var body = await ScanBody.ReadAsync(context);
        var limits = StatementLimits.Default with { Time = options.Scan.Time };
        // The limit only bounds what is sent, so it is no reason to refuse an estimate.
        await ScanPlan.MakeAsync(context, body with { Limit = null }, Texts, options.Scan.LimitMax, scopes, runner, limits);
        return JsonBody.Of(new JsonObject
        {
            ["table_id"] = body.TableId,
            ["estimated_scan_bytes"] = 0,
            ["estimated_result_rows"] = null,
            ["estimated_result_bytes"] = null,
            ["bq_cost_estimate_usd"] = 0.0,
        });
    }
}
