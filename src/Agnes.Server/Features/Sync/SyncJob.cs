using System.Text.Json.Nodes;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>
/// Pulls registered tables from their sources and publishes them, then whatever else lies in the extracts. A table that fails keeps its last good version
/// and leaves the others alone: the run is then called partial.
/// </summary>
internal sealed class SyncJob(StateDb state, SourcePull pull, SourcePublisher publisher, SourceKinds kinds, TimeProvider time) : IJobHandler
{
    public const string KindName = "sync";

    /// <summary>For the extracts that somebody else writes.</summary>
    private const string OthersKey = KindName + ":*";

    public string Kind => KindName;

    /// <param name="targets">Ids; null for all that are due, of those sources that no other run has.</param>
    public static JobRequest Request(Snapshot snapshot, SourceKinds kinds, string trigger, string? requestedBy, IReadOnlyCollection<string>? targets)
    {
        var tables = targets is null ? snapshot.TablesById.Values : targets.Select(snapshot.Table).OfType<TableRow>();
        var keys = tables.Select(row => KeyOf(row, kinds)).Append(targets is null ? OthersKey : null).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new JobRequest(
            KindName, null, null, trigger, requestedBy,
            targets is null ? null : new JsonObject { ["tables"] = new JsonArray([.. targets.Select(id => (JsonNode)JsonValue.Create(id))]) }.ToJsonString())
        {
            Keys = keys.Count == 0 ? [OthersKey] : keys,
            TakesWhatIsFree = targets is null,
        };
    }

    /// <summary>What is due by itself; null: nothing that this server could pull.</summary>
    public static JobRequest? Due(Snapshot snapshot, SourceKinds kinds, TimeProvider time) =>
        SyncPlan.Of(snapshot, kinds, null, time.GetUtcNow().UtcDateTime).Pulls.Count == 0 ? null : Request(snapshot, kinds, JobSchedules.Trigger, null, null);

    /// <summary>Sources that wait for nobody else come first, and are free again before the run waits for servers elsewhere.</summary>
    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var plan = SyncPlan.Of(state.Snapshot, kinds, Targets(job.Job.Input), time.GetUtcNow().UtcDateTime);
        foreach (var row in plan.NoConnector.Where(row => Has(job, KeyOf(row, kinds))))
        {
            var why = kinds.OfType(row.SourceType)?.HowToSetUp ?? $"This server has no connector for source_type '{row.SourceType}'";
            await pull.FailAsync(
                job, row.Name, $"{why}; its tables are served when something else writes extracts/{row.SourceType}.", cancellation);
        }

        var problems = new List<string>();
        var pulls = plan.Pulls.Where(source => Has(job, KeyOf(source.Own))).ToLookup(source => TurnOf(source.Own));
        foreach (var (own, rows) in pulls[Turn.Here]) await PullAsync(own, rows);
        var later = pulls[Turn.Elsewhere].Concat(pulls[Turn.Derived]).Select(source => KeyOf(source.Own)).ToList();
        if (pulls[Turn.Elsewhere].Any()) await job.ReleaseAsync([.. job.Keys.Except(later)], cancellation);
        foreach (var (own, rows) in pulls[Turn.Elsewhere]) await PullAsync(own, rows);
        problems.AddRange(await PublishOthersAsync(job, cancellation));
        foreach (var (own, rows) in pulls[Turn.Derived])
        {
            foreach (var round in TableReads.Rounds(state.Snapshot, kinds, rows)) await PullAsync(own, round);
        }

        return Conclude(job, problems);

        async Task PullAsync(Connection own, IReadOnlyList<TableRow> rows)
        {
            if (await pull.RunAsync(job, own, rows, cancellation) is { } problem) problems.Add(problem);
        }
    }

    /// <summary>Tables that are queries over others come when those have been published.</summary>
    private Turn TurnOf(Connection own) => own.Kind.IsDerived ? Turn.Derived : pull.UsesNetwork(own) ? Turn.Elsewhere : Turn.Here;

    private static string KeyOf(TableRow row, SourceKinds kinds) => $"{KindName}:{row.Connection ?? row.SourceType ?? kinds.OfType(null)?.Name}";

    private static string KeyOf(Connection own) => $"{KindName}:{own.Name}";

    /// <summary>A run of before had all sources to itself.</summary>
    private static bool Has(JobContext job, string key) => job.Keys.Contains(key) || job.Keys.Contains(KindName);

    private static List<string>? Targets(string? input) =>
        input is null ? null : [.. JsonNode.Parse(input)!["tables"]!.AsArray().Select(id => id!.GetValue<string>())];

    private async Task<IReadOnlyList<string>> PublishOthersAsync(JobContext job, CancellationToken cancellation)
    {
        // One of ours is published by its pull; but a name that it waits for may have been freed since.
        bool IsOthers(string source) => kinds.OfFolder(state.Snapshot, source) is null || publisher.Troubles.Any(trouble => trouble.Source == source && trouble.Collided.Count > 0);
        var (_, problems) = await PublishJob.PublishChangedAsync(publisher, job, IsOthers, cancellation);
        return [.. problems.Select(problem => $"{problem.Source}: {problem.Problem}")];
    }

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
        var error = failed.Count > 0 ? $"{failed.Count} of {job.Steps.Count} tables failed: {string.Join(", ", failed.Take(10).Select(step => step.Name))}. The first: {failed[0].Error}" : problems[0];
        return new JobResult(done > 0 || failed.Count == 0 ? JobStatus.Partial : JobStatus.Failed, result, error);
    }

    private enum Turn
    {
        Here,
        Elsewhere,
        Derived,
    }
}
