namespace DuckDB.NET.Data.Vectors;

/// <summary>TIME and TIME_NS (cut to 100 ns) as TimeOnly; 24:00:00, which it cannot hold, as text.</summary>
internal sealed unsafe class TimeVector(DuckDBColumn column) : ColumnVector(column)
{
    private bool IsNanos => Column.Type == DuckDBType.TimeNs;

    internal override Type ClrType => typeof(TimeOnly);

    internal override object GetValue(int row) => GetTimeSpan(row) is { Days: 0 } time ? TimeOnly.FromTimeSpan(time) : GetString(row);

    internal override string GetString(int row) => EngineText.Clock((UInt128)Column.Values<long>()[row], IsNanos ? 9 : 6);

    internal override TimeSpan GetTimeSpan(int row)
    {
        var units = Column.Values<long>()[row];
        return TimeSpan.FromTicks(IsNanos ? units / TimeSpan.NanosecondsPerTick : units * TimeSpan.TicksPerMicrosecond);
    }

    internal override TimeOnly GetTime(int row) =>
        GetTimeSpan(row) is { Days: 0 } time ? TimeOnly.FromTimeSpan(time) : throw OutOfRange("TimeOnly", GetString(row));

    internal override DateTime GetDateTime(int row) => DateTime.MinValue + GetTimeSpan(row);
}
