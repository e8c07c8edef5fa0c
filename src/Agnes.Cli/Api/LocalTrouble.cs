namespace Agnes.Cli.Api;

/// <summary>What this machine refuses: no room, no permission. Said in a line with what to do, since it is nobody's defect.</summary>
internal static class LocalTrouble
{
    private const int NoSpace = 28;
    private const int DiskFullWindows = 0x70;
    private const int HandleDiskFullWindows = 0x27;

    public static bool IsDiskFull(Exception problem) => problem is IOException && (problem.HResult & 0xFFFF) is NoSpace or DiskFullWindows or HandleDiskFullWindows;

    /// <returns>Null where it is something else.</returns>
    public static CliException? From(Exception problem) => problem switch
    {
        UnauthorizedAccessException => new CliException(FirstLine(problem), inner: problem) { Hint = "Look at the folder's owner and permissions, or use another folder." },
        IOException when IsDiskFull(problem) => new CliException($"There is no room left on the disk: {FirstLine(problem)}", inner: problem) { Hint = "Make room (agnes disk-info, agnes snapshot list) and run the same command again; what was here before is unchanged." },
        IOException when problem.Message.Contains("Read-only file system", StringComparison.OrdinalIgnoreCase) => new CliException(FirstLine(problem), inner: problem) { Hint = "Use a folder that can be written to." },
        _ => null,
    };

    private static string FirstLine(Exception problem) => problem.Message.Split('\n', 2)[0].TrimEnd();
}
