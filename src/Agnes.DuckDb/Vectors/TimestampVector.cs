namespace DuckDB.NET.Data.Vectors;

/// <summary>
/// All timestamps as DateTime: of Kind Utc with a time zone, Unspecified without; nanoseconds are cut to 100. Infinity, and years that it cannot
/// hold, come as text from GetValue and as an exception from GetDateTime.
/// </summary>
internal sealed unsafe class TimestampVector(DuckDBColumn column) : ColumnVector(column)
{
    private readonly (long PerSecond, int Digits) _unit = column.Type switch
    {
        DuckDBType.TimestampS => (1, 0),
        DuckDBType.TimestampMs => (1_000, 3),
        DuckDBType.TimestampNs or DuckDBType.TimestampTzNs => (1_000_000_000, 9),
        _ => (1_000_000, 6),
    };

    private bool HasZone => Column.Type is DuckDBType.TimestampTz or DuckDBType.TimestampTzNs;

    internal override Type ClrType => typeof(DateTime);

    internal override object GetValue(int row) => TryRead(row) is { } time ? time : GetString(row);

    internal override DateTime GetDateTime(int row) => TryRead(row) ?? throw OutOfRange("DateTime", GetString(row));

    internal override DateTimeOffset GetDateTimeOffset(int row) => new(DateTime.SpecifyKind(GetDateTime(row), DateTimeKind.Utc));

    internal override DateOnly GetDate(int row) => DateOnly.FromDateTime(GetDateTime(row));

    internal override string GetString(int row)
    {
        var units = Units(row);
        if (units == long.MaxValue) return "infinity";
        if (units == -long.MaxValue) return "-infinity";
        var perDay = (Int128)_unit.PerSecond * 86_400;
        var (day, rest) = Int128.DivRem(units, perDay);
        if (rest < 0)
        {
            day--;
            rest += perDay;
        }

        return EngineText.Date((long)day) + " " + EngineText.Clock((UInt128)rest, _unit.Digits) + (HasZone ? "+00" : "");
    }

    private long Units(int row) => Column.Values<long>()[row];

    private DateTime? TryRead(int row)
    {
        var units = Units(row);
        if (units is long.MaxValue or -long.MaxValue) return null;
        var ticks = _unit.PerSecond > TimeSpan.TicksPerSecond
            ? (Int128)Math.Floor((decimal)units / (_unit.PerSecond / TimeSpan.TicksPerSecond))
            : (Int128)units * (TimeSpan.TicksPerSecond / _unit.PerSecond);
        return EngineTime.Time(ticks, HasZone ? DateTimeKind.Utc : DateTimeKind.Unspecified);
    }
}
