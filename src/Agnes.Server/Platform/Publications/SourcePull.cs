using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Runs the connector of one of our own sources, and commits what the same child prepared.</summary>
internal sealed class SourcePull(StateDb state, ExtractRunner runner, SourcePublisher publisher, PublishingGate gate, DataFolder folder, IReadOnlyList<Connector> connectors)
{
    private static readonly TimeSpan RunsWithin = TimeSpan.FromHours(1);

    public bool HasExtract(OwnSource own) => File.Exists(folder.ExtractFile(own.Folder));

    /// <summary>Whether pulling waits for servers elsewhere.</summary>
    public bool UsesNetwork(OwnSource own) => connectors.Any(connector => connector.Name == own.Connector && connector.UsesNetwork);

    /// <param name="rows">What to pull; what is registered besides stays as it is, what is not is dropped.</param>
    /// <returns>Why the run as a whole failed for this source, or null.</returns>
    public async Task<string?> RunAsync(JobContext job, OwnSource own, IReadOnlyList<TableRow> rows, CancellationToken cancellation)
    {
        using var entered = await gate.ExtractAsync(UsesNetwork(own) ? Lane.Network : Lane.Disk, cancellation);
        var request = new ExtractRequest(
            $"{job.Job.Id}-{own.Folder}",
            own.Folder,
            own.Connector,
            [.. rows.Select(FileTables.ConfigOf)],
            Registered: [.. state.Snapshot.RegisteredFor(own).Select(row => row.Name)],
            Options: OptionsOf(own));
        var progress = new PullProgress(job, cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(RunsWithin);
        try
        {
            ExtractOutcome outcome;
            await using (progress) outcome = await runner.RunAsync(request, progress, limit.Token, publisher.Known(own.Folder));
            foreach (var warning in outcome.Warnings) await job.LogAsync(warning, cancellation);
            foreach (var failed in outcome.Failed) await FailAsync(job, failed.Name, failed.Error, cancellation, progress.Ended.Contains(failed.Name));
            foreach (var table in outcome.Ok.Where(table => !table.Changed || !progress.Ended.Contains(table.Name))) await job.TableDoneAsync(table.Name, table.Changed ? "ok" : "unchanged", table.Rows, table.Bytes, cancellation);
            return await CommitAsync(job, own, outcome, cancellation);
        }
        catch (WorkerFailedException failure)
        {
            return await FailRestAsync(job, own, rows, progress, failure.Message, cancellation);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return await FailRestAsync(job, own, rows, progress, $"The run took longer than {RunsWithin.TotalMinutes:0} minutes and was ended.", cancellation);
        }
    }

    private async Task<string> FailRestAsync(JobContext job, OwnSource own, IReadOnlyList<TableRow> rows, PullProgress progress, string why, CancellationToken cancellation)
    {
        foreach (var row in rows.Where(row => !progress.Ended.Contains(row.Name))) await FailAsync(job, row.Name, why, cancellation);
        return $"{own.SourceType}: {why}";
    }

    private async Task<string?> CommitAsync(JobContext job, OwnSource own, ExtractOutcome outcome, CancellationToken cancellation)
    {
        if (outcome.Publication is not { } prepared)
        {
            publisher.Forget(own.Folder);
            return null;
        }
        var committed = await publisher.CommitAsync(prepared, cancellation);
        publisher.Seen(own.Folder);
        await PublishJob.LogAsync(job, own.Folder, committed, cancellation);
        foreach (var skipped in committed.Skipped) await job.TableFailedAsync(skipped.Name, skipped.Reason, cancellation);
        foreach (var name in committed.Collided) await FailAsync(job, name, $"Another source publishes a table '{name}' already; rename one of them.", cancellation);
        await ClearErrorsAsync(outcome, committed, cancellation);
        return committed.Problem is null ? null : $"{own.Folder}: {committed.Problem}";
    }

    /// <summary>A table that was pulled is well again, also when it has nothing new.</summary>
    private Task ClearErrorsAsync(ExtractOutcome outcome, CommitOutcome committed, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var bad = committed.Skipped.Select(skipped => skipped.Name).Concat(committed.Collided).ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var table in outcome.Ok.Where(table => !bad.Contains(table.Name))) await write.ClearSyncErrorAsync(table.Name);
        },
        cancellation);

    public async Task FailAsync(JobContext job, string table, string error, CancellationToken cancellation, bool reported = false)
    {
        if (!reported) await job.TableFailedAsync(table, error, cancellation);
        await job.LogAsync($"{table}: {error}", cancellation);
        await state.WriteAsync(write => write.SaveSyncErrorAsync(table, error, inHistory: true), cancellation);
    }

    private Dictionary<string, string> OptionsOf(OwnSource own) => own.SourceType == Sources.SampleType
        ? new() { ["size"] = "s", ["seed"] = "42" }
        : new() { ["root"] = folder.Csv };
}
