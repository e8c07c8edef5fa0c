using System.Collections.Concurrent;
using Agnes.Connectors.Answers;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>A run that pulls.</summary>
/// <param name="PulledFor">The time that a table counts as pulled for, where it is.</param>
internal sealed record PullRun(JobContext Job, Func<TableRow, DateTime> PulledFor)
{
    /// <summary>Nobody asked for it now.</summary>
    public bool IsScheduled { get; init; }
}

/// <summary>Runs the connector of one of our own sources, and commits what the same child prepared.</summary>
internal sealed class SourcePull(
    StateDb state, ExtractRunner runner, SourcePublisher publisher, PublishingGate gate, DataFolder folder, SourceKinds kinds, SecretStore secrets, ServerOptions options,
    IReadOnlyList<Connector> connectors, TableQueries queries, Scratch scratch)
{
    /// <summary>In one write, which others wait for.</summary>
    private const int NotedAtOnce = 200;

    private readonly PullCheckpoints _checkpoints = new(state);

    /// <summary>Two children over one extract would each replace what the other wrote.</summary>
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _extracts = new(StringComparer.Ordinal); // one for each connection that there was

    public bool HasExtract(Connection own) => File.Exists(folder.ExtractFile(own.Name));

    /// <summary>Whether pulling waits for servers elsewhere.</summary>
    public bool UsesNetwork(Connection own) =>
        own.Kind.IsAsked || connectors.Any(connector => connector.Name == own.Kind.Connector && connector.UsesNetwork);

    /// <param name="rows">What to pull; what is registered besides stays as it is, what is not is dropped.</param>
    /// <returns>Why the run as a whole failed for this source, or null.</returns>
    public async Task<string?> RunAsync(PullRun run, Connection own, IReadOnlyList<TableRow> rows, CancellationToken cancellation)
    {
        if (!own.Kind.TakesAnswers) return await RunAsync(run, own, rows, null, cancellation);
        using var answers = scratch.NewFolder("answers");
        var answered = new List<TableRow>(rows.Count);
        foreach (var row in rows)
        {
            if (row.QueryMode != TableRules.ModeMaterialized || await AnswerAsync(run, own, row, answers.Path, cancellation)) answered.Add(row);
        }

        return rows.Count > 0 && answered.Count == 0 ? null : await RunAsync(run, own, answered, answers.Path, cancellation);
    }

    /// <summary>Before a place among the extracting children is taken: a source may think for long.</summary>
    private async Task<bool> AnswerAsync(PullRun run, Connection own, TableRow row, string answers, CancellationToken cancellation)
    {
        var job = run.Job;
        await job.TableStartedAsync(row.Name, cancellation);
        job.TableProgress(row.Name, null, null, "querying");
        var outcome = await queries.TakeAsync(job.Job.Id, own, row, answers, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (!outcome.IsOk) await FailAsync(run, row.Name, outcome.Message!, cancellation);
        return outcome.IsOk;
    }

    /// <param name="answers">The folder of what the tables' queries were answered with; null where the connector brings the rows
    /// itself.</param>
    private async Task<string?> RunAsync(
        PullRun run, Connection own, IReadOnlyList<TableRow> rows, string? answers, CancellationToken cancellation)
    {
        var job = run.Job;
        var lane = UsesNetwork(own) ? Lane.Network : Lane.Disk;
        using var alone = await AloneAsync(own.Name, cancellation); // before a place is taken that others could use
        using var entered = await gate.ExtractAsync(lane, cancellation);
        var contracts = publisher.ContractsOf(own.Name);
        var progress = new PullProgress(job, cancellation);
        var limits = ExtractLimits.Default with { Total = options.Limits.SyncTotal };
        try
        {
            var request = await RequestAsync(job, own, rows, answers);
            ExtractOutcome outcome;
            await using (progress) outcome = await runner.RunAsync(request, progress, cancellation, publisher.Known(own.Name), limits, (saved, stop) => _checkpoints.SaveAsync(own.Name, saved, stop), gate.ShareOf(lane));
            await ForgetCheckpointsAsync(own, request, outcome, cancellation);
            foreach (var warning in outcome.Warnings.Where(warning => !progress.Logged.Contains(warning))) await job.LogAsync(warning, cancellation);
            foreach (var failed in outcome.Failed) await FailAsync(run, failed.Name, failed.Error, cancellation, progress.Ended.Contains(failed.Name), failed.Drift);
            if (answers is not null)
            {
                var queried = rows.Where(row => row.QueryMode == TableRules.ModeMaterialized).Select(row => row.Name).ToHashSet(StringComparer.Ordinal);
                foreach (var empty in outcome.Ok.Where(table => table.Rows == 0 && queried.Contains(table.Name)))
                    await job.LogAsync($"{empty.Name}: warning: its query returned no rows", cancellation);
            }

            foreach (var table in outcome.Ok.Where(table => !table.Changed || !progress.Ended.Contains(table.Name))) await job.TableDoneAsync(table.Name, table.Changed ? "ok" : "unchanged", table.Rows, table.Bytes, cancellation);
            return await CommitAsync(run, own, rows, outcome, contracts, cancellation);
        }
        catch (WorkerFailedException failure)
        {
            return await FailRestAsync(run, own, rows, progress, failure.Message, cancellation);
        }
    }

    private async Task<ExtractRequest> RequestAsync(JobContext job, Connection own, IReadOnlyList<TableRow> rows, string? answers) => new(
        $"{job.Job.Id}-{own.Name}",
        own.Name,
        own.Kind.Connector!,
        [.. rows.Select(own.Kind.ConfigOf)],
        Registered: [.. kinds.RegisteredFor(state.Snapshot, own).Select(row => row.Name)],
        Options: OptionsOf(own, answers))
    {
        Checkpoints = await _checkpoints.LoadAsync(own.Name),
        Program = rows.Count > 0 ? own.Kind.ProgramOf(own, options) : null,
    };

    /// <summary>They go by pipe and are never on a command line. Whoever only takes answers is told nothing else.</summary>
    private Dictionary<string, string> OptionsOf(Connection own, string? answers)
    {
        var given = own.Kind.Connector == AnswersConnector.ConnectorName
            ? new Dictionary<string, string>(StringComparer.Ordinal)
            : ConnectionSecrets.OptionsOf(secrets, own, folder, options);
        if (answers is not null) given[AnswersConnector.FolderOption] = answers;
        return given;
    }

    /// <summary>What is left of a connection that is gone: its folder, of which nothing is published, and its checkpoints.</summary>
    public async Task ForgetAsync(string connection, CancellationToken cancellation)
    {
        var saved = await _checkpoints.LoadAsync(connection);
        await _checkpoints.ForgetAsync(connection, [.. saved.Keys], cancellation);
        using var alone = await AloneAsync(connection, cancellation);
        using var entered = await gate.ExtractAsync(Lane.Disk, cancellation);
        if (kinds.OfFolder(state.Snapshot, connection) is null && state.Snapshot.PublishedNamesOf(connection).IsEmpty && Directory.Exists(folder.Source(connection)))
            Directory.Delete(folder.Source(connection), recursive: true);
    }

    private async Task<IDisposable> AloneAsync(string connection, CancellationToken cancellation)
    {
        var place = _extracts.GetOrAdd(connection, _ => new SemaphoreSlim(1, 1));
        await place.WaitAsync(cancellation);
        return new Place(place);
    }

    /// <summary>Of tables that are done, that were brought and refused for their columns, and that nobody has any more.</summary>
    private Task ForgetCheckpointsAsync(Connection own, ExtractRequest request, ExtractOutcome outcome, CancellationToken cancellation)
    {
        List<string> ended = [.. outcome.Ok.Select(table => table.Name), .. outcome.Failed.Where(table => table.Drift is not null).Select(table => table.Name)];
        var open = request.Registered!.Except(ended, StringComparer.OrdinalIgnoreCase).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return _checkpoints.ForgetAsync(own.Name, [.. request.Checkpoints!.Keys.Concat(ended).Where(name => !open.Contains(name))], cancellation);
    }

    private async Task<string> FailRestAsync(PullRun run, Connection own, IReadOnlyList<TableRow> rows, PullProgress progress, string why, CancellationToken cancellation)
    {
        // Those that had come to their end as well: they are not published.
        foreach (var row in rows) await FailAsync(run, row.Name, why, cancellation, reported: progress.Ended.Contains(row.Name));
        return $"{own.Name}: {why}";
    }

    private async Task<string?> CommitAsync(
        PullRun run, Connection own, IReadOnlyList<TableRow> rows, ExtractOutcome outcome, string contracts, CancellationToken cancellation)
    {
        var job = run.Job;
        if (outcome.Publication is not { } prepared)
        {
            publisher.Forget(own.Name);
            return null;
        }
        var committed = await publisher.CommitAsync(prepared, cancellation);
        await PublishJob.LogAsync(job, own.Name, committed, cancellation);
        if (committed.Problem is { } problem)
        {
            publisher.Forget(own.Name);
            foreach (var row in rows.Where(row => outcome.Ok.Any(table => Same(table.Name, row.Name)))) await FailAsync(run, row.Name, problem, cancellation);
            return $"{own.Name}: {problem}";
        }

        publisher.Seen(own.Name, contracts);
        foreach (var skipped in committed.Skipped) await job.TableFailedAsync(skipped.Name, skipped.Reason, cancellation);
        await NoteSkippedAsync(run, rows, committed, cancellation);
        foreach (var name in committed.Collided) await FailAsync(run, name, $"Another source publishes a table '{name}' already; rename one of them.", cancellation);
        await NotePulledAsync(run, rows, outcome, committed, cancellation);
        return null;
    }

    /// <summary>Their error stands since the commit; what was brought and could not be published is tried less often, too.</summary>
    private Task NoteSkippedAsync(PullRun run, IReadOnlyList<TableRow> rows, CommitOutcome committed, CancellationToken cancellation)
    {
        var asked = rows.Where(row => committed.Skipped.Any(skipped => Same(skipped.Name, row.Name))).ToList();
        return asked.Count == 0 ? Task.CompletedTask : state.WriteAsync(
            async write =>
            {
                foreach (var row in asked.Where(row => write.Current.TableByName(row.Name) is not null)) await write.NoteFailureAsync(row.Name, run.IsScheduled);
            },
            cancellation);
    }

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <summary>A table that was pulled is well again, also when it has nothing new.</summary>
    private async Task NotePulledAsync(
        PullRun run, IReadOnlyList<TableRow> rows, ExtractOutcome outcome, CommitOutcome committed, CancellationToken cancellation)
    {
        var bad = committed.Skipped.Select(skipped => skipped.Name).Concat(committed.Collided).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var asked = rows.ToDictionary(row => row.Name, StringComparer.OrdinalIgnoreCase);
        var good = outcome.Ok.Where(table => asked.ContainsKey(table.Name) && !bad.Contains(table.Name)).Select(table => asked[table.Name]).ToList();
        foreach (var some in good.Chunk(NotedAtOnce))
        {
            await state.WriteAsync(
                async write =>
                {
                    foreach (var row in some) await write.ClearSyncErrorAsync(row.Name);
                    await write.NotePulledAsync([.. some.Where(row => write.Current.Table(row.Id)?.Name == row.Name).Select(row => (row.Name, run.PulledFor(row)))]);
                },
                cancellation);
        }
    }

    public async Task FailAsync(PullRun run, string table, string error, CancellationToken cancellation, bool reported = false, SchemaDrift? drift = null)
    {
        if (!reported) await run.Job.TableFailedAsync(table, error, cancellation);
        await run.Job.LogAsync($"{table}: {error}", cancellation);
        await state.WriteAsync(
            async write =>
            {
                if (drift is not null && !write.HasSyncError(table, error)) await write.NoteDriftAsync(table, drift, SchemaDrifts.Refused);
                await write.SaveSyncErrorAsync(table, error, inHistory: true);
                if (write.Current.TableByName(table) is not null) await write.NoteFailureAsync(table, run.IsScheduled);
            },
            cancellation);
    }

    private sealed class Place(SemaphoreSlim place) : IDisposable
    {
        public void Dispose() => place.Release();
    }
}
