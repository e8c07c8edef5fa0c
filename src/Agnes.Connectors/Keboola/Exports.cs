using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Keboola;

/// <summary>
/// The exports of one table in one run. What was begun is saved as soon as the service has said its id; a run that was killed before it
/// heard the id finds the job by the run's name, which it saved before.
/// </summary>
internal sealed class Exports(
    StorageClient storage, KeboolaSettings settings, ExtractWriter writer, IProgress<ExtractEvent> progress, string table, string sourceId,
    PullCheckpoint begun)
{
    private PullCheckpoint _checkpoint = begun;

    /// <summary>There may be a job of the run's name that nobody has heard of.</summary>
    private bool _isSaved = writer.Checkpoints.ContainsKey(table);

    private static readonly TimeSpan PollMax = TimeSpan.FromSeconds(10);
    private const double PollGrowth = 1.5;

    /// <summary>An export that has ended well, begun now or by an earlier run.</summary>
    /// <param name="name">Of the export within the run.</param>
    /// <exception cref="StorageException">It failed, took too long, or could not be begun.</exception>
    public async Task<StorageJob> RunAsync(string name, ExportMessage what, CancellationToken cancellation)
    {
        if (await EarlierAsync(name, cancellation) is { } earlier)
        {
            var ended = earlier.HasEnded ? earlier : await EndOfAsync(earlier.Id, cancellation);
            if (ended is { IsSuccess: true, FileId: not null }) return ended;
        }

        // Before anything is begun: a run that is killed while it waits for the answer knows by this what to look for.
        if (_checkpoint.Jobs.Count == 0) await SaveAsync(cancellation);
        var job = await storage.ExportAsync(sourceId, what, RunOf(name), cancellation);
        _checkpoint.Jobs[name] = job.Id;
        await SaveAsync(cancellation);
        job = await EndOfAsync(job.Id, cancellation);
        if (!job.IsSuccess)
        {
            await ForgetAsync(name, cancellation); // it will not get better
            throw Failed(job);
        }

        return job.FileId is null ? throw new StorageException($"Keboola's export {job.Id} ended well and says no file.") : job;
    }

    /// <summary>Nobody is to come back to an export that failed, or whose file is gone or no good; neither by the run's name.</summary>
    public async Task ForgetAsync(string name, CancellationToken cancellation)
    {
        _isSaved = false;
        _checkpoint.Jobs.Remove(name);
        _checkpoint = _checkpoint with { Run = PullCheckpoint.NewRun() };
        await SaveAsync(cancellation);
    }

    private string RunOf(string name) => $"{_checkpoint.Run}.{name}";

    private async Task<StorageJob?> EarlierAsync(string name, CancellationToken cancellation)
    {
        try
        {
            if (_checkpoint.Jobs.TryGetValue(name, out var id)) return await storage.JobAsync(id, cancellation);
            return _isSaved ? await storage.FindExportAsync(sourceId, RunOf(name), cancellation) : null;
        }
        catch (StorageException unknown) when (!unknown.IsForNow)
        {
            return null; // it is no more, or the token may not look: another is begun
        }
    }

    private Task SaveAsync(CancellationToken cancellation) => writer.SaveCheckpointAsync(table, _checkpoint.Write(), cancellation);

    private async Task<StorageJob> EndOfAsync(string id, CancellationToken cancellation)
    {
        var since = writer.Time.GetTimestamp();
        var pause = settings.Poll;
        while (true)
        {
            var job = await storage.JobAsync(id, cancellation);
            if (job.HasEnded) return job;
            if (writer.Time.GetElapsedTime(since) > settings.ExportTime)
            {
                throw new StorageException(
                    $"Keboola's export {id} did not finish within {settings.ExportTime.TotalSeconds:0}s; the next sync looks for it.");
            }

            progress.Report(new ExtractEvent("table_progress", table, Phase: "exporting"));
            await Task.Delay(pause, writer.Time, cancellation);
            pause = pause * PollGrowth < PollMax ? pause * PollGrowth : PollMax;
        }
    }

    private StorageException Failed(StorageJob job)
    {
        var why = job.Error is { Length: > 0 } said ? StorageException.Shown(said, settings.Token) : $"it ended as '{job.Status}'";
        return new StorageException($"Keboola's export {job.Id} failed: {why}");
    }
}
