namespace DuckDB.NET.Data.Vectors;

/// <summary>DATE as DateOnly; infinity, and years that it cannot hold, as text.</summary>
internal sealed unsafe class DateVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(DateOnly);

    internal override object GetValue(int row) => EngineTime.Date(Days(row)) is { } date ? date : GetString(row);

    internal override string GetString(int row) => Days(row) switch
    {
        int.MaxValue => "infinity",
        -int.MaxValue => "-infinity",
        var days => EngineText.Date(days),
    };

    internal override DateOnly GetDate(int row) => EngineTime.Date(Days(row)) ?? throw OutOfRange("DateOnly", GetString(row));

    internal override DateTime GetDateTime(int row) => GetDate(row).ToDateTime(TimeOnly.MinValue);

    private int Days(int row) => Column.Values<int>()[row];
}
