using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Scheduler;

/// <summary><c>POST /api/admin/scheduler/report</c>: how a job of a scheduler ended.</summary>
internal static partial class TakeReport
{
    public static async Task<IResult> HandleAsync(HttpContext context, SchedulerJobs jobs)
    {
        var body = await RequestBody.ReadAsync(context);
        var row = new SchedulerJobRow
        {
            Name = body.String("name"),
            LastStarted = Time(body, "started_at"),
            LastFinished = Time(body, "finished_at"),
            LastStatus = body.OneOf("status", "failed", "ok", "failed"),
            LastHttpStatus = body.OptionalInteger("http_status"),
            LastError = body.OptionalString("error"),
        };
        if (!JobName().IsMatch(row.Name)) body.Refuse("name", "a job's name is up to 64 small letters, digits, '-', '_' and ':'");
        body.ThrowIfInvalid();
        return await jobs.SaveAsync(row, context.RequestAborted)
            ? JsonBody.Of(new JsonObject { ["status"] = "ok" })
            : Problem.Detail(StatusCodes.Status409Conflict, $"There are {SchedulerJobs.JobsMax} jobs already.");
    }

    private static DateTime Time(RequestBody body, string name)
    {
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateTime.TryParse(body.String(name), CultureInfo.InvariantCulture, Utc, out var time)) return UtcTime.Cut(time);
        body.Refuse(name, "a time such as 2026-01-05T10:00:00Z");
        return default;
    }

    [GeneratedRegex(@"\A[a-z0-9:_-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex JobName();
}
