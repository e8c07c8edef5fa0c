using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.Postgres.Rendering;

/// <summary>What a value is, as far as both engines have to agree about it.</summary>
internal enum ValueKind
{
    Null,
    Boolean,
    Integer,
    Decimal,

    /// <summary>
    /// Of four bytes, which the engines widen by different rules: it is read, counted and compared with its like, and no more.
    /// </summary>
    Real,
    Float,
    Text,

    /// <summary>A text constant, which takes the type of what it stands beside.</summary>
    Literal,
    Date,
    Time,
    Timestamp,
    Instant,
    Interval,
    Uuid,
    Bytes,

    /// <summary>Anything that is only read: JSON, lists.</summary>
    Opaque,
}

/// <summary>An expression in PostgreSQL's words.</summary>
/// <param name="Literal">Of a text constant: the text.</param>
/// <param name="Aggregates">There is an aggregate in it.</param>
internal readonly record struct Rendered(string Sql, ValueKind Kind, string? Literal = null, bool Aggregates = false)
{
    public bool IsNumber => Kind is ValueKind.Integer or ValueKind.Decimal or ValueKind.Float;
}

/// <summary>Something that cannot be asked there as it stands, since nobody has made sure that it means the same.</summary>
internal sealed class UnknownFormException(string what) : Exception(what)
{
    public RemoteException ToRemote(string connection) => new(
        RemoteFault.Question,
        $"'{connection}' cannot be asked this: {Message}. Write it in a simpler form, or take what you need of the table first "
        + "(agnes snapshot create TABLE --where …) and query that.",
        this);
}

/// <summary>A table that a question may name.</summary>
/// <param name="Name">What the question calls it.</param>
/// <param name="From">What stands in FROM: quoted, with its schema.</param>
internal sealed record RenderTable(string Name, string From, IReadOnlyList<RenderColumn> Columns);

/// <param name="Sql">The value; in it <see cref="PostgresTypes.Alias"/> stands for the alias of a table.</param>
internal sealed record RenderColumn(string Name, ValueKind Kind, string Sql);

/// <param name="Columns">Of the answer, called c0, c1 and so on in the text.</param>
internal sealed record RenderedQuery(string Sql, IReadOnlyList<RenderColumn> Columns);
