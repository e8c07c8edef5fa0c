using Agnes.Cli.Workspace;

namespace Agnes.Cli.Mcp;

/// <summary>
/// Ends what a session runs once a token is cancelled. The engine forgets an interruption that comes between two of its statements, so it is repeated until the session is done.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(50);
    private readonly Lock _gate = new();
    private readonly LocalSession _session;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _registration;
    private bool _isDone;

    public Interruption(LocalSession session, CancellationToken token, TimeProvider clock)
    {
        _session = session;
        _timer = clock.CreateTimer(_ => Interrupt(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _registration = token.Register(() => _timer.Change(TimeSpan.Zero, Every));
    }

    public void Dispose()
    {
        lock (_gate) _isDone = true;
        _registration.Dispose();
        _timer.Dispose();
    }

    private void Interrupt()
    {
        lock (_gate)
        {
            if (!_isDone) _session.Interrupt();
        }
    }
}
