using System.Text.Json.Nodes;
using Agnes.Protocol;

namespace Agnes.Connectors.Events;

/// <param name="Columns">In order. Values are text, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/> or UTC <see cref="DateTime"/> as their types say.</param>
public sealed record EventTable(string Name, string Description, IReadOnlyList<TableColumn> Columns);

/// <summary>What one event did.</summary>
public enum EventOutcome
{
    /// <summary>A document is other than before.</summary>
    Applied,

    /// <summary>What it says was known, or older than what is known.</summary>
    Known,

    /// <summary>Nothing here follows from an event of its kind; it stays in the journal.</summary>
    Unknown,

    /// <summary>It cannot be understood.</summary>
    Broken,
}

/// <summary>
/// How the events of one source become rows. What is known of each thing is one document; an event is laid over it, so that the order of events and their repetition
/// make no difference; the rows of all tables follow from documents alone. Runs in a child process and knows nothing of the server.
/// </summary>
public abstract class EventSchema
{
    /// <summary>Stands in every table, and says which document a row is of: the rows of a document come and go together.</summary>
    public abstract string KeyColumn { get; }

    public abstract IReadOnlyList<EventTable> Tables { get; }

    /// <summary>Below <c>raw</c>, where its documents lie.</summary>
    public virtual string DocumentsFolder => "documents";

    /// <summary>Lays an entry of the journal over what is known.</summary>
    public abstract EventOutcome Apply(JournalEntry entry, Documents documents);

    /// <summary>The month (<c>yyyy-MM</c>) whose parts hold the rows of a document.</summary>
    public abstract string MonthOf(JsonObject document);

    /// <summary>The rows of a document; none where it is deleted.</summary>
    /// <param name="add">Takes the number of a table and the values of its columns.</param>
    public abstract void Rows(JsonObject document, Action<int, object?[]> add);
}

/// <summary>The schema of a name.</summary>
/// <param name="options">What it is told.</param>
/// <param name="root">The folder of the source.</param>
/// <exception cref="ArgumentException">There is none of that name.</exception>
public delegate EventSchema OpenEventSchema(string schema, IReadOnlyDictionary<string, string> options, string root);
