using System.Text.Json;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync.Pages;

/// <summary>Runs as pages show them.</summary>
internal static class SyncRuns
{
    private const int NamesShownMax = 3;
    private const int LogLinesMax = 500;

    public static async Task<IReadOnlyList<SyncRun>> NewestAsync(StateDb state, int limit, string? before, CancellationToken stop)
    {
        var jobs = await state.ReadAsync<JobRow>(before is null ? JobSql.Newest : JobSql.NewestBefore, new { kind = SyncJob.KindName, limit, before }, stop);
        return [.. jobs.Select(Of)];
    }

    public static async Task<IReadOnlyList<SyncStep>> StepsAsync(StateDb state, string id, DateTime now, CancellationToken stop)
    {
        await state.FlushAsync(stop);
        var steps = await state.ReadAsync<JobStepRow>(JobSql.Steps, new { id }, stop);
        return [.. steps.Select(step => new SyncStep(step.Name, step.Status, step.Phase, step.Rows, step.Bytes, (step.FinishedAt ?? now) - step.StartedAt, step.Error))];
    }

    /// <summary>The end of a run's log, and how many lines come before it.</summary>
    public static async Task<(IReadOnlyList<string> Lines, long Omitted)> LogAsync(StateDb state, string id, CancellationToken stop)
    {
        var last = (await state.ReadAsync<long>(JobSql.LastLogSeq, new { id }, stop))[0];
        var after = Math.Max(0, last - LogLinesMax);
        var lines = await state.ReadAsync<JobLogLine>(JobSql.Log, new { id, after, limit = LogLinesMax }, stop);
        return ([.. lines.Select(line => $"{line.Ts:HH:mm:ss}  {line.Line}")], after);
    }

    public static SyncRun Of(JobRow job) =>
        new(job.Id, job.Status, job.Trigger, job.RequestedBy, Tables(job.Input), job.CreatedAt, job.StartedAt, job.FinishedAt, job.Error);

    private static string Tables(string? input)
    {
        if (input is null) return "all that are due";
        using var document = JsonDocument.Parse(input);
        var names = document.RootElement.GetProperty("tables").EnumerateArray().Select(name => name.GetString()!).ToList();
        var shown = string.Join(", ", names.Take(NamesShownMax));
        return names.Count > NamesShownMax ? $"{shown} and {names.Count - NamesShownMax} more" : shown;
    }
}
