using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary>What those who look on are told, as it happens.</summary>
internal static class WarmUpEvents
{
    public const string Start = "start";
    public const string Row = "row";
    public const string Complete = "complete";

    /// <summary>How things stand, for who has just come; or that there is nothing to look on at.</summary>
    public const string Snapshot = "snapshot";
    public const string Idle = "idle";
}

/// <summary><c>GET /api/admin/cache-warmup/status</c></summary>
internal static class ShowWarmUp
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, MetadataCache cache) =>
        JsonBody.Of(await WarmUpJson.StandingAsync(state, cache, context.RequestAborted) ?? WarmUpJson.Never());
}

/// <summary>A run as the contract shows it.</summary>
internal static class WarmUpJson
{
    private const string Pending = "pending";

    public static JsonObject Never() => new() { ["state"] = "never_run" };

    /// <returns>Null: there was no run, or nothing is known of it any more.</returns>
    public static async Task<JsonObject?> StandingAsync(StateDb state, MetadataCache cache, CancellationToken stop)
    {
        await state.FlushAsync(stop);
        var newest = await state.ReadAsync<JobRow>(JobSql.Newest, new { kind = WarmUpJob.KindName, limit = 1 }, stop);
        if (newest is not [var job, ..]) return null;
        var steps = (await state.ReadAsync<JobStepRow>(JobSql.Steps, new { id = job.Id }, stop))
            .ToDictionary(step => step.Name, StringComparer.Ordinal);
        var view = await cache.ViewAsync(stop);
        var ids = WarmUpJob.TablesOf(job);
        var rows = new JsonObject();
        foreach (var id in ids) rows[id] = Of(id, steps.GetValueOrDefault(id), view.ById.GetValueOrDefault(id)?.RefreshedAt);
        return new JsonObject
        {
            ["run_id"] = job.Id,
            ["trigger"] = job.Trigger,
            ["started_at"] = Timestamps.Naive(job.StartedAt ?? job.CreatedAt),
            ["completed_at"] = Timestamps.Naive(job.FinishedAt),
            ["total"] = ids.Count,
            ["completed"] = steps.Values.Count(step => step.Status == JobStatus.Ok),
            ["failed"] = steps.Values.Count(step => step.Status == JobStatus.Failed),
            ["rows"] = rows,
        };
    }

    /// <param name="step">Null: its turn has not come.</param>
    public static JsonObject Of(string id, JobStepRow? step, DateTime? warmedAt) => new()
    {
        ["table_id"] = id,
        ["status"] = step?.Status switch { null => Pending, JobStatus.Running => "warming", JobStatus.Ok => Freshness.Fresh, _ => "error" },
        ["started_at"] = Timestamps.Naive(step?.StartedAt),
        ["completed_at"] = Timestamps.Naive(step?.FinishedAt),
        ["duration_ms"] = step is { StartedAt: { } from, FinishedAt: { } to } ? (long)(to - from).TotalMilliseconds : null,
        ["error"] = step?.Error,
        ["last_warmed_at"] = Timestamps.Naive(warmedAt),
    };
}

/// <summary>For the description: written by <see cref="WarmUpJson"/>.</summary>
/// <param name="State"><c>never_run</c>, and nothing else with it.</param>
/// <param name="Rows">By the table's id.</param>
internal sealed record WarmUpAnswer(
    string? State = null, string? RunId = null, string? Trigger = null, string? StartedAt = null, string? CompletedAt = null,
    int? Total = null,
    int? Completed = null, int? Failed = null, IReadOnlyDictionary<string, WarmUpTableAnswer>? Rows = null);

/// <inheritdoc cref="WarmUpAnswer"/>
/// <param name="Status"><c>pending</c>, <c>warming</c>, <c>fresh</c> or <c>error</c>.</param>
internal sealed record WarmUpTableAnswer(
    string TableId, string Status, string? StartedAt, string? CompletedAt, long? DurationMs, string? Error, string? LastWarmedAt);
