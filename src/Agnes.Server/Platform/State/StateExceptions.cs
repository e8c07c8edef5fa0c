namespace Agnes.Server.Platform.State;

/// <summary>The state cannot be opened as it is. The message says what was found, where, and which command helps.</summary>
public sealed class StateRefusedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Why a write was not done.</summary>
public enum StateFailure
{
    DiskFull,
    ReadOnly,

    /// <summary>The engine gave up; it is reopened, or the process ends.</summary>
    EngineFailed,

    /// <summary>PostgreSQL cannot be reached.</summary>
    Unreachable,

    /// <summary>The connection broke while committing: the write may be there.</summary>
    OutcomeUnknown,

    /// <summary>Too many writes wait, or one took too long.</summary>
    Overloaded,

    /// <summary>The server is stopping.</summary>
    Closed,
}

/// <summary>A write was not done, through no fault of the caller. Reads from the snapshot go on.</summary>
public sealed class StateUnavailableException(StateFailure reason, string message, Exception? inner = null) : Exception(message, inner)
{
    public StateFailure Reason { get; } = reason;
}

/// <summary>A write would break a rule of the data that no constraint of the engine keeps, e.g. two tables whose names differ in case only.</summary>
public sealed class StateConflictException(string message) : Exception(message);
