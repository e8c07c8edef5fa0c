using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using DuckDB.NET.Data;

namespace Agnes.Cli.Output;

/// <summary>Rows of the local engine. Numbers and nested values keep their shape in JSON; dates, decimals and the like are text.</summary>
internal sealed class LocalRows(DuckDBCommand command, DuckDBDataReader reader) : ResultRows
{
    public override IReadOnlyList<string> Columns { get; } = [.. reader.Columns.Select(column => column.Name)];

    public override bool Read() => reader.Read();

    public override string? Text(int column)
    {
        if (reader.IsDBNull(column)) return null;
        return reader.Columns[column].Type switch
        {
            DuckDBType.Boolean => reader.GetBoolean(column) ? "true" : "false",
            DuckDBType.Float or DuckDBType.Double => Real(reader.GetDouble(column), reader.Columns[column].Type),
            DuckDBType.List or DuckDBType.Array or DuckDBType.Struct or DuckDBType.Map or DuckDBType.Union => Nested(reader.GetValue(column)),
            _ => reader.GetString(column),
        };
    }

    public override bool IsNumber(int column) => reader.Columns[column].Type is
        (>= DuckDBType.TinyInt and <= DuckDBType.Double) or DuckDBType.HugeInt or DuckDBType.UHugeInt or DuckDBType.Decimal or DuckDBType.Bignum;

    public override void WriteJson(Utf8JsonWriter writer, int column)
    {
        if (reader.IsDBNull(column))
        {
            writer.WriteNullValue();
            return;
        }

        switch (reader.Columns[column].Type)
        {
            case DuckDBType.Boolean:
                writer.WriteBooleanValue(reader.GetBoolean(column));
                break;
            case DuckDBType.TinyInt or DuckDBType.SmallInt or DuckDBType.Integer or DuckDBType.BigInt or DuckDBType.UTinyInt or DuckDBType.USmallInt or DuckDBType.UInteger:
                writer.WriteNumberValue(reader.GetInt64(column));
                break;
            case DuckDBType.UBigInt or DuckDBType.HugeInt or DuckDBType.UHugeInt or DuckDBType.Bignum:
                writer.WriteRawValue(reader.GetString(column), skipInputValidation: true);
                break;
            case DuckDBType.Float or DuckDBType.Double:
                WriteReal(writer, reader.GetDouble(column), reader.Columns[column].Type == DuckDBType.Float);
                break;
            case DuckDBType.List or DuckDBType.Array or DuckDBType.Struct or DuckDBType.Map or DuckDBType.Union:
                WriteNested(writer, reader.GetValue(column));
                break;
            default:
                writer.WriteStringValue(reader.GetString(column));
                break;
        }
    }

    public override void Dispose()
    {
        reader.Dispose();
        command.Dispose();
    }

    private static string Nested(object value)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, JsonText.OnOneLine)) WriteNested(writer, value);
        return System.Text.Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void WriteNested(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null or DBNull: writer.WriteNullValue(); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case string text: writer.WriteStringValue(text); break;
            case float number: WriteReal(writer, number, isSingle: true); break;
            case double number: WriteReal(writer, number, isSingle: false); break;
            case sbyte or byte or short or ushort or int or uint or long: writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case ulong or Int128 or UInt128 or BigInteger: writer.WriteRawValue(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture), skipInputValidation: true); break;
            case IDictionary map:
                writer.WriteStartObject();
                foreach (DictionaryEntry entry in map)
                {
                    writer.WritePropertyName(Scalar(entry.Key));
                    WriteNested(writer, entry.Value);
                }

                writer.WriteEndObject();
                break;
            case byte[] bytes: writer.WriteStringValue(Scalar(bytes)); break;
            case IEnumerable list:
                writer.WriteStartArray();
                foreach (var item in list) WriteNested(writer, item);
                writer.WriteEndArray();
                break;
            default: writer.WriteStringValue(Scalar(value)); break;
        }
    }

    private static string Scalar(object value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        DateTime { Kind: DateTimeKind.Utc } time => time.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF'+00'", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToHexString(bytes),
        IDictionary or object?[] => Nested(value),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>As the engine and every other tool write them: <c>1.0</c>, <c>1e+20</c>, <c>inf</c>, <c>nan</c>.</summary>
    private static string Real(double value, DuckDBType type)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var text = type == DuckDBType.Float ? ((float)value).ToString("R", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny(".E") >= 0 ? text.Replace("E", "e", StringComparison.Ordinal) : text + ".0";
    }

    private static void WriteReal(Utf8JsonWriter writer, double value, bool isSingle)
    {
        if (!double.IsFinite(value)) writer.WriteNullValue();
        else writer.WriteRawValue(Real(value, isSingle ? DuckDBType.Float : DuckDBType.Double), skipInputValidation: true);
    }
}
