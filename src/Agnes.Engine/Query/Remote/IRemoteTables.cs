using Agnes.Protocol;

namespace Agnes.Engine.Query.Remote;

/// <summary>
/// A connection to a system that holds tables which are too large to move. It is asked questions and answers with rows; a question ends there when its
/// token fires here. One instance serves many questions at once. Where it is disposable, it is disposed of when the connection has ended,
/// after its last question.
/// </summary>
public interface IRemoteTables
{
    /// <summary>The connection's name: tables of one connection can stand in one question.</summary>
    string Connection { get; }

    /// <summary>What the system knows of a table. No row is read for it, and it costs nothing.</summary>
    /// <exception cref="RemoteException"/>
    Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation);

    /// <summary>What a question would cost, without asking it.</summary>
    /// <exception cref="RemoteException"/>
    Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation);

    /// <summary>Answers into Parquet files in a new folder, whole when this returns: see <see cref="AnswerFiles"/>.</summary>
    /// <param name="folder">Not there yet.</param>
    /// <exception cref="RemoteException"/>
    Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation);

    /// <summary>What the system holds and this connection may read, a page at a time, in the order of their names.</summary>
    /// <exception cref="RemoteException"/>
    Task<IReadOnlyList<RemoteRelation>> ListAsync(RemoteListing listing, CancellationToken cancellation) =>
        throw new RemoteException(RemoteFault.Question, $"'{Connection}' cannot list its tables. Name the table.");
}

/// <summary>A question that a system can answer alone.</summary>
/// <param name="Sql">
/// One SELECT, written by us. In the dialect of a system that has its own, with all tables by their full names; else in the engine's SQL,
/// as the engine itself writes it (no comments, names in double quotes where they need any), since another parser may see something else in
/// what an asker wrote. Its table names are those of <paramref name="Tables"/>.
/// </param>
/// <param name="RowsMax">The first rows are enough.</param>
/// <param name="BytesMax">A larger answer is refused, not cut.</param>
public sealed record RemoteQuestion(string Sql, IReadOnlyList<RemoteTable> Tables, long RowsMax, long BytesMax)
{
    public SqlDialect Dialect { get; init; }

    /// <summary>
    /// The question's name at a system that bills for it: there it is run at most once under this name, however often it is asked, so
    /// that it may be asked again when an answer was lost. Null: the system does not bill.
    /// </summary>
    public string? OnceAs { get; init; }

    /// <summary>
    /// What the system calls the one table whose first rows are all that is asked for, in no order: a system that hands these out
    /// without running a statement does that, and it costs nothing.
    /// </summary>
    public string? FirstRowsOf { get; init; }

    /// <summary>
    /// Should whoever asks be killed, it will be asked again under the same name: then it is not ended at the system. Who asked can still
    /// take it back.
    /// </summary>
    public bool IsAskedAgain { get; init; }
}

/// <param name="Name">What the question calls it.</param>
/// <param name="Relation">What the system calls it, in its own words.</param>
public sealed record RemoteTable(string Name, string Relation);

/// <param name="Bucket">
/// The schema or data set whose tables are wanted; null: of all of them. A system that lists tables by data set alone names the data sets
/// then.
/// </param>
/// <param name="AfterBucket">The page begins behind this table, by its schema or data set and its name; null: the first page.</param>
/// <param name="Max">Tables at most.</param>
public sealed record RemoteListing(string? Bucket, string? AfterBucket, string? AfterTable, int Max);

/// <summary>A table as it is found at the system, or a data set.</summary>
/// <param name="Bucket">The schema or data set that it is in.</param>
/// <param name="Table">Null: it is the data set itself.</param>
/// <param name="Description">What the listing says of it; the table itself may be asked for more.</param>
public sealed record RemoteRelation(string Bucket, string? Table, RemoteDescription Description);

/// <summary>What a system says of a table.</summary>
/// <param name="Columns">In the engine's types.</param>
public sealed record RemoteDescription(IReadOnlyList<TableColumn> Columns)
{
    /// <summary>How it is stored, as far as that decides what a question costs; null: the system does not say.</summary>
    public RemoteLayout? Layout { get; init; }

    /// <summary>In the words of INFORMATION_SCHEMA, such as BASE TABLE, VIEW or MATERIALIZED VIEW; null: the system does not say.</summary>
    public string? EntityType { get; init; }

    /// <summary>As the system counts or estimates them; null for a view, which stores none.</summary>
    public long? Rows { get; init; }

    /// <summary>Null for a view, which stores none.</summary>
    public long? Bytes { get; init; }
}

/// <param name="PartitionedBy">The column by which its rows lie apart; null for none.</param>
/// <param name="ClusteredBy">Columns by which they are sorted within.</param>
public sealed record RemoteLayout(string? PartitionedBy, IReadOnlyList<string> ClusteredBy);

/// <summary>Null: the system does not say.</summary>
public sealed record RemoteEstimate(long? ScanBytes, long? Rows)
{
    /// <summary>What the connection lets one question read; null: whatever the asker's limits let.</summary>
    public long? ScanBytesMax { get; init; }

    /// <summary>Of one row of the answer.</summary>
    public long? RowBytes { get; init; }

    /// <summary>The tables of the question that are views there, as the system calls them.</summary>
    public IReadOnlyList<string> Views { get; init; } = [];
}

/// <summary>The system refused a question, or failed.</summary>
/// <param name="fault">Whose it is.</param>
/// <param name="message">Safe to show to the asker; says what to do.</param>
public sealed class RemoteException(RemoteFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public RemoteFault Fault => fault;

    /// <summary>What the question would have cost, where that is the reason.</summary>
    public RemoteScan? Scan { get; init; }

    /// <summary>What a system that has kinds of failures says of it.</summary>
    public RemoteFailure? Failure { get; init; }

    /// <summary>What its asker has used up; the system was not asked.</summary>
    public QuotaExceeded? Quota { get; init; }

    /// <summary>The answer has more bytes than were allowed for it.</summary>
    public bool IsTooLarge { get; init; }

    /// <summary>
    /// The system did not answer, rather than refuse: nothing follows from it for the question, and later it may be otherwise.
    /// </summary>
    public bool IsPassing { get; init; }

    /// <summary>There is no such table, or none that the connection may know of.</summary>
    public bool IsMissing { get; init; }

    /// <summary>The connection lacks the right to it.</summary>
    public bool IsForbidden { get; init; }
}

/// <summary>A failure in the words of the contract.</summary>
/// <param name="Kind">Such as <c>bq_forbidden</c>.</param>
/// <param name="Status">Of HTTP.</param>
/// <param name="Details">What is shown besides the message; no secret.</param>
public sealed record RemoteFailure(string Kind, int Status, IReadOnlyDictionary<string, string> Details)
{
    /// <summary>It was a statement of the asker's own that the system would not even estimate.</summary>
    public bool IsOfEstimate { get; init; }
}

/// <summary>A question that was not asked because of what it would have cost.</summary>
/// <param name="Relations">What the system calls the tables, without their project.</param>
public sealed record RemoteScan(long Bytes, long BytesMax, IReadOnlyList<string> Relations)
{
    /// <summary>Names of those that are views there: a smaller answer does not make them read less.</summary>
    public IReadOnlyList<string> Views { get; init; } = [];
}

public enum RemoteFault
{
    /// <summary>The question: the system does not understand it, or the answer is too large.</summary>
    Question,

    /// <summary>The system, the way to it, or the right to ask it.</summary>
    System,
}
