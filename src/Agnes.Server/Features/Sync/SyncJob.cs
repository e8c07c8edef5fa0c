using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>
/// Pulls registered tables from their sources and publishes them, then whatever else lies in the extracts. A table that fails keeps its last good version
/// and leaves the others alone: the run is then called partial.
/// </summary>
internal sealed class SyncJob(StateDb state, ExtractRunner runner, SourcePublisher publisher, PublishingGate gate, DataFolder folder, TimeProvider time) : IJobHandler
{
    public const string KindName = "sync";

    public string Kind => KindName;

    /// <param name="targets">Ids; null for all that are due.</param>
    public static JobRequest Request(string trigger, string? requestedBy, IReadOnlyCollection<string>? targets) => new(
        KindName, null, KindName, trigger, requestedBy,
        targets is null ? null : new JsonObject { ["tables"] = new JsonArray([.. targets.Select(id => (JsonNode)JsonValue.Create(id))]) }.ToJsonString());

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var plan = SyncPlan.Of(state.Snapshot, Targets(job.Job.Input), time.GetUtcNow().UtcDateTime);
        foreach (var row in plan.NoConnector)
        {
            await FailAsync(job, row.Name, $"This server has no connector for source_type '{row.SourceType}'; its tables are served when something else writes extracts/{row.SourceType}.", cancellation);
        }

        var problems = new List<string>();
        foreach (var (own, rows) in plan.Pulls)
        {
            if (await PullAsync(job, own, rows, cancellation) is { } problem) problems.Add(problem);
        }
        problems.AddRange(await PublishOthersAsync(job, cancellation));
        return Conclude(job, problems);
    }

    private static List<string>? Targets(string? input) =>
        input is null ? null : [.. JsonNode.Parse(input)!["tables"]!.AsArray().Select(id => id!.GetValue<string>())];

    /// <returns>Why the run as a whole failed for this source, or null.</returns>
    private async Task<string?> PullAsync(JobContext job, OwnSource own, IReadOnlyList<TableRow> rows, CancellationToken cancellation)
    {
        using var entered = await gate.ExtractAsync(cancellation);
        var request = new ExtractRequest(
            job.Job.Id,
            own.Folder,
            own.Connector,
            [.. rows.Select(row => new TableConfig(row.Id, row.Name, row.Bucket, row.SourceTable, row.Description))],
            Registered: [.. state.Snapshot.RegisteredFor(own).Select(row => row.Name)],
            Options: OptionsOf(own));
        var progress = new SyncProgress(job, cancellation);
        try
        {
            ExtractOutcome outcome;
            await using (progress) outcome = await runner.RunAsync(request, progress, cancellation, publisher.Known(own.Folder));
            foreach (var warning in outcome.Warnings) await job.LogAsync(warning, cancellation);
            foreach (var failed in outcome.Failed) await FailAsync(job, failed.Name, failed.Error, cancellation, progress.Ended.Contains(failed.Name));
            foreach (var table in outcome.Ok.Where(table => !table.Changed || !progress.Ended.Contains(table.Name))) await job.TableDoneAsync(table.Name, table.Changed ? "ok" : "unchanged", table.Rows, table.Bytes, cancellation);
            return await CommitAsync(job, own, outcome, cancellation);
        }
        catch (WorkerFailedException failure)
        {
            foreach (var row in rows.Where(row => !progress.Ended.Contains(row.Name))) await FailAsync(job, row.Name, failure.Message, cancellation);
            return $"{own.SourceType}: {failure.Message}";
        }
    }

    private async Task<string?> CommitAsync(JobContext job, OwnSource own, ExtractOutcome outcome, CancellationToken cancellation)
    {
        if (outcome.Publication is not { } prepared)
        {
            publisher.Forget(own.Folder);
            return null;
        }
        var committed = await publisher.CommitAsync(prepared, cancellation);
        await PublishJob.LogAsync(job, own.Folder, committed, cancellation);
        foreach (var skipped in committed.Skipped) await job.TableFailedAsync(skipped.Name, skipped.Reason, cancellation);
        foreach (var name in committed.Collided) await FailAsync(job, name, $"Another source publishes a table '{name}' already; rename one of them.", cancellation);
        await ClearErrorsAsync(outcome, committed, cancellation);
        return committed.Problem is null ? null : $"{own.Folder}: {committed.Problem}";
    }

    private async Task<IReadOnlyList<string>> PublishOthersAsync(JobContext job, CancellationToken cancellation)
    {
        var problems = new List<string>();
        foreach (var source in publisher.Changed().Where(source => Sources.OfFolder(source) is null))
        {
            var (_, problem) = await PublishJob.PublishAsync(publisher, job, source, cancellation);
            if (problem is not null) problems.Add($"{source}: {problem}");
        }
        return problems;
    }

    /// <summary>A table that was pulled is well again, also when it has nothing new.</summary>
    private Task ClearErrorsAsync(ExtractOutcome outcome, CommitOutcome committed, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var bad = committed.Skipped.Select(skipped => skipped.Name).Concat(committed.Collided).ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var table in outcome.Ok.Where(table => !bad.Contains(table.Name))) await write.ClearSyncErrorAsync(table.Name);
        },
        cancellation);

    private async Task FailAsync(JobContext job, string table, string error, CancellationToken cancellation, bool reported = false)
    {
        if (!reported) await job.TableFailedAsync(table, error, cancellation);
        await job.LogAsync($"{table}: {error}", cancellation);
        await state.WriteAsync(write => write.SaveSyncErrorAsync(table, error, inHistory: true), cancellation);
    }

    private Dictionary<string, string> OptionsOf(OwnSource own) => own.SourceType == Sources.SampleType
        ? new() { ["size"] = "xs", ["seed"] = "42" }
        : new() { ["root"] = folder.Csv };

    private static JobResult Conclude(JobContext job, IReadOnlyList<string> problems)
    {
        var failed = job.Steps.Where(step => step.Status == "failed").OrderBy(step => step.Name, StringComparer.Ordinal).ToList();
        var done = job.Steps.Count - failed.Count;
        var result = new JsonObject
        {
            ["ok"] = job.Steps.Count(step => step.Status == "ok"),
            ["unchanged"] = job.Steps.Count(step => step.Status == "unchanged"),
            ["failed"] = new JsonArray([.. failed.Select(step => (JsonNode)new JsonObject { ["table"] = step.Name, ["error"] = step.Error })]),
            ["problems"] = new JsonArray([.. problems.Select(problem => (JsonNode)JsonValue.Create(problem))]),
        }.ToJsonString();
        if (failed.Count == 0 && problems.Count == 0) return new JobResult(JobStatus.Ok, result);
        var error = failed.Count > 0 ? $"{failed.Count} of {job.Steps.Count} tables failed: {string.Join(", ", failed.Take(10).Select(step => step.Name))}" : problems[0];
        return new JobResult(done > 0 || failed.Count == 0 ? JobStatus.Partial : JobStatus.Failed, result, error);
    }
}
