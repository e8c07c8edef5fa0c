using System.Text.Json.Nodes;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Removes versions that no answered manifest can still name: first their rows, then the parts that nothing names any more.</summary>
internal sealed class PurgeJob(StateDb state, PartStore parts, PublishingGate gate, TableBelongings belongings, Belongings kept, ServerOptions options, TimeProvider time) : IJobHandler
{
    public const string KindName = "purge";

    /// <summary>What a manifest named can be fetched for this long after it was superseded.</summary>
    public static readonly TimeSpan KeepFor = TimeSpan.FromHours(24);

    /// <summary>Parts younger than this may belong to a publication that another process is about to commit.</summary>
    private static readonly TimeSpan PartAgeMin = TimeSpan.FromHours(1);
    private static readonly TimeSpan SweepRetryAfter = TimeSpan.FromSeconds(1);
    private const int SweepAttemptsMax = 60;
    private const int BatchMax = 200;

    public string Kind => KindName;

    public Lane Lane => Lane.Light;

    /// <summary>It makes room.</summary>
    public bool FillsDisk => false;

    public static JobRequest Request(string trigger) => new(KindName, null, KindName, trigger, null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var versions = 0;
        int removed;
        do
        {
            removed = await RemoveVersionsAsync(cancellation);
            versions += removed;
        }
        while (removed == BatchMax);

        await state.WriteAsync(write => kept.EndPartsAsync(write, Named(write.Current)), cancellation);

        using var sweeping = await WaitToSweepAsync(cancellation);
        var (count, bytes) = sweeping is null ? (0, 0L) : parts.Sweep(Named(state.Snapshot), PartAgeMin, time, cancellation);
        if (sweeping is null) await job.LogAsync("Parts were not swept: something is being published. The next run does it.", cancellation);
        return new JobResult(JobStatus.Ok, new JsonObject { ["versions"] = versions, ["parts"] = count, ["bytes"] = bytes }.ToJsonString());
    }

    /// <returns>Null when something was being published all the time.</returns>
    private async Task<IDisposable?> WaitToSweepAsync(CancellationToken cancellation)
    {
        for (var attempt = 1; attempt < SweepAttemptsMax; attempt++)
        {
            if (gate.TrySweep() is { } sweeping) return sweeping;
            await Task.Delay(SweepRetryAfter, time, cancellation);
        }
        return gate.TrySweep();
    }

    private Task<int> RemoveVersionsAsync(CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var before = write.Now - KeepFor;
            var expired = write.Before.Kept.Values.SelectMany(kept => Old(kept, write.Before)).Where(version => version.SupersededAt < before).Take(BatchMax).ToList();
            foreach (var version in expired)
            {
                var key = new { version.Name, version.Number, Before = before };
                await write.ExecuteAsync(PublicationSql.DeleteParts, key);
                await write.QueryAsync<long>(PublicationSql.DeleteVersion, key);
                write.Apply(snapshot => snapshot.WithoutVersion(version.Name, version.Number));
                if (write.Current.Kept.GetValueOrDefault(version.Name) is null or { ByNumber.Count: 0 }) await belongings.DropUnregisteredAsync(write, version.Name, "the table has been gone for a day");
            }
            if (expired.Count > 0) write.Audit(null, "purge_versions", null, new JsonObject { ["versions"] = expired.Count }, "ok");
            return expired.Count;
        },
        cancellation);

    /// <summary>All but the newest of a table that there is; of one that is gone, all.</summary>
    private IEnumerable<PublishedVersion> Old(KeptVersions kept, Snapshot snapshot)
    {
        var isThere = kept.ByNumber.Values.FirstOrDefault() is { } any && snapshot.PublishedTable(any.Name) is not null;
        return isThere ? kept.ByNumber.Values.SkipLast(options.Limits.VersionsKept) : kept.ByNumber.Values;
    }

    private static HashSet<string> Named(Snapshot snapshot) =>
    [
        .. snapshot.Kept.Values.SelectMany(kept => kept.ByNumber.Values)
            .SelectMany(version => version.Parts.Select(part => part.Sha256).Concat(version.Whole is { } whole ? [whole.Sha256] : [])
                .Concat(LeftOutOrigin.HeldParts(version.Origin))),
    ];
}
