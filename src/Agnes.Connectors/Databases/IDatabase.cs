using Agnes.Engine.Query.Remote;
using Agnes.Protocol;

namespace Agnes.Connectors.Databases;

/// <summary>A database that tables are pulled from: what is particular to one product is behind this, and how tables are pulled is not.</summary>
internal interface IDatabase : IAsyncDisposable
{
    /// <summary>What stands in front of a table's name where nobody says.</summary>
    string SchemaDefault { get; }

    string Quote(string name);

    /// <summary>A value of a column that rows are told apart by in time, as it stands in a condition.</summary>
    string Literal(Position position);

    /// <summary>A text that is compared with a column of any type.</summary>
    string Literal(string value);

    /// <exception cref="RemoteException">It is not there, or cannot be asked.</exception>
    Task<DatabaseTable> DescribeAsync(DatabaseRelation relation, CancellationToken cancellation);

    /// <summary>How many tables may be read there; counted no further than <paramref name="max"/>.</summary>
    /// <exception cref="RemoteException">It cannot be asked.</exception>
    Task<int> CountReadableAsync(int max, CancellationToken cancellation);

    /// <summary>All rows, or those that satisfy a condition, in one consistent state of the table.</summary>
    /// <param name="where">In the database's own language; null: all.</param>
    /// <param name="got">Told now and then how many rows have come.</param>
    /// <exception cref="RemoteException">It cannot be asked, or fell silent.</exception>
    Task<DatabaseRows> ReadAsync(
        DatabaseRelation relation, IReadOnlyList<DatabaseColumn> columns, string? where, AnswerFiles rows, Action<long> got, CancellationToken cancellation);
}

/// <summary>A table there, by the names that it has there.</summary>
internal sealed record DatabaseRelation(string Schema, string Name);

/// <param name="Remarks">What a person should know of values that could not be as they are there.</param>
internal sealed record DatabaseRows(long Count, IReadOnlyList<string> Remarks);

/// <param name="Keys">Names of its primary key's columns, in order.</param>
/// <param name="Rows">As the database last estimated; null: it did not.</param>
/// <param name="Bytes">The same.</param>
internal sealed record DatabaseTable(IReadOnlyList<DatabaseColumn> Columns, IReadOnlyList<string> Keys, long? Rows, long? Bytes);

/// <param name="Stored">As it is stored here.</param>
/// <param name="Expression">In the database's own language: what yields the form that is read.</param>
/// <param name="IsNullable">There.</param>
internal sealed record DatabaseColumn(TableColumn Stored, string Expression, bool IsNullable);

/// <summary>A place in the order of a column.</summary>
/// <param name="Value">Microseconds since 1970-01-01 UTC, or the number itself.</param>
internal sealed record Position(PositionKind Kind, Int128 Value)
{
    private static readonly long FirstMicroseconds = (DateTime.MinValue.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
    private static readonly long LastMicroseconds = (DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <returns>Null: columns of this type have no such order.</returns>
    public static PositionKind? KindOf(string type) => type switch
    {
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT" or "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" => PositionKind.Number,
        "DATE" => PositionKind.Day,
        "TIMESTAMP" => PositionKind.Moment,
        "TIMESTAMP WITH TIME ZONE" => PositionKind.Instant,
        _ => null,
    };

    public bool IsTime => Kind != PositionKind.Number;

    /// <summary>Of times: so much earlier.</summary>
    public Position Before(TimeSpan time) => IsTime ? this with { Value = Value - (time.Ticks / TimeSpan.TicksPerMicrosecond) } : this;

    /// <summary>Of times, as far as the calendar goes.</summary>
    public DateTime Time => DateTime.UnixEpoch.AddTicks(
        (long)Int128.Clamp(Value, FirstMicroseconds, LastMicroseconds) * TimeSpan.TicksPerMicrosecond);

    public static Position OfTime(PositionKind kind, DateTime time) =>
        new(kind, ((kind == PositionKind.Day ? time.Date : time) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
}

internal enum PositionKind
{
    Number,
    Day,

    /// <summary>Without a time zone.</summary>
    Moment,
    Instant,
}
