using System.Text.Json.Nodes;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Platform.Publications;

/// <summary>Publishes the extracts that changed, whoever wrote them. One that cannot be read is named and left as it was; the others go on.</summary>
internal sealed class PublishJob(SourcePublisher publisher) : IJobHandler
{
    public const string KindName = "publish";

    /// <summary>A name that one source gives up in a round is taken by another in the next.</summary>
    private const int RoundsMax = 3;

    public string Kind => KindName;

    public static JobRequest Request(string trigger) => new(KindName, null, KindName, trigger, null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var (tables, problems) = await PublishChangedAsync(publisher, job, _ => true, cancellation);
        var failed = new JsonObject(problems.Select(problem => KeyValuePair.Create(problem.Source, (JsonNode?)problem.Problem)));
        var result = new JsonObject { ["tables"] = tables, ["failed"] = failed }.ToJsonString();
        return failed.Count == 0 ? new JobResult(JobStatus.Ok, result) : new JobResult(JobStatus.Partial, result, $"Sources that could not be read: {string.Join(", ", failed.Select(f => f.Key))}");
    }

    /// <summary>In rounds: a name that one source gives up is offered to the others in the same run. What stands from an earlier run is said again for as long as it does.</summary>
    /// <param name="which">Sources that this run may publish.</param>
    /// <returns>How many tables changed, and why sources could not be read.</returns>
    public static async Task<(int Tables, IReadOnlyList<(string Source, string Problem)> Problems)> PublishChangedAsync(
        SourcePublisher publisher, JobContext job, Predicate<string> which, CancellationToken cancellation)
    {
        var problems = new List<(string Source, string Problem)>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var tables = 0;
        for (var round = 0; round < RoundsMax; round++)
        {
            var sources = publisher.Changed().Where(source => which(source) && !problems.Exists(failed => failed.Source == source)).ToList();
            if (sources.Count == 0) break;
            foreach (var source in sources)
            {
                done.Add(source);
                var (changed, problem) = await PublishAsync(publisher, job, source, cancellation);
                tables += changed;
                if (problem is not null) problems.Add((source, problem));
            }
        }

        foreach (var standing in publisher.Troubles.Where(trouble => which(trouble.Source) && !done.Contains(trouble.Source)))
        {
            await LogAsync(job, standing.Source, new CommitOutcome([], [], [], standing.Collided, standing.Skipped, standing.Problem), cancellation);
            if (standing.Problem is { } problem) problems.Add((standing.Source, problem));
        }

        return (tables, problems);
    }

    /// <returns>How many tables changed, and why the source could not be read.</returns>
    public static async Task<(int Changed, string? Problem)> PublishAsync(SourcePublisher publisher, JobContext job, string source, CancellationToken cancellation)
    {
        try
        {
            var outcome = await publisher.PublishAsync(source, cancellation);
            await LogAsync(job, source, outcome, cancellation);
            return (outcome.Published.Count + outcome.Refreshed.Count + outcome.Removed.Count, outcome.Problem);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            await job.LogAsync($"{source}: {failure.Message}", cancellation);
            return (0, failure.Message);
        }
    }

    public static async Task LogAsync(JobContext job, string source, CommitOutcome outcome, CancellationToken cancellation)
    {
        if (outcome.Problem is { } problem) await job.LogAsync($"{source}: skipped, {problem}", cancellation);
        if (outcome.Published.Count > 0) await job.LogAsync($"{source}: published {string.Join(", ", outcome.Published)} ({outcome.Elapsed.TotalMilliseconds:0.0} ms)", cancellation);
        if (outcome.Removed.Count > 0) await job.LogAsync($"{source}: removed {string.Join(", ", outcome.Removed)}", cancellation);
        foreach (var (table, how, drift) in outcome.Drifts.Where(one => one.Outcome != SchemaDrifts.Refused))
            await job.LogAsync($"{source}.{table}: the source's columns are others ({(how == SchemaDrifts.Taken ? "taken" : "left out")}): {drift}", cancellation);
        foreach (var skipped in outcome.Skipped) await job.LogAsync($"{source}.{skipped.Name}: skipped, {skipped.Reason}", cancellation);
        foreach (var name in outcome.Collided) await job.LogAsync($"{source}.{name}: skipped, another source has the name", cancellation);
    }
}
