using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>
/// Runs stored jobs, in each lane a few at a time. A job is taken by a conditional write, so that several processes can share a queue; it holds its lease by a heartbeat,
/// and goes back to the queue when its process is gone: as long as it gets on between two interruptions, and else once.
/// </summary>
internal sealed partial class JobRunner : BackgroundService
{
    public const char KeySeparator = '\n';

    /// <summary>In one lane.</summary>
    private const int QueuedMax = 256;
    private const int InterruptionsMax = 2; // at one place
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeaseLasts = TimeSpan.FromSeconds(60);

    /// <summary>Another process may put jobs into a shared queue; our own are woken for.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAloneEvery = TimeSpan.FromMinutes(1);

    private readonly StateDb _state;
    private readonly JobEvents _events;
    private readonly DiskReserve _disk;
    private readonly TimeProvider _time;
    private readonly ILogger<JobRunner> _log;
    private readonly Lazy<JobHandlers> _handlers;
    private readonly Lazy<Dictionary<string, SemaphoreSlim>> _work; // by lane; counts what may wait there
    private readonly string _owner = $"{Environment.MachineName}-{Guid.NewGuid():N}";
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new(); // at most the slots of all lanes

    public JobRunner(StateDb state, JobEvents events, IServiceProvider services, DiskReserve disk, TimeProvider time, ILogger<JobRunner> log)
    {
        (_state, _events, _disk, _time, _log) = (state, events, disk, time, log);
        _handlers = new(() => new JobHandlers(services.GetServices<IJobHandler>())); // handlers start jobs too, so they come later
        _work = new(() => _handlers.Value.Lanes.ToDictionary(lane => lane.Name, _ => new SemaphoreSlim(0), StringComparer.Ordinal));
    }

    /// <param name="audit">What to write in the same transaction when the job was taken.</param>
    public async Task<JobStart> StartAsync(JobRequest request, CancellationToken cancellation, Action<StateWrite, string>? audit = null)
    {
        var start = await _state.WriteAsync(async write => await EnqueueAsync(write, request, audit), cancellation);
        if (start is JobStart.Started) Wake(request);
        return start;
    }

    /// <summary>As above within a write of the caller, who wakes the runner (<see cref="Wake"/>) when it is committed.</summary>
    public Task<JobStart> StartWithinAsync(StateWrite write, JobRequest request) => EnqueueAsync(write, request, null);

    /// <summary>The keys that unfinished jobs have; exact within the write.</summary>
    public static async Task<IReadOnlySet<string>> HeldAsync(StateWrite write) => KeysOf(await write.QueryAsync<HeldKeys>(JobSql.Held));

    /// <summary>As above, as it stands now.</summary>
    public async Task<IReadOnlySet<string>> HeldAsync(CancellationToken cancellation) =>
        KeysOf(await _state.ReadAsync<HeldKeys>(JobSql.Held, cancellation: cancellation));

    /// <summary>Something of this kind may wait.</summary>
    public void Wake(JobRequest request) => _work.Value[_handlers.Value.LaneOf(request).Name].Release();

    /// <returns>False where there is no such job, or it has ended.</returns>
    public async Task<bool> CancelAsync(string id, CancellationToken cancellation, Action<StateWrite>? audit = null)
    {
        var found = await _state.WriteAsync(
            async write =>
            {
                var status = await write.QueryAsync<string>(JobSql.RequestCancel, new { id, now = write.Now });
                if (status.Count == 0) return false;
                await write.QueryAsync<string>(JobSql.CancelQueued, new { id, now = write.Now });
                audit?.Invoke(write);
                return true;
            },
            cancellation);
        if (found && _running.TryGetValue(id, out var stop)) await stop.CancelAsync();
        return found;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // An embedded state belongs to this process alone, so whatever says it runs was left by an earlier one.
        await TakeBackAsync(_state.Engine == StateEngine.DuckDb ? TimeSpan.Zero : LeaseLasts, stoppingToken);
        var slots = _handlers.Value.Lanes.SelectMany(lane => Enumerable.Range(0, lane.Slots).Select(_ => WorkAsync(lane.Name, stoppingToken))).ToList();
        slots.Add(HeartbeatsAsync(stoppingToken));
        await Task.WhenAll(slots);
    }

    private async Task<JobStart> EnqueueAsync(StateWrite write, JobRequest request, Action<StateWrite, string>? audit)
    {
        var keys = request.Keys;
        if (keys.Count > 0)
        {
            // Exact: nobody else writes meanwhile, in this process or another.
            var held = (await write.QueryAsync<HeldKeys>(JobSql.Held)).SelectMany(job => job.Key.Split(KeySeparator).Select(key => (Key: key, job.Id))).ToLookup(job => job.Key, job => job.Id);
            var free = keys.Where(key => !held.Contains(key)).ToList();
            if (free.Count < (request.TakesWhatIsFree ? 1 : keys.Count)) return new JobStart.Busy(keys.SelectMany(key => held[key]).First());
            keys = free;
        }

        var id = write.NewId();
        var taken = await write.QueryAsync<string>(
            JobSql.Enqueue,
            new
            {
                Id = id,
                request.Kind,
                request.Subject,
                Key = keys.Count == 0 ? null : string.Join(KeySeparator, keys),
                Lane = _handlers.Value.LaneOf(request).Name,
                request.Trigger,
                request.RequestedBy,
                write.Now,
                request.Input,
                QueuedMax,
            });
        if (taken.Count == 0) return new JobStart.QueueFull();
        audit?.Invoke(write, id);
        return new JobStart.Started(id);
    }

    private static HashSet<string> KeysOf(IReadOnlyList<HeldKeys> held) =>
        held.SelectMany(job => job.Key.Split(KeySeparator)).ToHashSet(StringComparer.Ordinal);

    private async Task WorkAsync(string lane, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await TryRunNextAsync(lane, stopping)) continue;
                await _work.Value[lane].WaitAsync(_state.Engine == StateEngine.Postgres ? LookEvery : LookAloneEvery, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogQueueFailed(_log, failure);
                await Task.Delay(LookEvery, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<bool> TryRunNextAsync(string lane, CancellationToken stopping)
    {
        var next = await _state.ReadAsync<string>(JobSql.NextQueued, new { lane }, stopping);
        if (next.Count == 0) return false;
        var id = next[0];
        var claimed = await _state.WriteAsync(write => write.QueryAsync<string>(JobSql.Claim, new { id, owner = _owner, now = write.Now }), stopping);
        if (claimed.Count == 0) return true; // another slot was quicker; look again
        var job = (await _state.ReadAsync<JobRow>(JobSql.ById, new { id }, stopping))[0];
        await RunAsync(job, stopping);
        return true;
    }

    private async Task RunAsync(JobRow job, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running[job.Id] = stop;
        var context = new JobContext(job, _state, _events, _time, (await _state.ReadAsync<long>(JobSql.LastLogSeq, new { id = job.Id }, stopping))[0]);
        try
        {
            context.Publish("run_started", new JsonObject { ["run_id"] = job.Id, ["kind"] = job.Kind, ["trigger"] = job.Trigger, ["attempt"] = job.Attempts });
            if (job.Attempts > 1) await context.LogAsync("Started again: the process that ran this before is gone.", stopping);
            var result = await HandleAsync(context, stop.Token, stopping);
            if (result is null) return; // the process stops: the next one takes the job up again
            await FinishAsync(context, result);
        }
        catch (JobLostException lost)
        {
            LogFailed(_log, job.Kind, job.Id, lost);
        }
        finally
        {
            _running.TryRemove(job.Id, out _);
        }
    }

    private async Task<JobResult?> HandleAsync(JobContext context, CancellationToken stop, CancellationToken stopping)
    {
        try
        {
            if (_handlers.Value.Of(context.Job.Kind) is not { } handler) return new JobResult(JobStatus.Failed, Error: $"This server does not know jobs of kind '{context.Job.Kind}'.");
            if (handler.FillsDisk && _disk.IsLow) return new JobResult(JobStatus.Failed, Error: $"{DiskReserve.Code}: {DiskReserve.Refused}");
            return await handler.RunAsync(context, stop);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failure) when (stopping.IsCancellationRequested && failure is not JobLostException)
        {
            LogInterrupted(_log, context.Job.Kind, context.Job.Id, failure);
            return null; // whatever broke, the stop may have broken it: the next process finds out
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new JobResult(JobStatus.Cancelled);
        }
        catch (Exception failure) when (failure is not JobLostException)
        {
            LogFailed(_log, context.Job.Kind, context.Job.Id, failure);
            return new JobResult(JobStatus.Failed, Error: Redactor.Redact(failure.Message));
        }
    }

    private async Task FinishAsync(JobContext context, JobResult result)
    {
        if (result.Error is { } error) await context.LogAsync(error, CancellationToken.None);
        await _state.FlushAsync(); // steps and log stand before the end does
        var next = await _state.WriteAsync(async write =>
        {
            var ended = await write.QueryAsync<string>(
                JobSql.Finish, new { id = context.Job.Id, owner = _owner, now = write.Now, status = result.Status, error = result.Error, result = result.Result });
            if (ended.Count == 0 || result.Next is not { } ask || await ask(write) is not { } request) return null;
            return await EnqueueAsync(write, request, null) is JobStart.Started ? request : null;
        });
        if (next is not null) Wake(next);
        var data = new JsonObject { ["run_id"] = context.Job.Id, ["status"] = result.Status };
        if (result.Error is not null) data["error"] = result.Error;
        if (result.Result is not null) data["result"] = JsonNode.Parse(result.Result);
        context.Publish("run_done", data);
    }

    private async Task HeartbeatsAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(HeartbeatEvery, _time, stopping);
                foreach (var (id, stop) in _running) await BeatAsync(id, stop, stopping);
                if (_state.Engine == StateEngine.Postgres) await TakeBackAsync(LeaseLasts, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogQueueFailed(_log, failure);
            }
        }
    }

    private async Task BeatAsync(string id, CancellationTokenSource stop, CancellationToken stopping)
    {
        var mine = await _state.WriteAsync(write => write.QueryAsync<DateTime?>(JobSql.Heartbeat, new { id, owner = _owner, now = write.Now }), stopping);
        if (mine.Count > 0 && mine[0] is null) return;
        if (_running.ContainsKey(id)) await stop.CancelAsync(); // asked for by another replica, or the lease is lost
    }

    private async Task TakeBackAsync(TimeSpan lease, CancellationToken stopping)
    {
        var back = await _state.WriteAsync(
            async write =>
            {
                var at = new { owner = _owner, before = write.Now - lease, now = write.Now, interruptionsMax = InterruptionsMax, error = "Interrupted twice at the same place: the process ended while this ran." };
                await write.QueryAsync<string>(JobSql.GiveUp, at);
                return await write.QueryAsync<string>(JobSql.Requeue, at);
            },
            stopping);
        foreach (var lane in back)
        {
            if (_work.Value.TryGetValue(lane, out var work)) work.Release();
        }
    }

    [LoggerMessage(EventId = 6001, Level = LogLevel.Error, Message = "The {Kind} job {Id} failed.")]
    private static partial void LogFailed(ILogger log, string kind, string id, Exception failure);

    [LoggerMessage(EventId = 6002, Level = LogLevel.Error, Message = "The job queue could not be worked on; it is tried again shortly.")]
    private static partial void LogQueueFailed(ILogger log, Exception failure);

    [LoggerMessage(EventId = 6003, Level = LogLevel.Warning, Message = "The {Kind} job {Id} broke off while the process stopped; the next one takes it up again.")]
    private static partial void LogInterrupted(ILogger log, string kind, string id, Exception failure);

    private sealed record HeldKeys
    {
        public required string Id { get; init; }
        public required string Key { get; init; }
    }
}
