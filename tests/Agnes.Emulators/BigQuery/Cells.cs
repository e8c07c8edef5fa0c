using System.Collections;
using System.Globalization;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;

namespace Agnes.Emulators.BigQuery;

/// <summary>Values as the documented <c>{"f":[{"v":…}]}</c>: everything a text, but for arrays and structs.</summary>
internal static class Cells
{
    /// <param name="int64Timestamp">Whether a TIMESTAMP is whole microseconds, or seconds as a floating number.</param>
    public static JsonObject Row(DuckDBDataReader reader, IReadOnlyList<Field> fields, bool int64Timestamp)
    {
        var cells = new JsonArray();
        for (var i = 0; i < fields.Count; i++)
        {
            cells.Add(Cell(reader.IsDBNull(i) ? null : reader.GetValue(i), fields[i], int64Timestamp));
        }

        return new JsonObject { ["f"] = cells };
    }

    private static JsonObject Cell(object? value, Field field, bool int64Timestamp)
    {
        if (!field.IsRepeated) return new JsonObject { ["v"] = Value(value, field, int64Timestamp) };
        var elements = new JsonArray(); // BigQuery knows no array that is NULL in a result: it is an empty one
        foreach (var element in (IEnumerable?)value ?? Array.Empty<object>())
        {
            if (element is null or DBNull)
            {
                throw new BigQueryError(400, "invalidQuery", $"Array cannot have a null element; error in writing field {field.Name}");
            }
            elements.Add((JsonNode)new JsonObject { ["v"] = Value(element, field, int64Timestamp) });
        }

        return new JsonObject { ["v"] = elements };
    }

    private static JsonNode? Value(object? value, Field field, bool int64Timestamp) => value switch
    {
        null or DBNull => null,
        IReadOnlyDictionary<string, object?> carried when field.IsCarried => (string?)carried.First().Value,
        Dictionary<string, object> carried when field.IsCarried => carried.First().Value as string,
        Dictionary<string, object> whole => Struct(whole.GetValueOrDefault, field, int64Timestamp),
        IReadOnlyDictionary<string, object?> whole => Struct(whole.GetValueOrDefault, field, int64Timestamp),
        bool truth => truth ? "true" : "false",
        Int128 large when large < long.MinValue || large > long.MaxValue => throw BigQueryError.Invalid("int64 overflow"),
        double number => Number(number),
        float number => Number(number),
        decimal number => number.ToString("0.#########", CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToBase64String(bytes),
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        TimeOnly time =>
            time.ToString(time.Ticks % TimeSpan.TicksPerSecond == 0 ? "HH:mm:ss" : "HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        DateTime instant when field.Type == "TIMESTAMP" => Instant(instant, int64Timestamp),
        DateTime civil => civil.ToString(
            civil.Ticks % TimeSpan.TicksPerSecond == 0
                ? "yyyy-MM-ddTHH:mm:ss" : "yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString(),
    };

    private static JsonObject Struct(Func<string, object?> valueOf, Field field, bool int64Timestamp) =>
        new() { ["f"] = new JsonArray([.. field.Fields.Select(part => (JsonNode)Cell(valueOf(part.Name), part, int64Timestamp))]) };

    private static string Number(double number) => double.IsPositiveInfinity(number) ? "Infinity"
        : double.IsNegativeInfinity(number) ? "-Infinity"
        : number.ToString(number == Math.Floor(number) && Math.Abs(number) < 1e15 ? "0.0" : "R", CultureInfo.InvariantCulture);

    private static string Instant(DateTime instant, bool int64Timestamp)
    {
        var micros = (instant.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        return int64Timestamp
            ? micros.ToString(CultureInfo.InvariantCulture)
            : (micros / 1e6).ToString("E16", CultureInfo.InvariantCulture).Replace("E+00", "E", StringComparison.Ordinal);
    }
}
