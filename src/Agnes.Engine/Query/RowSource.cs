using Agnes.Engine.Query.Remote;

namespace Agnes.Engine.Query;

/// <summary>Where a table's rows are; the path of a statement follows from it.</summary>
public abstract record RowSource
{
    private RowSource()
    {
    }

    /// <summary>Registered and granted, but nothing has been published yet.</summary>
    public static RowSource None { get; } = new Parts([]);

    /// <summary>Local files, in order: parts of the store, or what was fetched for one statement.</summary>
    public sealed record Parts(IReadOnlyList<string> Paths) : RowSource;

    /// <summary>Another system, which is asked whenever a statement names the table.</summary>
    /// <param name="Relation">What that system calls the table, in its own words.</param>
    public sealed record Remote(IRemoteTables System, string Relation) : RowSource;
}
