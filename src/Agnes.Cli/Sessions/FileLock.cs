namespace Agnes.Cli.Sessions;

/// <summary>A file that one process at a time has open. The system lets go of it when its holder dies, however it dies.</summary>
internal static class FileLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <returns>Null where another process has it, for longer than the wait.</returns>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public static FileStream? TryTake(string path, TimeSpan wait, TimeProvider clock)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException problem) when (problem is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                if (clock.GetElapsedTime(started) >= wait) return null;
                using var pause = new ManualResetEventSlim();
                pause.Wait(Poll);
            }
        }
    }
}
