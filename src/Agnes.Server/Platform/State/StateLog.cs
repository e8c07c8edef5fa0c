namespace Agnes.Server.Platform.State;

internal static partial class StateLog
{
    [LoggerMessage(100, LogLevel.Debug, "A write lost a race (attempt {Attempt}) and runs again: {Message}")]
    public static partial void Conflict(ILogger logger, int attempt, string message);

    [LoggerMessage(101, LogLevel.Error, "The state could not be written: {Reason}")]
    public static partial void WriteFailed(ILogger logger, StateFailure reason, Exception error);

    [LoggerMessage(102, LogLevel.Error, "A listener of state changes failed")]
    public static partial void ListenerFailed(ILogger logger, Exception error);

    [LoggerMessage(103, LogLevel.Warning, "Appended rows could not be written and stay queued: {Reason}")]
    public static partial void AppendFailed(ILogger logger, StateFailure reason, Exception error);

    [LoggerMessage(104, LogLevel.Error, "An appended row was refused and is dropped: {Sql}")]
    public static partial void AppendRefused(ILogger logger, string sql, Exception error);

    [LoggerMessage(105, LogLevel.Warning, "The version of the state could not be confirmed")]
    public static partial void NotConfirmed(ILogger logger, Exception error);

    [LoggerMessage(106, LogLevel.Information, "Applied the migration {Name}")]
    public static partial void Migrated(ILogger logger, string name);

    [LoggerMessage(107, LogLevel.Error, "The state engine failed; it is closed and opened again")]
    public static partial void Reopening(ILogger logger);

    [LoggerMessage(108, LogLevel.Critical, "The state engine could not be reopened; the process ends")]
    public static partial void Ending(ILogger logger, Exception error);

    [LoggerMessage(109, LogLevel.Warning, "No copy of the state was kept before its log was replayed: {Reason}")]
    public static partial void NoCopy(ILogger logger, string reason);

    [LoggerMessage(110, LogLevel.Information, "The log of the last run was replayed; the state has {Commits} commits")]
    public static partial void Replayed(ILogger logger, long commits);

    [LoggerMessage(111, LogLevel.Warning, "The number of the last commit could not be noted")]
    public static partial void NoMark(ILogger logger, Exception error);

    [LoggerMessage(113, LogLevel.Error, "{Count} appended rows could not be written and are lost")]
    public static partial void AppendsLost(ILogger logger, int count);

    [LoggerMessage(112, LogLevel.Error, "The log of the state has {Bytes} bytes and cannot be taken into the file; a read is open for too long, or the disk is nearly full")]
    public static partial void LongLog(ILogger logger, long bytes);
}
