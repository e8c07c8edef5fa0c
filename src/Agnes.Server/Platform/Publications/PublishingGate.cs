using Agnes.Engine.Limits;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// Keeps apart those who put parts into the store, and those who delete parts that nothing names: a part is named only when its publication is committed.
/// Also deals out the places for extracting children, one that reads the disk and some that wait for servers elsewhere, and the one for a
/// preparing child, so that the memory of jobs is bounded.
/// </summary>
internal sealed class PublishingGate(Budget budget)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Lane, SemaphoreSlim> _extracting = new()
    {
        [Lane.Disk] = new(1, 1),
        [Lane.Network] = new(budget.NetworkChildren, budget.NetworkChildren),
    };
    private readonly SemaphoreSlim _preparing = new(1, 1);
    private readonly SemaphoreSlim _asking = new(1, 1);
    private int _publishing;
    private TaskCompletionSource? _sweeping;

    /// <param name="lane">What the child waits for: one that waits for a far server holds up no other.</param>
    public Task<IDisposable> ExtractAsync(Lane lane, CancellationToken cancellation) => EnterAsync(_extracting[lane], cancellation);

    /// <summary>What a child of a lane may use.</summary>
    public Share ShareOf(Lane lane) => lane == Lane.Network ? budget.Network : budget.Jobs;

    public Task<IDisposable> PrepareAsync(CancellationToken cancellation) => EnterAsync(_preparing, cancellation);

    /// <summary>For a child that asks a source something and brings nothing: it waits for no publication, and none for it.</summary>
    public Task<IDisposable> AskAsync(CancellationToken cancellation) => EnterAsync(_asking, cancellation);

    /// <returns>Null while anybody publishes: sweeping can wait, publishing does not.</returns>
    public IDisposable? TrySweep()
    {
        lock (_gate)
        {
            if (_publishing > 0 || _sweeping is not null) return null;
            var sweeping = _sweeping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new Leave(() =>
            {
                lock (_gate) _sweeping = null;
                sweeping.SetResult();
            });
        }
    }

    private async Task<IDisposable> EnterAsync(SemaphoreSlim slot, CancellationToken cancellation)
    {
        await slot.WaitAsync(cancellation);
        try
        {
            while (!TryJoin(out var sweeping)) await sweeping.WaitAsync(cancellation);
        }
        catch
        {
            slot.Release();
            throw;
        }
        return new Leave(() =>
        {
            lock (_gate) _publishing--;
            slot.Release();
        });
    }

    /// <param name="sweeping">What to wait for before trying again.</param>
    private bool TryJoin(out Task sweeping)
    {
        lock (_gate)
        {
            sweeping = _sweeping?.Task ?? Task.CompletedTask;
            if (_sweeping is not null) return false;
            _publishing++;
            return true;
        }
    }

    private sealed class Leave(Action leave) : IDisposable
    {
        private Action? _leave = leave;

        public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
    }
}
