using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Workers;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Profiles;

/// <summary>Makes profiles in query workers, each version's once whoever asks, a few at a time, and keeps the last of each table.</summary>
internal sealed partial class Profiler(StateDb state, StatementRunner runner, Scopes scopes, WorkerPoolOptions workers, TimeProvider time, IHostApplicationLifetime host, ILogger<Profiler> log) : IAsyncDisposable
{
    /// <summary>Of one profile, with the time that it waits for others.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);

    /// <summary>One this young is not made again; who asks so fast learns nothing new.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <summary>Profiles that are made or wait.</summary>
    private const int RunningMax = 20;

    private const long ResultBytesMax = 16L << 20;

    private readonly int _atOnce = Math.Max(1, workers.Workers / 2);
    private readonly SemaphoreSlim _slots = new(Math.Max(1, workers.Workers / 2)); // half of the workers stay free for statements of people
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Table, string Mark), Task<Profiled>> _running = []; // under _gate; at most RunningMax

    /// <summary>The profile of the version that the request's snapshot holds.</summary>
    /// <param name="table">Published, and the asker may read it.</param>
    /// <param name="isAnew">Made again even where there is one, unless that is a few seconds old.</param>
    public async Task<Profiled> OfAsync(HttpContext context, NamedTable table, bool isAnew)
    {
        var kept = await TableProfileStore.FindAsync(state, Key(table), context.RequestAborted);
        if (kept is not null && kept.PartsDigest == ProfileText.MarkOf(table) && (!isAnew || time.GetUtcNow().UtcDateTime - kept.ProfiledAt < FreshFor)) return Profiled.Of(kept);
        var running = Join(context, table);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, context.Lease().Ended);
        var profiled = await WaitAsync(running, stop.Token);
        return context.Lease().Ended.IsCancellationRequested ? Profiled.Failed(StatementStatus.TableDenied) : profiled;
    }

    /// <summary>Makes the profile without anybody waiting for it.</summary>
    /// <returns>Why not, or null.</returns>
    public Profiled? Start(HttpContext context, NamedTable table)
    {
        var running = Join(context, table);
        return running is { IsCompletedSuccessfully: true, Result: { Failure: StatementStatus.Busy } refused } ? refused : null;
    }

    /// <summary>Waits for those that run: the host has told them to end.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_gate)
        {
            running = [.. _running.Values];
        }

        await Task.WhenAll(running);
        _slots.Dispose();
    }

    private static string Key(NamedTable table) => table.Id ?? table.Name;

    private static async Task<Profiled> WaitAsync(Task<Profiled> running, CancellationToken stop)
    {
        try
        {
            return await running.WaitAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Profiled.Failed(StatementStatus.ClientGone); // the profile is finished and kept all the same
        }
    }

    private Task<Profiled> Join(HttpContext context, NamedTable table)
    {
        var key = (Key(table), ProfileText.MarkOf(table));
        ScopedTable? scoped;
        try
        {
            scoped = scopes.Of(context.Snapshot(), context.Caller()).Find(table.Name);
        }
        catch (PartDamagedException)
        {
            return Task.FromResult(Profiled.Failed(StatementStatus.PartDamaged));
        }

        if (scoped is null) return Task.FromResult(Profiled.Failed(StatementStatus.TableDenied));
        lock (_gate)
        {
            if (_running.TryGetValue(key, out var running)) return running;
            if (_running.Count >= RunningMax) return Task.FromResult(Profiled.Failed(StatementStatus.Busy));
            // Not the request's own: whoever asks first may leave while others wait.
            using var flow = ExecutionContext.SuppressFlow();
            return _running[key] = Task.Run(() => MakeAsync(key, table, scoped), CancellationToken.None);
        }
    }

    private async Task<Profiled> MakeAsync((string Table, string Mark) key, NamedTable table, ScopedTable scoped)
    {
        using var deadline = new CancellationTokenSource(TimeMax, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, host.ApplicationStopping);
        var hasSlot = false;
        try
        {
            await _slots.WaitAsync(stop.Token);
            hasSlot = true;
            var limits = new StatementLimits(TimeMax, TimeMax, ResultBytesMax, _atOnce);
            var profile = await new ProfileRun(runner, Lease.OfSystem("profiler", stop.Token), table, scoped, limits, stop.Token).MakeAsync();
            var row = new TableProfileRow(key.Table, key.Mark, ProfileText.Write(profile), UtcTime.Cut(time.GetUtcNow().UtcDateTime));
            await state.WriteAsync(write => IsStillCurrent(write.Current, table) ? TableProfileStore.SaveAsync(write, row) : Task.CompletedTask, stop.Token);
            return Profiled.Of(row);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Profiled.Failed(hasSlot && deadline.IsCancellationRequested ? StatementStatus.TimedOut : StatementStatus.Busy);
        }
        catch (ProfileFailedException failure)
        {
            // Only the deadline ends a statement of ours, or the end of the server.
            if (failure.Status is StatementStatus.ClientGone or StatementStatus.Revoked or StatementStatus.Killed) return Profiled.Failed(deadline.IsCancellationRequested ? StatementStatus.TimedOut : StatementStatus.Busy);
            LogFailed(log, key.Table, failure.Status);
            return Profiled.Failed(failure.Status);
        }
        catch (Exception failure)
        {
            LogBroken(log, key.Table, failure.GetType().Name); // its text may hold values
            return Profiled.Failed(StatementStatus.EngineError);
        }
        finally
        {
            if (hasSlot) _slots.Release();
            lock (_gate)
            {
                _running.Remove(key);
            }
        }
    }

    /// <summary>What was unregistered or published anew meanwhile leaves no row behind.</summary>
    private static bool IsStillCurrent(Snapshot now, NamedTable table) =>
        NamedTable.ByName(now, table.Name) is { } still && still.Id == table.Id && still.Published?.PartsDigest == table.Published!.PartsDigest;

    [LoggerMessage(EventId = 6501, Level = LogLevel.Warning, Message = "The profile of table {Table} was not made: {Status}.")]
    private static partial void LogFailed(ILogger log, string table, StatementStatus status);

    [LoggerMessage(EventId = 6502, Level = LogLevel.Error, Message = "The profile of table {Table} was not made: {Failure}.")]
    private static partial void LogBroken(ILogger log, string table, string failure);
}
