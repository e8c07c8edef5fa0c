using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;

namespace Agnes.Connectors.Jira;

/// <summary>Deliveries of Jira's webhooks, and what its API answered, laid over issues: spec/02 §7.</summary>
public sealed class JiraSchema(JiraFields fields, string? domain, string attachments) : EventSchema
{
    /// <summary>The column that says which issue a row is of.</summary>
    public const string Key = "issue_key";

    public const string SchemaName = "jira-issues";

    /// <summary>The option that says where the site is.</summary>
    public const string DomainOption = "domain";

    /// <summary>What options begin with that say which custom field a column is read from.</summary>
    public const string FieldOption = "field:";

    /// <summary>A delivery, as it came.</summary>
    public const byte Delivery = 1;

    /// <summary>An issue as the API answered, with the members of <see cref="JiraAnswer"/>.</summary>
    public const byte Answer = 2;

    private const string MovedTo = "_moved_to";
    private const int MovesMax = 100; // of one issue, followed where its name did not keep up
    private const string DeletedEvent = "jira:issue_deleted";
    private readonly JiraRows _rows = new(fields, domain, attachments);

    /// <param name="root">The folder of the source.</param>
    public static JiraSchema From(IReadOnlyDictionary<string, string> options, string root)
    {
        var set = from option in options
                  where option.Key.StartsWith(FieldOption, StringComparison.Ordinal)
                  select KeyValuePair.Create(option.Key[FieldOption.Length..], option.Value);
        return new JiraSchema(JiraFields.With(set), options.GetValueOrDefault(DomainOption), Path.Combine(root, "raw", "attachments"));
    }

    public override string KeyColumn => Key;

    public override IReadOnlyList<EventTable> Tables => JiraTables.All;

    public override string DocumentsFolder => "issues";

    public override string MonthOf(JsonObject document) => new JiraDocument(document, fields).Month(default); // it was decided when the event was laid over it

    public override void Rows(JsonObject document, Action<int, object?[]> add)
    {
        if (document["_deleted_at"] is null) _rows.Add(document, add);
    }

    public override EventOutcome Apply(JournalEntry entry, Documents documents)
    {
        JsonObject? body;
        try
        {
            body = JsonText.Parse(entry.Body) as JsonObject;
        }
        catch (JsonException)
        {
            return EventOutcome.Broken;
        }

        if (body is null) return EventOutcome.Broken;
        return entry.Kind switch
        {
            Delivery => ApplyDelivery(body, entry, documents),
            Answer => ApplyAnswer(body, entry, documents),
            _ => EventOutcome.Unknown,
        };
    }

    private EventOutcome ApplyDelivery(JsonObject body, JournalEntry entry, Documents documents)
    {
        var issue = body["issue"] as JsonObject;
        var key = issue?["key"].TextOnly() ?? body["issue_key"].TextOnly();
        if (!JiraKey.IsKey(key)) return EventOutcome.Broken;
        var name = body["webhookEvent"].TextOnly() ?? "";
        var said = body["timestamp"].Number() ?? new DateTimeOffset(entry.ReceivedAt).ToUnixTimeMilliseconds();
        var f = issue?["fields"] as JsonObject;
        var updated = JiraText.Milliseconds(f?["updated"]);
        var time = new JiraTime(updated > 0 ? updated : said, said);
        if (Open(key!, issue?["id"].Text(), time, entry.ReceivedAt, documents) is not var (document, place)) return EventOutcome.Known;
        if (place == key && time > document.KeyAt) document.KeyAt = time;
        var changed = string.Equals(name, DeletedEvent, StringComparison.OrdinalIgnoreCase)
            ? document.Delete(said)
            : !document.IsDeleted && Lay(document, body, f, name, time, said);
        // What says nothing of an issue that nobody knows brings no row: the site is asked for it.
        if (changed || documents.Find(place) is not null || document.FormerKeys.Any()) Save(document, place, entry, documents, changed);
        return changed ? EventOutcome.Applied : IsUnknown(name, issue) ? EventOutcome.Unknown : EventOutcome.Known;
    }

    private static bool IsUnknown(string name, JsonObject? issue) =>
        issue?["fields"] is null && !name.StartsWith("comment_", StringComparison.Ordinal) && !name.StartsWith("attachment_", StringComparison.Ordinal);

    private static bool Lay(JiraDocument document, JsonObject body, JsonObject? f, string name, JiraTime time, long said)
    {
        var changed = false;
        if (f is not null) changed |= document.LayFields(f, time, isWhole: f["created"] is not null && f["updated"] is not null);
        if (body["comment"] is JsonObject comment)
        {
            changed |= name == "comment_deleted"
                ? comment["id"].Text() is { } gone && document.RemoveComment(gone, said)
                : document.LayComment((JsonObject)comment.DeepClone(), time);
        }

        if (body["attachment"] is JsonObject attachment)
        {
            changed |= name == "attachment_deleted"
                ? attachment["id"].Text() is { } gone && document.RemoveAttachment(gone, said)
                : document.LayAttachment((JsonObject)attachment.DeepClone(), time);
        }

        foreach (var item in body["changelog"].At("items").Items().Where(item => item.At("field").Text() == "Attachment"))
        {
            // The event of the attachment itself names no issue.
            if (item.At("from").Text() is { Length: > 0 } gone && item.At("to") is null) changed |= document.RemoveAttachment(gone, said);
        }

        if (body["changelog"] is JsonObject { } log && log["items"] is JsonArray { Count: > 0 } items && log["id"] is { } id)
        {
            changed |= document.LayHistory(new JsonObject
            {
                ["id"] = id.Text(),
                ["author"] = body["user"]?.DeepClone(),
                ["created"] = JiraText.Iso(said),
                ["items"] = items.DeepClone(),
            });
        }

        return changed;
    }

    private EventOutcome ApplyAnswer(JsonObject body, JournalEntry entry, Documents documents)
    {
        if (body["issue"] is not JsonObject issue || !JiraKey.IsKey(issue["key"].TextOnly()) || issue["fields"] is not JsonObject f) return EventOutcome.Broken;
        var asked = body["asked"].Number() ?? 0;
        var time = new JiraTime(Math.Max(JiraText.Milliseconds(f["updated"]), 1), asked);
        if (Open(issue["key"].TextOnly()!, issue["id"].Text(), time, entry.ReceivedAt, documents) is not var (document, place)) return EventOutcome.Known;
        if (place == issue["key"].TextOnly() && time > document.KeyAt) document.KeyAt = time;
        if (document.IsDeleted)
        {
            Save(document, place, entry, documents, isChanged: false);
            return EventOutcome.Known;
        }

        var comments = Ids(f["comment"].At("comments"), f["comment"].At("total"));
        var files = f["attachment"] is JsonArray list ? Ids(list, null) : null;
        document.LayFields(f, time, isWhole: f["created"] is not null);
        foreach (var history in issue["changelog"].At("histories").Items().OfType<JsonObject>()) document.LayHistory((JsonObject)history.DeepClone());
        if (body["remote_links"] is JsonArray links) document.LayRemoteLinks((JsonArray)links.DeepClone());
        document.KeepOnly(comments, files, asked);
        Save(document, place, entry, documents, isChanged: true);
        return EventOutcome.Applied;
    }

    /// <summary>The ids of a complete list; null where it is a window of more.</summary>
    private static HashSet<string>? Ids(JsonNode? list, JsonNode? total) =>
        list is JsonArray items && (total is null || total.Number() == items.Count) ? [.. items.Select(one => one.At("id").Text()).OfType<string>()] : null;

    /// <summary>The document that an event is about, wherever the issue is now; one that is newer than a move takes the issue along.</summary>
    /// <returns>Null: it is of an issue that had this key before, or has left it since.</returns>
    private (JiraDocument Document, string Place)? Open(string key, string? id, JiraTime time, DateTime received, Documents documents)
    {
        var place = key;
        if (JiraKey.IsId(id) && Present(id!, documents) is { } present && present != key && documents.Find(present) is { } elsewhere)
        {
            var there = new JiraDocument(elsewhere, fields);
            if (there.IsDeleted || !(time > there.KeyAt)) place = present;
            else
            {
                var moved = there.MovedTo(key);
                there.Delete(time.Said);
                elsewhere[MovedTo] = key;
                documents.Put(present, elsewhere, there.Months(received), isChanged: true, isLeft: true);
                documents.SetKey(id!, key);
                return (moved, key);
            }
        }

        if (documents.Find(place) is { } found)
        {
            var document = new JiraDocument(found, fields);
            var isSame = id is null || document.Id.Length == 0 || document.Id == id;
            if (!isSame && !document.IsDeleted) return null; // another issue has the key: one of the two moved, and the event of that comes or came
            if (isSame)
            {
                if (JiraKey.IsId(id) && documents.KeyOf(id!) is null) documents.SetKey(id!, place); // a kill came between the two
                return (document, place);
            }
        }

        if (JiraKey.IsId(id)) documents.SetKey(id!, place);
        return (JiraDocument.New(place, id, fields), place);
    }

    /// <summary>Where an issue is. Names are written last, so that after a kill they may lead to where it was: from there on the documents say where it went.</summary>
    private static string? Present(string id, Documents documents)
    {
        if (documents.KeyOf(id) is not { } named) return null;
        var present = named;
        for (var moves = 0; moves < MovesMax && documents.Find(present)?[MovedTo].TextOnly() is { } next && documents.Find(next) is not null; moves++) present = next;
        if (present != named) documents.SetKey(id, present);
        return present;
    }

    private void Save(JiraDocument document, string place, JournalEntry entry, Documents documents, bool isChanged)
    {
        if (isChanged)
            document.Issue["_synced_at"] = entry.ReceivedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", System.Globalization.CultureInfo.InvariantCulture);
        documents.Put(place, document.Issue, document.Months(entry.ReceivedAt), isChanged);
        foreach (var former in document.FormerKeys)
        {
            if (documents.Find(former) is { } left && left[MovedTo] is not null)
                documents.Put(former, left, new JiraDocument(left, fields).Months(entry.ReceivedAt), isChanged: false);
        }
    }
}
