using Agnes.Cli.Sessions;

namespace Agnes.Cli.Workspace;

/// <summary>A file of the workspace that one process at a time has open.</summary>
internal static class FileLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <returns>Null where another process has it, for longer than the wait.</returns>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It is none of ours.</exception>
    public static FileStream? TryTake(Layout layout, string path, TimeSpan wait, TimeProvider clock)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            if (WorkspaceFile.TryLock(layout, path) is { } taken) return taken;
            if (clock.GetElapsedTime(started) >= wait) return null;
            using var pause = new ManualResetEventSlim();
            pause.Wait(Poll);
        }
    }
}
