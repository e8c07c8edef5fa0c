using System.Text.Json.Serialization;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources.Metadata;

namespace Agnes.Server.Features.Scans;

/// <summary><c>POST /api/v2/scan/estimate</c>: tables whose rows lie here cost nothing to scan; a source that holds others says what it would read.</summary>
internal static class EstimateScan
{
    private static readonly ScanTexts Texts = new("table {table} not found", "not authorized for this table");

    private const int CostDigits = 4;

    private static bool IsMetered(ScanPlan plan) => plan.Statement.Table.Source is RowSource.Remote { Dialect: SqlDialect.BigQuery };

    public static async Task<IResult> HandleAsync(HttpContext context, Scopes scopes, RemoteColumns remote, StatementRunner runner, RemoteQuota quota, ServerOptions options)
    {
        var body = await ScanBody.ReadAsync(context);
        var limits = StatementLimits.Default with { Time = options.Scan.Time };
        // The limit only bounds what is sent, so it is no reason to refuse an estimate.
        var plan = await ScanPlan.MakeAsync(context, body with { Limit = null }, Texts, options.Scan.LimitMax, scopes, remote, runner, limits);
        var (failure, estimate) = plan.IsAsked
            ? await runner.EstimateAsync(context.Lease(), plan.Statement, limits, context.RequestAborted)
            : default;
        if (failure is not null) return StatementAnswer.Refuse(context, failure);
        var found = estimate?.Rows is { } rows ? Math.Min(rows, body.Limit ?? rows) : (long?)null;
        var cost = IsMetered(plan) ? Math.Round(quota.CostOf(estimate?.ScanBytes ?? 0), CostDigits) : 0.0;
        return JsonBody.Of(
            new ScanEstimate(body.TableId, estimate?.ScanBytes ?? 0, found, found * estimate?.RowBytes, cost),
            ScansJson.Default.ScanEstimate);
    }
}

/// <param name="EstimatedResultRows">Null: nobody knows beforehand.</param>
internal sealed record ScanEstimate(
    string TableId, long EstimatedScanBytes, long? EstimatedResultRows, long? EstimatedResultBytes, double BqCostEstimateUsd);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ScanEstimate))]
internal sealed partial class ScansJson : JsonSerializerContext;
