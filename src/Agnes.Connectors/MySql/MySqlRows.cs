using System.Globalization;
using Agnes.Connectors.Databases;
using Agnes.Connectors.Postgres.Rendering;
using Agnes.Engine.Query.Remote;
using MySqlConnector;

namespace Agnes.Connectors.MySql;

/// <summary>Takes rows over, each cell by the type that its column has here.</summary>
internal sealed class MySqlRows
{
    private readonly MySqlDataReader _reader;
    private readonly IReadOnlyList<DatabaseColumn> _columns;
    private readonly Action<AnswerFiles, int>[] _cells;
    private readonly long[] _dateless;

    public MySqlRows(MySqlDataReader reader, IReadOnlyList<DatabaseColumn> columns)
    {
        (_reader, _columns, _dateless) = (reader, columns, new long[columns.Count]);
        _cells = [.. columns.Select(column => CellOf(column.Stored.Type))];
    }

    public long Count { get; private set; }

    /// <summary>Days such as 0000-00-00, which no calendar has, are NULL here.</summary>
    public IReadOnlyList<string> Remarks =>
    [
        .. _dateless.Index().Where(column => column.Item > 0).Select(column => string.Create(
            CultureInfo.InvariantCulture,
            $"{column.Item} values of {_columns[column.Index].Stored.Name} are no dates, such as 0000-00-00: they are NULL here")),
    ];

    public void Write(AnswerFiles rows)
    {
        for (var at = 0; at < _cells.Length; at++)
        {
            if (_reader.IsDBNull(at)) rows.Null();
            else _cells[at](rows, at);
        }

        Count++;
    }

    private Action<AnswerFiles, int> CellOf(string type) => type switch
    {
        "UBIGINT" => (rows, at) => rows.Decimal(_reader.GetUInt64(at)),
        "FLOAT" => (rows, at) => rows.Float(_reader.GetFloat(at)),
        _ => EngineTypes.KindOf(type) switch
        {
            ValueKind.Boolean => (rows, at) => rows.Boolean(_reader.GetUInt64(at) != 0),
            ValueKind.Integer => (rows, at) => rows.Integer(_reader.GetInt64(at)),
            ValueKind.Float => (rows, at) => rows.Float(_reader.GetDouble(at)),
            ValueKind.Date => Day,
            ValueKind.Timestamp or ValueKind.Instant => Moment,
            ValueKind.Bytes => (rows, at) => rows.Bytes(_reader.GetFieldValue<byte[]>(at)),
            _ => (rows, at) => rows.Text(_reader.GetString(at)),
        },
    };

    private void Day(AnswerFiles rows, int at)
    {
        if (TimeOf(at) is { } time) rows.Date((int)(time.Date - DateTime.UnixEpoch).TotalDays);
        else rows.Null();
    }

    private void Moment(AnswerFiles rows, int at)
    {
        if (TimeOf(at) is { } time) rows.Timestamp((time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        else rows.Null();
    }

    private DateTime? TimeOf(int at)
    {
        var value = _reader.GetMySqlDateTime(at);
        if (value.IsValidDateTime)
        {
            return new DateTime(value.Year, value.Month, value.Day, value.Hour, value.Minute, value.Second, DateTimeKind.Unspecified)
                .AddTicks(value.Microsecond * TimeSpan.TicksPerMicrosecond);
        }

        _dateless[at]++;
        return null;
    }
}
