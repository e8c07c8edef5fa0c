using Agnes.Connectors.Postgres.Rendering;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using DuckDB.NET.Data;
using Npgsql;

namespace Agnes.Connectors.Postgres;

/// <summary>
/// How each column of an answer is read: in a form that holds all values of the engine's type, infinities and 38 digits too.
/// </summary>
internal sealed class PostgresAnswer
{
    private const int DaysTo2000 = 10_957;
    private const long MicrosecondsTo2000 = DaysTo2000 * 86_400_000_000L;
    private readonly IReadOnlyList<TableColumn> _columns;
    private readonly Action<NpgsqlDataReader, AnswerFiles, int>[] _cells;

    /// <param name="columns">As the engine would answer.</param>
    public PostgresAnswer(RenderedQuery query, IReadOnlyList<TableColumn> columns, long rowsMax)
    {
        if (query.Columns.Count != columns.Count) throw new InvalidOperationException(
            "The engine and the renderer disagree about the columns.");
        _columns = columns;
        _cells = new Action<NpgsqlDataReader, AnswerFiles, int>[columns.Count];
        var selected = new string[columns.Count];
        for (var i = 0; i < columns.Count; i++) (selected[i], _cells[i]) = Cell($"answer.c{i}", query.Columns[i].Kind, columns[i].Type);
        Sql = $"SELECT {string.Join(", ", selected)} FROM ({query.Sql}) AS answer{(rowsMax == long.MaxValue ? "" : $" LIMIT {rowsMax}")}";
    }

    public string Sql { get; }

    /// <exception cref="RemoteException">The answer is too large, or holds what the engine has no form for.</exception>
    public async Task WriteAsync(NpgsqlDataReader reader, string folder, long bytesMax, CancellationToken cancellation)
    {
        await using var answer = await AnswerFiles.OpenAsync(folder, _columns, bytesMax, cancellation);
        try
        {
            while (await reader.ReadAsync(cancellation))
            {
                for (var i = 0; i < _cells.Length; i++)
                {
                    if (await reader.IsDBNullAsync(i, cancellation)) answer.Null();
                    else _cells[i](reader, answer, i);
                }

                await answer.EndRowAsync(cancellation);
            }

            await answer.CompleteAsync(cancellation);
        }
        catch (DuckDBException e)
        {
            throw new RemoteException(
                RemoteFault.Question,
                "A value there does not fit into its column's type here, as NaN does not into a decimal. Leave such rows out.", e);
        }
    }

    private static (string Sql, Action<NpgsqlDataReader, AnswerFiles, int> Read) Cell(string value, ValueKind kind, string type)
    {
        var wanted = EngineTypes.KindOf(type);
        if (kind == ValueKind.Null) return ($"CAST({value} AS text)", static (reader, answer, at) => answer.Text(reader.GetString(at)));
        if (type == "HUGEINT" || type == "UBIGINT" || type == "UHUGEINT") return IsNumber(kind) ? Text($"CAST({value} AS numeric)")
            : throw Unlike(kind, type);
        switch (wanted)
        {
            case ValueKind.Boolean when kind == wanted:
                return (value, static (reader, answer, at) => answer.Boolean(reader.GetBoolean(at)));
            case ValueKind.Integer when kind == wanted:
                return ($"CAST({value} AS bigint)", static (reader, answer, at) => answer.Integer(reader.GetInt64(at)));
            case ValueKind.Float or ValueKind.Real when kind is ValueKind.Float or ValueKind.Real:
                return ($"CAST({value} AS double precision)", static (reader, answer, at) => answer.Float(reader.GetDouble(at)));
            case ValueKind.Decimal when kind is ValueKind.Decimal or ValueKind.Integer:
                return Text($"CAST({value} AS numeric{type["DECIMAL".Length..]})");
            case ValueKind.Text when kind == wanted:
            case ValueKind.Opaque when kind == wanted:
                return Text(value);
            case ValueKind.Date when kind == wanted:
                return (value, static (reader, answer, at) => answer.Date(Days(reader.GetFieldValue<int>(at))));
            case ValueKind.Time when kind == wanted:
                return (value, static (reader, answer, at) => answer.Time(reader.GetFieldValue<long>(at)));
            case ValueKind.Timestamp or ValueKind.Instant when kind == wanted:
                return (value, static (reader, answer, at) => answer.Timestamp(Microseconds(reader.GetFieldValue<long>(at))));
            case ValueKind.Uuid when kind == wanted:
                return (value, static (reader, answer, at) => answer.Uuid(reader.GetGuid(at)));
            case ValueKind.Bytes when kind == wanted:
                return (value, static (reader, answer, at) => answer.Bytes(reader.GetFieldValue<byte[]>(at)));
            default:
                throw Unlike(kind, type);
        }
    }

    private static (string Sql, Action<NpgsqlDataReader, AnswerFiles, int> Read) Text(string value) =>
        ($"CAST({value} AS text)", static (reader, answer, at) => answer.Text(reader.GetString(at)));

    private static bool IsNumber(ValueKind kind) => kind is ValueKind.Integer or ValueKind.Decimal;

    /// <summary>The smallest and the largest number are the two infinities, in both; only which numbers differs.</summary>
    private static int Days(int days) =>
        days switch { int.MaxValue => int.MaxValue, int.MinValue => -int.MaxValue, _ => days + DaysTo2000 };

    private static long Microseconds(long micros) =>
        micros switch { long.MaxValue => long.MaxValue, long.MinValue => -long.MaxValue, _ => micros + MicrosecondsTo2000 };

    private static UnknownFormException Unlike(ValueKind kind, string type) =>
        new($"an answer of type {type} that is {kind} there; cast it");
}
