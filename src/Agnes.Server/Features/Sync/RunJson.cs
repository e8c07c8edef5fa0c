using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sync;

/// <summary>A run as the API shows it.</summary>
internal static class RunJson
{
    public static JsonObject Of(JobRow job) => new()
    {
        ["id"] = job.Id,
        ["status"] = job.Status,
        ["trigger"] = job.Trigger,
        ["requested_by"] = job.RequestedBy,
        ["connection"] = job.Subject,
        ["tables"] = job.Input is null ? "all" : JsonNode.Parse(job.Input)?["tables"]?.DeepClone() ?? "all",
        ["created_at"] = Timestamps.Naive(job.CreatedAt),
        ["started_at"] = Timestamps.Naive(job.StartedAt),
        ["finished_at"] = Timestamps.Naive(job.FinishedAt),
        ["duration_ms"] = Milliseconds(job.StartedAt, job.FinishedAt),
        ["result"] = job.Result is null ? null : JsonNode.Parse(job.Result),
        ["error"] = job.Error,
        ["attempts"] = job.Attempts,
    };

    public static JsonObject Of(JobStepRow step) => new()
    {
        ["table"] = step.Name,
        ["status"] = step.Status,
        ["phase"] = step.Phase,
        ["rows"] = step.Rows,
        ["bytes"] = step.Bytes,
        ["started_at"] = Timestamps.Naive(step.StartedAt),
        ["finished_at"] = Timestamps.Naive(step.FinishedAt),
        ["duration_ms"] = Milliseconds(step.StartedAt, step.FinishedAt),
        ["error"] = step.Error,
    };

    private static long? Milliseconds(DateTime? from, DateTime? to) => from is { } start && to is { } end ? (long)(end - start).TotalMilliseconds : null;
}
