namespace Agnes.Cli.Workspace;

/// <summary>One pull at a time in a workspace. The system lets go of the lock when its holder dies, however it dies.</summary>
internal sealed class PullLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(30);
    private readonly FileStream _file;

    private PullLock(FileStream file) => _file = file;

    /// <param name="whenBusy">Told once when the lock is held by another; false: give up at once.</param>
    /// <returns>Null where another pull has it and waiting was not wanted.</returns>
    public static async Task<PullLock?> TakeAsync(Layout layout, Func<bool> whenBusy, TimeProvider clock, CancellationToken cancellation)
    {
        layout.RefuseLinks();
        Directory.CreateDirectory(layout.Claude);
        var started = clock.GetTimestamp();
        var asked = false;
        while (true)
        {
            if (WorkspaceFile.TryLock(layout, layout.PullLock) is { } taken) return new PullLock(taken);
            if (!asked && !whenBusy()) return null;
            asked = true;
            if (clock.GetElapsedTime(started) > WaitMax) throw new CliException($"Another pull has held {layout.PullLock} for {WaitMax.TotalMinutes:0} minutes.") { Hint = "Is it still at work? See: ps aux | grep 'agnes pull'" };
            await Task.Delay(Poll, clock, cancellation);
        }
    }

    public void Dispose() => _file.Dispose();
}
