using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Server.Features.Sync.Alerts;
using Agnes.Server.Platform.Access;
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
internal sealed class SyncJob(StateDb state, SourcePull pull, SourcePublisher publisher, SourceKinds kinds, PullAlerts alerts, TimeProvider time) : IJobHandler
{
    public const string KindName = "sync";

    /// <summary>For the extracts that somebody else writes.</summary>
    private const string OthersKey = KindName + ":*";

    private const string TablesField = "tables";
    private const string SlotField = "slot";

    public string Kind => KindName;

    /// <summary>
    /// Of its own: a run waits in it for servers elsewhere, and for a place among the extracting children, while others go by.
    /// </summary>
    public Lane Lane { get; } = new("sync", 8);

    /// <param name="targets">Ids; null for all that are due, of those sources that no other run has.</param>
    public static JobRequest Request(Snapshot snapshot, SourceKinds kinds, string trigger, string? requestedBy, IReadOnlyCollection<string>? targets)
    {
        var tables = targets is null ? snapshot.TablesById.Values : targets.Select(snapshot.Table).OfType<TableRow>();
        var keys = tables.Select(row => KeyOf(row, kinds)).Append(targets is null ? OthersKey : null).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new JobRequest(
            KindName, null, null, trigger, requestedBy,
            targets is null ? null : new JsonObject { [TablesField] = Ids(targets) }.ToJsonString())
        {
            Keys = keys.Count == 0 ? [OthersKey] : keys,
            TakesWhatIsFree = targets is null,
        };
    }

    /// <summary>A run of a schedule over what is due of one connection.</summary>
    /// <param name="slot">The time that it is for.</param>
    /// <param name="tables">Ids; null for all that are due when it begins.</param>
    /// <param name="besides">Keys of sources that nothing is pulled from: their tables are told so.</param>
    public static JobRequest Request(Connection own, DateTime slot, IEnumerable<TableRow>? tables = null, IEnumerable<string>? besides = null)
    {
        var input = new JsonObject { [SlotField] = slot.ToString("O", CultureInfo.InvariantCulture) };
        if (tables is not null) input[TablesField] = Ids(tables.Select(row => row.Id));
        return new JobRequest(KindName, own.Name, null, JobSchedules.Trigger, null, input.ToJsonString()) { Keys = [KeyOf(own), .. besides ?? []] };
    }

    /// <summary>Sources that wait for nobody else come first, and are free again before the run waits for servers elsewhere.</summary>
    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var run = new PullRun(job, row => PulledFor(row, job.Job, now)) { IsScheduled = IsScheduled(job.Job) };
        var plan = await PlanAsync(state, kinds, job.Job, now);
        var before = state.Snapshot;
        foreach (var row in plan.NoConnector.Where(row => Has(job, KeyOf(row, kinds))))
        {
            var why = kinds.OfType(row.SourceType)?.HowToSetUp ?? $"This server has no connector for source_type '{row.SourceType}'";
            await pull.FailAsync(
                run, row.Name, $"{why}; its tables are served when something else writes extracts/{row.SourceType}.", cancellation);
        }

        var problems = new List<string>();
        var pulls = plan.Pulls.Where(source => Has(job, KeyOf(source.Own))).ToLookup(source => TurnOf(source.Own));
        foreach (var (own, rows) in pulls[Turn.Here]) await PullAsync(own, rows);
        var later = pulls[Turn.Elsewhere].Concat(pulls[Turn.Derived]).Select(source => KeyOf(source.Own)).ToList();
        if (pulls[Turn.Elsewhere].Any()) await job.ReleaseAsync([.. job.Keys.Except(later)], cancellation);
        foreach (var (own, rows) in pulls[Turn.Elsewhere]) await PullAsync(own, rows);
        if (job.Job.Subject is null) problems.AddRange(await PublishOthersAsync(job, cancellation)); // else whoever watches the folder does
        foreach (var (own, rows) in pulls[Turn.Derived])
        {
            foreach (var round in TableReads.Rounds(state.Snapshot, kinds, rows)) await PullAsync(own, round);
        }

        await alerts.TellAsync(job, before, [.. pulls.SelectMany(turn => turn).SelectMany(source => source.Rows)], run.IsScheduled, cancellation);
        return Conclude(job, problems);

        async Task PullAsync(Connection own, IReadOnlyList<TableRow> rows)
        {
            if (await pull.RunAsync(run, own, rows, cancellation) is { } problem) problems.Add(problem);
        }
    }

    /// <summary>Tables that are queries over others come when those have been published.</summary>
    private Turn TurnOf(Connection own) => own.Kind.IsDerived ? Turn.Derived : pull.UsesNetwork(own) ? Turn.Elsewhere : Turn.Here;

    /// <summary>
    /// Decided on the state as it is, not as this process last heard of it: what another one has just pulled is not due any more.
    /// </summary>
    public static Task<SyncPlan> PlanAsync(StateDb state, SourceKinds kinds, JobRow job, DateTime now) => state.WriteAsync(
        write => Task.FromResult(SyncPlan.Of(write.Current, kinds, Targets(job.Input), now, isAsked: !IsScheduled(job), job.Subject)));

    /// <summary>A scheduler elsewhere asks again and again, as a schedule of ours does.</summary>
    private static bool IsScheduled(JobRow job) => job.Trigger is JobSchedules.Trigger || job.RequestedBy == ServiceSecret.Email;

    /// <summary>
    /// The time that decides when a table is due again. Not the time at which its rows were taken: a run that waited, or was spread, would
    /// move all that follow. A schedule that names minutes is at those, and not at the look that found it.
    /// </summary>
    public static DateTime PulledFor(TableRow row, JobRow job, DateTime now)
    {
        if (SyncPlan.ScheduleOf(row) is { HasSlots: true }) return now;
        var slot = job.Input is null ? null : JsonNode.Parse(job.Input)![SlotField]?.GetValue<string>();
        return slot is null ? job.CreatedAt : DateTime.Parse(slot, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
    }

    public static string KeyOf(TableRow row, SourceKinds kinds) => $"{KindName}:{row.Connection ?? row.SourceType ?? kinds.OfType(null)?.Name}";

    public static string KeyOf(Connection own) => $"{KindName}:{own.Name}";

    /// <summary>A run of before had all sources to itself.</summary>
    private static bool Has(JobContext job, string key) => job.Keys.Contains(key) || job.Keys.Contains(KindName);

    private static List<string>? Targets(string? input) =>
        input is null || JsonNode.Parse(input)![TablesField] is not JsonArray ids ? null : [.. ids.Select(id => id!.GetValue<string>())];

    private static JsonArray Ids(IEnumerable<string> ids) => new([.. ids.Select(id => (JsonNode)JsonValue.Create(id))]);

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
