namespace DuckDB.NET.Data.Vectors;

/// <summary>TIMETZ: 40 bits of microseconds, 24 bits of offset, which counts down from its greatest value.</summary>
internal sealed unsafe class TimeTzVector(DuckDBColumn column) : ColumnVector(column)
{
    private const int OffsetBits = 24;
    private const int OffsetSecondsMax = 16 * 60 * 60 - 1;

    internal override Type ClrType => typeof(DuckDBTimeTz);

    internal override object GetValue(int row) => Read(row);

    internal override string GetString(int row) => Read(row).ToString();

    internal override TimeSpan GetTimeSpan(int row) => Read(row).TimeOfDay;

    private DuckDBTimeTz Read(int row)
    {
        var bits = Column.Values<ulong>()[row];
        var offset = OffsetSecondsMax - (int)(bits & ((1UL << OffsetBits) - 1));
        return new DuckDBTimeTz(TimeSpan.FromMicroseconds((long)(bits >> OffsetBits)), TimeSpan.FromSeconds(offset));
    }
}
