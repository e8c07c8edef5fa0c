namespace Agnes.Connectors.BigQuery;

/// <summary>
/// Takes rows cell by cell, in the columns' order; nothing is boxed and no row is kept here. What a call throws ends the answer. Spans
/// are good during the call alone.
/// </summary>
public interface IRowSink
{
    void Null();

    void Bool(bool value);

    void Int64(long value);

    void Double(double value);

    void Text(ReadOnlySpan<byte> utf8);

    void Bytes(ReadOnlySpan<byte> value);

    /// <param name="unscaled">The value times ten to the power of <paramref name="scale"/>.</param>
    void Decimal(Int128 unscaled, int scale);

    /// <param name="days">Since 1970-01-01.</param>
    void Date(int days);

    /// <param name="micros">Since midnight.</param>
    void Time(long micros);

    /// <param name="micros">Since 1970-01-01 00:00:00, in no zone.</param>
    void DateTime(long micros);

    /// <param name="micros">Since 1970-01-01 00:00:00 UTC.</param>
    void Timestamp(long micros);

    /// <summary>A value of JSON, or an array or struct in the form that the engine casts to the column's type.</summary>
    void Json(ReadOnlySpan<byte> utf8);

    void EndRow();
}
