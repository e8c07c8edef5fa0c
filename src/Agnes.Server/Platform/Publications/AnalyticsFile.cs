using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// Keeps <c>analytics/server.duckdb</c> up to date for other tools. Nothing of ours reads it, so it may lag: a burst of publications makes one new file.
/// The cost grows with the number of all tables, which is why no publication waits for it.
/// </summary>
internal sealed class AnalyticsFile(StateDb state, Publisher publisher, PublishingGate gate, TimeProvider time) : IPublicationListener
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    public string Name => "analytics";

    public async Task HearAsync(JobContext job, IReadOnlyList<PublicationEvent> events, CancellationToken cancellation)
    {
        await Task.Delay(Settle, time, cancellation);
        using var entered = await gate.PrepareAsync(cancellation);
        var tables = state.Snapshot.Published.Values.Where(version => version.Parts.Count > 0).OrderBy(version => version.Name, StringComparer.Ordinal);
        await publisher.WriteAnalyticsAsync([.. tables.Select(version => new AnalyticsTable(version.Name, version.Parts))], cancellation);
    }
}
