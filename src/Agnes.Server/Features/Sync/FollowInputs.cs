using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary>
/// Starts a run for the tables that are queries over others, and are to follow them, when one of those has other rows than before.
/// </summary>
internal sealed class FollowInputs(StateDb state, SourceKinds kinds, JobRunner jobs) : IPublicationListener
{
    private const string Trigger = "publication";

    public string Name => "follow-inputs";

    public Lane Lane => Lane.Light;

    /// <exception cref="InvalidOperationException">Another run has them now; it may have read what was there before, so they are tried
    /// again.</exception>
    public async Task HearAsync(JobContext job, IReadOnlyList<PublicationEvent> events, CancellationToken cancellation)
    {
        var changed = events.Where(happened => happened.What == PublicationEvent.Published).Select(happened => happened.TableName)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (changed.Count == 0) return;
        var snapshot = state.Snapshot;
        var following = snapshot.TablesById.Values
            .Where(row => row.SyncSchedule == SyncSchedule.OnChange && kinds.OfType(row.SourceType) is { IsDerived: true })
            .Where(row => TableReads.Of(row).Any(changed.Contains))
            .Select(row => row.Id).Order(StringComparer.Ordinal).ToList();
        if (following.Count == 0) return;
        var start = await jobs.StartAsync(SyncJob.Request(snapshot, kinds, Trigger, null, following), cancellation);
        if (start is not JobStart.Started)
            throw new InvalidOperationException("Another run has the tables that follow; they are tried again.");
    }
}
