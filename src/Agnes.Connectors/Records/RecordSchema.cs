using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Protocol;

namespace Agnes.Connectors.Records;

/// <summary>
/// What any system posts, as rows of one table: of the records of one key the newest by its own time counts; a record without a key is a row of its own, which the same
/// delivery sent twice does not double.
/// </summary>
public sealed class RecordSchema(RecordSettings settings) : EventSchema
{
    public const string SchemaName = "records";

    /// <summary>A delivery, as it came.</summary>
    public const byte Delivery = 1;

    private const int IdBytes = 16;
    private const double MillisecondsMin = -62_135_596_800_000; // the years 1 to 9999
    private const double MillisecondsMax = 253_402_300_800_000;
    private const long SecondsMax = 100_000_000_000; // a larger number of an epoch counts milliseconds

    public override string KeyColumn => RecordSettings.IdColumn;

    public override IReadOnlyList<EventTable> Tables { get; } =
    [
        new EventTable(settings.Table, "Posted records", [
            new TableColumn(RecordSettings.IdColumn, "VARCHAR"), new TableColumn(RecordSettings.TimeColumn, "TIMESTAMP WITH TIME ZONE"),
            .. settings.Columns.Select(column => new TableColumn(column.Name, column.Type)),
        ]),
    ];

    public override EventOutcome Apply(JournalEntry entry, Documents documents)
    {
        JsonNode? body;
        try
        {
            body = JsonText.Parse(entry.Body);
        }
        catch (JsonException)
        {
            return EventOutcome.Broken;
        }

        var outcome = EventOutcome.Unknown;
        var number = 0;
        foreach (var record in RecordsOf(body))
        {
            var one = Apply(record, entry, number++, documents);
            if (one == EventOutcome.Applied || outcome == EventOutcome.Unknown) outcome = one;
        }

        return outcome;
    }

    public override string MonthOf(JsonObject document) => Moment(document).ToString("yyyy-MM", CultureInfo.InvariantCulture);

    public override void Rows(JsonObject document, Action<int, object?[]> add)
    {
        if (document["deleted"] is not null) return;
        var record = document["record"];
        add(0, [document["id"]!.GetValue<string>(), Moment(document), .. settings.Columns.Select(column => Cell(column.Path.Find(record), column.Type))]);
    }

    private IEnumerable<JsonObject> RecordsOf(JsonNode? body)
    {
        var items = settings.Items is { } path ? path.Find(body) : body;
        return items is JsonArray list ? list.OfType<JsonObject>() : items is JsonObject one ? [one] : [];
    }

    private EventOutcome Apply(JsonObject record, JournalEntry entry, int number, Documents documents)
    {
        var id = IdOf(record, entry, number);
        if (id is null) return EventOutcome.Broken;
        var time = TimeOf(record) ?? entry.ReceivedAt;
        var known = documents.Find(id);
        if (known is not null && !IsNewer(record, time, known))
        {
            documents.Put(id, known, MonthsOf(known), isChanged: false);
            return EventOutcome.Known;
        }

        var document = new JsonObject
        {
            ["id"] = id,
            ["at"] = time.Ticks / TimeSpan.TicksPerMicrosecond,
            ["record"] = record.DeepClone(),
            ["was_in"] = new JsonArray([.. MonthsOf(known).Select(month => (JsonNode)month)]),
        };
        if (settings.Deleted?.Find(record) is { } said && Text(said) == settings.DeletedValue) document["deleted"] = true;
        documents.Put(id, document, MonthsOf(document), isChanged: true);
        return EventOutcome.Applied;
    }

    /// <summary>Of two of one time one counts, whichever came first.</summary>
    private static bool IsNewer(JsonObject record, DateTime time, JsonObject known)
    {
        var at = Moment(known);
        return time != at ? time > at : string.CompareOrdinal(record.ToJsonString(), known["record"]!.ToJsonString()) > 0;
    }

    private IEnumerable<string> MonthsOf(JsonObject? document) => document is null ? []
        : ((document["was_in"] as JsonArray)?.Select(month => month!.GetValue<string>()) ?? []).Append(MonthOf(document)).Distinct(StringComparer.Ordinal);

    /// <summary>A name that any file system takes, whatever the key is.</summary>
    private string? IdOf(JsonObject record, JournalEntry entry, int number)
    {
        if (settings.Key is { } path) return path.Find(record) is { } key && Text(key) is { Length: > 0 } text ? Hash(Encoding.UTF8.GetBytes(text)) : null;
        return entry.Identity.Length > 0 ? Hash(Encoding.UTF8.GetBytes($"{entry.Identity}\0{number}")) : Hash([.. entry.Body.Span, .. BitConverter.GetBytes(number)]);
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, IdBytes));

    private DateTime? TimeOf(JsonObject record) => settings.Time?.Find(record) is { } node ? Moment(node) : null;

    private static DateTime Moment(JsonObject document) => new(document["at"]!.GetValue<long>() * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);

    /// <summary>ISO 8601, or seconds or milliseconds since 1970; null for anything else.</summary>
    private static DateTime? Moment(JsonNode node)
    {
        if (node is not JsonValue value) return null;
        if (value.TryGetValue<double>(out var number))
        {
            var milliseconds = Math.Abs(number) < SecondsMax ? number * 1000 : number;
            return milliseconds is > MillisecondsMin and < MillisecondsMax ? Cut(DateTime.UnixEpoch.AddMilliseconds(milliseconds)) : null;
        }

        return value.TryGetValue<string>(out var text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? Cut(moment.UtcDateTime) : null;
    }

    private static DateTime Cut(DateTime time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    private static string Text(JsonNode node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node.ToJsonString();

    /// <summary>A value that is not of the column's type is NULL there: the journal and the document keep what was said.</summary>
    private static object? Cell(JsonNode? node, string type) => node is null ? null : type switch
    {
        "VARCHAR" => Text(node),
        "BIGINT" => node is JsonValue whole && whole.TryGetValue<long>(out var number) ? number
            : long.TryParse(Text(node), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? parsed : null,
        "DOUBLE" => node is JsonValue real && real.TryGetValue<double>(out var value) ? value
            : double.TryParse(Text(node), NumberStyles.Float, CultureInfo.InvariantCulture, out var read) ? read : null,
        "BOOLEAN" => Text(node) switch { "true" => true, "false" => false, _ => null },
        _ => Moment(node) is { } moment ? moment : null,
    };
}
