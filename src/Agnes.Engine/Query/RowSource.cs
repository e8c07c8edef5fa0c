using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Engine.Query;

/// <summary>The languages that statements are in.</summary>
public enum SqlDialect
{
    /// <summary>The engine's own.</summary>
    Engine,

    /// <summary>GoogleSQL: a system that speaks it is asked in it, and the engine does not read it.</summary>
    BigQuery,
}

/// <summary>Rows of a table that are newer than its version, on the server only.</summary>
/// <param name="Number">Another whenever the tail is.</param>
/// <param name="KeyColumn">Says which rows go together: those of a key are all in the tail or none.</param>
/// <param name="Runs">Oldest first; at least one.</param>
public sealed record TableTail(long Number, string KeyColumn, IReadOnlyList<TailPaths> Runs);

/// <summary>Where a table's rows are; the path of a statement follows from it.</summary>
public abstract record RowSource
{
    private RowSource()
    {
    }

    /// <summary>Registered and granted, but nothing has been published yet.</summary>
    public static RowSource None { get; } = new Parts([]);

    /// <summary>Local files, in order: parts of the store, or what was fetched for one statement.</summary>
    public sealed record Parts(IReadOnlyList<string> Paths) : RowSource
    {
        /// <summary>The files are gone with the statement: nothing may be kept that reads them.</summary>
        public bool AreForOneStatement { get; init; }

        /// <summary>Rows that are newer than the files; null: there are none.</summary>
        public TableTail? Tail { get; init; }
    }

    /// <summary>Another system, which is asked whenever a statement names the table.</summary>
    /// <param name="Relation">What that system calls the table, in its own words.</param>
    public sealed record Remote(IRemoteTables System, string Relation) : RowSource
    {
        /// <summary>The language that its questions are in.</summary>
        public SqlDialect Dialect { get; init; }
    }
}
