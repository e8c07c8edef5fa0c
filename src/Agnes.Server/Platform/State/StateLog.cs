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
}
