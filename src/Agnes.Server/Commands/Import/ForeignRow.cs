using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Server.Commands.Import;

/// <summary>A row of another installation. Columns differ between its versions: one that is not there reads as null.</summary>
internal sealed class ForeignRow(JsonObject columns)
{
    private const int TextCharsMax = 1 << 20;

    public bool Has(string column) => columns.ContainsKey(column);

    /// <summary>Null when absent, null or empty; without NUL, which neither engine stores.</summary>
    public string? Text(string column)
    {
        var text = columns[column] switch
        {
            null => null,
            JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
            var other => other.ToJsonString(),
        };
        if (string.IsNullOrEmpty(text)) return null;
        if (text.Length > TextCharsMax) text = text[..TextCharsMax];
        return text.Replace("\0", "", StringComparison.Ordinal);
    }

    public bool? Flag(string column) => columns[column]?.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    public long? Number(string column) => columns[column] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && long.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var number) ? number : null;

    public int? Integer(string column) => Number(column) is { } number and >= int.MinValue and <= int.MaxValue ? (int)number : null;

    /// <summary>Times have no offset and mean UTC.</summary>
    public DateTime? Time(string column) =>
        Text(column) is { } text && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? new DateTime(time.Ticks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc)
            : null;

    /// <summary>A list that is kept as a JSON text; empty when it is none.</summary>
    public IReadOnlyList<string> List(string column)
    {
        var node = columns[column];
        try
        {
            if (node is JsonValue value && value.GetValueKind() == JsonValueKind.String) node = JsonNode.Parse(value.GetValue<string>());
        }
        catch (JsonException)
        {
            return [];
        }

        return node is JsonArray list ? [.. list.Where(item => item is JsonValue && item.GetValueKind() == JsonValueKind.String).Select(item => item!.GetValue<string>())] : [];
    }
}

/// <summary>The rows of the tables that are few enough to be held; the long ones are read by themselves.</summary>
internal sealed class ForeignState(int version, IReadOnlyDictionary<string, long> counts, ILookup<string, ForeignRow> rows)
{
    public int Version => version;

    /// <summary>Rows of every table of the file.</summary>
    public IReadOnlyDictionary<string, long> Counts => counts;

    public IEnumerable<ForeignRow> Rows(string table) => rows[table];

    public bool Has(string table) => counts.ContainsKey(table);
}
