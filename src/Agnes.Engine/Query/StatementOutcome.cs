namespace Agnes.Engine.Query;

/// <summary>How a statement ended. Everything but <see cref="Ok"/> comes with a message that is safe to show to the asker.</summary>
public enum StatementStatus
{
    /// <summary>200: the whole body was written.</summary>
    Ok,

    /// <summary>400: several statements, none, or one that is no SELECT.</summary>
    NotASelect,

    /// <summary>400: not SQL.</summary>
    ParseError,

    /// <summary>403: a table that the asker may not read, or that does not exist; the two cannot be told apart.</summary>
    TableDenied,

    /// <summary>400: an admin named a table that does not exist.</summary>
    TableUnknown,

    /// <summary>400: granted, but no version of it has been published yet.</summary>
    TableNotReady,

    /// <summary>400: a function, or a construct, outside the allow list.</summary>
    FunctionDenied,

    /// <summary>400: the engine refused or failed.</summary>
    EngineError,

    /// <summary>504 or 400: ended at its time limit.</summary>
    TimedOut,

    /// <summary>400: ended at its memory limit.</summary>
    OutOfMemory,

    /// <summary>400: the result, or the statement's text, is larger than allowed.</summary>
    TooLarge,

    /// <summary>502: another system that holds a table failed.</summary>
    RemoteFailed,

    /// <summary>400: another system would have to read more for it than is allowed; see <see cref="StatementOutcome.Scan"/>.</summary>
    RemoteTooLarge,

    /// <summary>503: a part of a table is missing, or was changed by another program since it was published, perhaps while the statement read it.</summary>
    PartDamaged,

    /// <summary>The client has gone before the end; nobody is there to be answered.</summary>
    ClientGone,

    /// <summary>403: what it was allowed by was taken away while it ran.</summary>
    Revoked,

    /// <summary>429: what its asker may ask of other systems is used up; see <see cref="StatementOutcome.Quota"/>.</summary>
    OverQuota,

    /// <summary>409: ended by its owner or an admin.</summary>
    Killed,

    /// <summary>429: no slot, now or within the waiting time.</summary>
    Busy,
}

/// <param name="Message">The text of the error's <c>detail</c>; null when all is well.</param>
/// <param name="Name">The table or function that the message is about.</param>
/// <param name="Rows">Rows in the body.</param>
/// <param name="Bytes">Bytes of the body that were written to the output.</param>
/// <param name="Tables">Names of the tables read, as registered; for the audit.</param>
/// <param name="BodyStarted">Bytes have left before the failure: the caller can only cut the connection. Always false for small results.</param>
/// <param name="Nearest">For a table that was not found: names in the asker's own scope that look like it.</param>
public sealed record StatementOutcome(
    StatementStatus Status,
    string? Message,
    string? Name,
    long Rows,
    long Bytes,
    bool Truncated,
    bool BodyStarted,
    IReadOnlyList<string> Tables,
    IReadOnlyList<string> Nearest,
    TimeSpan Elapsed)
{
    /// <summary>Of what could not even be begun.</summary>
    public static StatementOutcome Failed(StatementStatus status, string message) =>
        new(status, message, null, 0, 0, false, false, [], [], TimeSpan.Zero);

    public bool IsOk => Status == StatementStatus.Ok;

    /// <summary>What another system was not asked because of.</summary>
    public Remote.RemoteScan? Scan { get; init; }

    /// <summary>What another system says of its failure, in the contract's words.</summary>
    public Remote.RemoteFailure? Failure { get; init; }

    /// <summary>What its asker has used up.</summary>
    public Remote.QuotaExceeded? Quota { get; init; }

    /// <summary>What other systems were asked for it, and answered or are answering still; for the audit.</summary>
    public IReadOnlyList<Remote.RemoteCharge> Asked { get; init; } = [];

    /// <summary>The path that it names and may not read.</summary>
    public RefusedPath? Path { get; init; }

    /// <summary>Another system did not answer, rather than refuse; see <see cref="Remote.RemoteException.IsPassing"/>.</summary>
    public bool IsPassing { get; init; }
}
