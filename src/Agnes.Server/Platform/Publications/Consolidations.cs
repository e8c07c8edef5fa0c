using System.Collections.Concurrent;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// The one file that stands for a table of several parts, for clients that know no parts: made when such a client asks, then again at most hourly while one
/// has asked within a day. Between two of them those clients are served the last one.
/// </summary>
internal sealed class Consolidations(StateDb state, JobRunner jobs, DiskReserve disk, TimeProvider time) : IPeriodic
{
    private static readonly TimeSpan MadeEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan AskedWithin = TimeSpan.FromHours(24);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _asked = new(StringComparer.OrdinalIgnoreCase); // names of published tables

    public string Name => "files for older clients";

    public TimeSpan Every => TimeSpan.FromMinutes(5);

    /// <summary>The newest kept version of a table that has one; it may lag behind the current version.</summary>
    public static PublishedVersion? NewestWhole(Snapshot snapshot, string name) =>
        snapshot.Kept.GetValueOrDefault(name)?.ByNumber.Values.LastOrDefault(version => version.Whole is not null && version.Rendition.Length == 0);

    /// <summary>Somebody wants the file; makes it when there is none, or only an old one.</summary>
    public Task AskAsync(string name, CancellationToken cancellation)
    {
        _asked[name] = time.GetUtcNow();
        return MakeAsync(name, cancellation);
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        foreach (var (name, at) in _asked)
        {
            if (time.GetUtcNow() - at > AskedWithin) _asked.TryRemove(name, out _);
            else await MakeAsync(name, cancellation);
        }
    }

    private async Task MakeAsync(string name, CancellationToken cancellation)
    {
        var snapshot = state.Snapshot;
        if (snapshot.PublishedTable(name) is not { Parts.Count: > 1, Whole: null }) return;
        if (disk.IsLow) return; // the last one is served meanwhile
        if (NewestWhole(snapshot, name)?.WholeMadeAt is { } made && time.GetUtcNow().UtcDateTime - made < MadeEvery) return;
        await jobs.StartAsync(new JobRequest(ConsolidateJob.KindName, name, $"{ConsolidateJob.KindName}:{name.ToLowerInvariant()}", "download", null), cancellation);
    }
}

/// <summary>Makes the file for the version that is current when the job runs.</summary>
internal sealed class ConsolidateJob(StateDb state, Publisher publisher, PartStore parts, PublishingGate gate) : IJobHandler
{
    public const string KindName = "consolidate";

    public string Kind => KindName;

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var name = job.Job.Subject!;
        using var entered = await gate.PrepareAsync(cancellation);
        if (state.Snapshot.PublishedTable(name) is not { Parts.Count: > 1, Whole: null } version) return JobResult.Ok;
        var (whole, stamp) = await publisher.ConsolidateAsync(version.Parts, cancellation);
        parts.Mark(whole.Sha256, stamp);
        await state.WriteAsync(
            async write =>
            {
                // The version may be superseded by now; its file is still good for clients that were told of it.
                if (write.Current.Kept.GetValueOrDefault(version.Name)?.ByNumber.GetValueOrDefault(version.Number) is not { } kept) return;
                await write.ExecuteAsync(
                    PublicationSql.SaveWhole,
                    new { whole.Sha256, whole.Md5, whole.SizeBytes, MadeAt = write.Now, kept.Name, kept.Number });
                write.Apply(snapshot => snapshot.WithVersion(kept with { Whole = whole, WholeMadeAt = write.Now }));
                write.Audit(null, "consolidate", version.Name, new() { ["version"] = version.Number, ["bytes"] = whole.SizeBytes }, "ok");
            },
            cancellation);
        return JobResult.Ok;
    }
}
