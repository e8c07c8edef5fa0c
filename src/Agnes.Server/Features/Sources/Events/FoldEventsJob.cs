using Agnes.Connectors.Events;
using Agnes.Engine.Extracts;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>Folds the tail of a source into the monthly parts of its tables, and publishes them. The tail ends in the transaction that publishes what was in it.</summary>
internal sealed class FoldEventsJob(
    StateDb state, SourceKinds kinds, IServiceProvider services, EventIntakes intakes, ExtractRunner runner, SourcePublisher publisher, PublishingGate gate) : IJobHandler
{
    public const string KindName = "fold-events";

    public string Kind => KindName;

    public static JobRequest Request(string source) => new(KindName, source, $"{KindName}:{source}", "tail", null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var name = job.Job.Subject!;
        if (kinds.All.OfType<IEventKind>().SelectMany(kind => kind.Events(services)).FirstOrDefault(one => one.Name == name) is not { } source)
            throw new WorkerFailedException($"'{name}' is not set up.");
        using var entered = await gate.ExtractAsync(Lane.Disk, cancellation);
        var intake = intakes.Find(name); // a process without the journal has none: what is merged meanwhile stays in the tail, and is folded once more
        try
        {
            await FoldAsync(job, source, intake is null ? state.Snapshot.Tails.GetValueOrDefault(name)?.Runs ?? [] : await intake.BeginFoldAsync(cancellation), cancellation);
        }
        finally
        {
            intake?.EndFold();
        }

        return JobResult.Ok;
    }

    private async Task FoldAsync(JobContext job, EventSource source, IReadOnlyList<TailRun> runs, CancellationToken cancellation)
    {
        Dictionary<string, string> options = new(source.Options, StringComparer.Ordinal)
        {
            [EventsConnector.SchemaOption] = source.Schema,
            [EventsConnector.RunsOption] = EventTails.Write(runs),
        };
        var request = new ExtractRequest($"{job.Job.Id}-{source.Name}", source.Name, EventsConnector.ConnectorName, [], Options: options);
        ExtractOutcome outcome;
        var progress = new PullProgress(job, cancellation);
        await using (progress) outcome = await runner.RunAsync(request, progress, cancellation, publisher.Known(source.Name), share: gate.ShareOf(Lane.Disk));
        var folded = runs.Count == 0 ? 0 : runs[^1].Number;
        var committed = await publisher.CommitAsync(outcome.Publication!, cancellation, also: (write, done) => EndTailAsync(write, source, folded, done));
        await PublishJob.LogAsync(job, source.Name, committed, cancellation);
        if (committed.Problem is { } problem) throw new WorkerFailedException(problem);
        publisher.Seen(source.Name);
    }

    private static async Task EndTailAsync(StateWrite write, EventSource source, long folded, CommitOutcome done)
    {
        if (done.Problem is not null || done.Skipped.Count > 0 || done.Collided.Count > 0) return; // what is not published stays in the tail
        var tail = write.Current.Tails.GetValueOrDefault(source.Name);
        var row = tail?.Row ?? EventTails.First(source, write.Now);
        await write.SaveAsync(row with
        {
            Number = row.Number + 1,
            Runs = EventTails.Write((tail?.Runs ?? []).Where(run => run.Number > folded)),
            FoldedAt = write.Now,
            UpdatedAt = write.Now,
        });
    }
}
