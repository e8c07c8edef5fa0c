namespace DuckDB.NET.Data.Vectors;

/// <summary>BIT as a text of zeros and ones. The first byte says how many bits of the second one are padding.</summary>
internal sealed class BitVector(DuckDBColumn column) : ColumnVector(column)
{
    internal override Type ClrType => typeof(string);

    internal override object GetValue(int row) => GetString(row);

    internal override string GetString(int row)
    {
        var bytes = Column.Bytes(row);
        var padding = bytes[0];
        var text = new char[(bytes.Length - 1) * 8 - padding];
        for (var i = 0; i < text.Length; i++)
        {
            var bit = i + padding;
            text[i] = (bytes[1 + bit / 8] >> (7 - bit % 8) & 1) == 1 ? '1' : '0';
        }

        return new string(text);
    }
}
