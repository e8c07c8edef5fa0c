using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Scans;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Scans;

/// <summary><c>POST /api/v2/scan</c>: made in a query worker into a file, and sent from there with its length; the worker does not wait for a slow client.</summary>
internal static class RunScan
{
    public const string ParquetType = "application/vnd.apache.parquet";
    public const string ArrowType = "application/vnd.apache.arrow.stream";
    private const string Purpose = "scan";

    private static readonly ScanTexts Texts = new("table not found", "not authorized");

    public static async Task<IResult> HandleAsync(
        HttpContext context, Scopes scopes, RemoteColumns remote, StatementRunner runner, RemoteQuota quota, Scratch scratch, AuditLog audit, ServerOptions options, TimeProvider time)
    {
        var body = await ScanBody.ReadAsync(context);
        var caller = context.Caller();
        var limits = StatementLimits.Default with { Time = options.Scan.Time, ResultBytes = options.Scan.ResultBytesMax };
        // Looking at one scan more than may run is what tells its asker so.
        var looking = limits with { PerCaller = limits.PerCaller + options.Scan.AtOnce };
        var plan = await ScanPlan.MakeAsync(context, body, Texts, options.Scan.LimitMax, scopes, remote, runner, looking);
        // Arrow is what a client gets that says nothing; ours asks for Parquet, which goes straight to its disk.
        var form = context.Request.Headers.Accept.ToString().Contains(ParquetType, StringComparison.OrdinalIgnoreCase) ? ScanForm.Parquet : ScanForm.Arrow;
        using var budget = quota.For(caller.UserId);
        if (await budget.OpenAsync(context.RequestAborted) is { } used) return StatementAnswer.Refuse(context, used);
        var room = scratch.Room;
        if (room <= 0) return DiskReserve.Refusal();

        using var folder = scratch.NewFolder(Purpose);
        var file = Path.Combine(folder.Path, "result");
        var outcome = await runner.ScanAsync(context.Lease(), plan.Statement, form, file, limits with { ResultBytes = Math.Min(limits.ResultBytes, room), Budget = budget }, context.RequestAborted);
        await audit.AppendAsync(caller.UserId, "scan", $"table:{plan.Table.Id ?? plan.Table.Name}", Describe(body, outcome, quota), StatementAnswer.AuditedAs(outcome), (int)outcome.Elapsed.TotalMilliseconds, CancellationToken.None);
        if (!outcome.IsOk) return StatementAnswer.Refuse(context, outcome);
        if (!plan.IsAsked) await budget.SentAsync(outcome.Bytes);
        var asOf = plan.IsAsked ? time.GetUtcNow().UtcDateTime : plan.Table.Published!.ExtractedAt;
        await SendAsync(context, file, form == ScanForm.Parquet ? ParquetType : ArrowType, outcome, asOf, time);
        return Results.Empty;
    }

    private static async Task SendAsync(HttpContext context, string path, string type, StatementOutcome outcome, DateTime asOf, TimeProvider time)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 0, Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        var headers = context.Response.Headers;
        headers["X-Agnes-As-Of"] = asOf.ToString("yyyy-MM-dd'T'HH:mm:ss'+00:00'", CultureInfo.InvariantCulture);
        if (outcome.Truncated) headers["X-Agnes-Truncated"] = "true";
        await SpooledAnswer.SendAsync(context, file, type, time);
    }

    private static JsonObject Describe(ScanBody body, StatementOutcome outcome, RemoteQuota quota)
    {
        var what = new JsonObject { ["rows"] = outcome.Rows, ["bytes"] = outcome.Bytes, ["truncated"] = outcome.Truncated };
        // A predicate may hold what somebody is looking for; its hash tells whether it was the same.
        if (body.Where is not null) what["where_sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body.Where)));
        if (body.Select is not null) what["columns"] = body.Select.Count;
        quota.Describe(outcome.Asked, what);
        return what;
    }
}
