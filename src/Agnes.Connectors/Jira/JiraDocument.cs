using System.Text.Json.Nodes;

namespace Agnes.Connectors.Jira;

/// <summary>When something was so, by the source's own clock: the issue's time of change first, then that of the message that said it.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct JiraTime(long Updated, long Said)
{
    public static bool operator >(JiraTime a, JiraTime b) => a.Updated != b.Updated ? a.Updated > b.Updated : a.Said > b.Said;

    public static bool operator <(JiraTime a, JiraTime b) => b > a;

    public JsonArray Write() => [(JsonNode)Updated, (JsonNode)Said];

    public static JiraTime Read(JsonNode? node) => node is JsonArray { Count: 2 } pair ? new(pair[0].Number() ?? 0, pair[1].Number() ?? 0) : default;
}

/// <summary>
/// One issue as it is known: Jira's own JSON, with what we add under names that begin with an underscore. Whatever is laid over it may come twice and in any order:
/// each field holds the newest value that was said, each comment, attachment and entry of the changelog is kept by its id, and what was deleted is remembered so that
/// an older message does not bring it back. What a message leaves out is no news.
/// </summary>
internal sealed class JiraDocument(JsonObject issue, JiraFields fields)
{
    private const string Ours = "_agnes";
    private static readonly string[] Lists = ["comment", "attachment"];

    public JsonObject Issue => issue;

    public bool IsDeleted => issue["_deleted_at"] is not null;

    public string Id => issue["id"].Text() ?? "";

    public JiraTime At => JiraTime.Read(issue[Ours].At("at"));

    /// <summary>The newest time at which the issue was said to have its key.</summary>
    public JiraTime KeyAt
    {
        get => JiraTime.Read(issue[Ours].At("key_at"));
        set => Meta["key_at"] = value.Write();
    }

    public static JiraDocument New(string key, string? id, JiraFields fields) => new(new JsonObject { ["id"] = id, ["key"] = key, ["fields"] = new JsonObject() }, fields);

    /// <summary>All months that its rows were ever in, that of now among them.</summary>
    public IEnumerable<string> Months(DateTime now) => [Month(now), .. Meta["was_in"].Items().Select(month => month.Text()).OfType<string>()];

    /// <summary>Keys that it had before.</summary>
    public IEnumerable<string> FormerKeys => Meta["was"].Items().Select(key => key.Text()).OfType<string>();

    /// <summary>The same issue under another key.</summary>
    public JiraDocument MovedTo(string key)
    {
        var moved = new JiraDocument((JsonObject)issue.DeepClone(), fields);
        Array(moved.Meta, "was").Add((JsonNode?)issue["key"].Text());
        moved.Issue["key"] = key;
        return moved;
    }

    /// <summary>The month that its rows are in: once its time of creation is known, that month by its own clock; until then where it was put first.</summary>
    public string Month(DateTime now)
    {
        var before = Meta["month"].TextOnly();
        var known = before;
        var created = issue["fields"].At("created").TextOnly();
        if (created is { Length: >= 7 } && char.IsAsciiDigit(created[0]) && created[4] == '-' && char.IsAsciiDigit(created[5]) && char.IsAsciiDigit(created[6])) known = created[..7];
        known ??= now.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);
        if (before == known) return known;
        if (before is not null) Array(Meta, "was_in").Add((JsonNode)before);
        Meta["month"] = known;
        return known;
    }

    /// <summary>Lays fields over those that are known.</summary>
    /// <param name="isWhole">They are all that the issue has, so that their time is that of every field.</param>
    /// <returns>Whether anything is other than before.</returns>
    public bool LayFields(JsonObject said, JiraTime time, bool isWhole)
    {
        var known = Object(issue, "fields");
        var ahead = Object(Meta, "ahead");
        var isNewer = At < time;
        var changed = false;
        foreach (var name in said.Select(field => field.Key).Except(Lists).ToList())
        {
            var isAhead = ahead[name] is { } own && JiraTime.Read(own) > time;
            if (known.ContainsKey(name) && (isAhead || !isNewer && ahead[name] is null)) continue;
            if (known.ContainsKey(name) && ahead[name] is { } before && !(time > JiraTime.Read(before))) continue;
            var value = Take(said, name);
            if (fields.IsSla(name) && JiraFields.IsSlaValue(known[name]) && !JiraFields.IsSlaValue(value)) continue; // this account may not see it, which says nothing of it
            if (!isWhole && isNewer) ahead[name] = time.Write();
            if (known.ContainsKey(name) && JsonNode.DeepEquals(known[name], value)) continue;
            known[name] = value;
            changed = true;
        }

        changed |= LayComments(said["comment"], time);
        changed |= LayAttachments(said["attachment"].Items(), time);
        if (!isWhole || !isNewer) return changed;
        Meta["at"] = time.Write();
        foreach (var name in ahead.Where(own => !(JiraTime.Read(own.Value) > time)).Select(own => own.Key).ToList()) ahead.Remove(name);
        return true;
    }

    public bool LayComment(JsonObject comment, JiraTime time) =>
        LayItem(CommentList, "comments", comment, Math.Max(JiraText.Milliseconds(comment["updated"]), 1), time) && (Counted() || true);

    public bool LayAttachment(JsonObject attachment, JiraTime time) => LayItem(Array(Object(issue, "fields"), "attachment"), "attachments", attachment, 1, time);

    /// <param name="said">In milliseconds since 1970.</param>
    public bool RemoveComment(string id, long said) => RemoveItem(CommentList, "comments", id, said) && (Counted() || true);

    /// <inheritdoc cref="RemoveComment"/>
    public bool RemoveAttachment(string id, long said) => RemoveItem(Array(Object(issue, "fields"), "attachment"), "attachments", id, said);

    /// <summary>An entry that is known stays as it is: nobody rewrites history.</summary>
    public bool LayHistory(JsonObject history)
    {
        var log = Object(issue, "changelog");
        var histories = Array(log, "histories");
        if (history["id"].Text() is not { } id || histories.Any(known => known.At("id").Text() == id)) return false;
        histories.Add((JsonNode)history);
        return true;
    }

    public bool LayRemoteLinks(JsonArray links)
    {
        if (JsonNode.DeepEquals(issue["_remote_links"], links)) return false;
        issue["_remote_links"] = links;
        return true;
    }

    /// <summary>What the site itself answered, complete: items that it does not have any more are gone.</summary>
    /// <param name="asked">When the question was begun, in milliseconds since 1970: what was heard since is newer.</param>
    public void KeepOnly(IReadOnlySet<string>? comments, IReadOnlySet<string>? attachments, long asked)
    {
        if (comments is not null)
        {
            foreach (var id in CommentList.Where(one => JiraText.Milliseconds(one.At("updated")) < asked).Select(one => one.At("id").Text()!).Where(id => !comments.Contains(id)).ToList())
                RemoveComment(id, asked);
        }

        if (attachments is null) return;
        var list = Array(Object(issue, "fields"), "attachment");
        foreach (var id in list.Where(one => JiraText.Milliseconds(one.At("created")) < asked).Select(one => one.At("id").Text()!).Where(id => !attachments.Contains(id)).ToList())
            RemoveAttachment(id, asked);
    }

    public bool Delete(long said)
    {
        if (IsDeleted) return false;
        issue["_deleted_at"] = JiraText.Iso(said);
        return true;
    }

    private JsonObject Meta => Object(issue, Ours);

    private JsonArray CommentList => Array(Object(Object(issue, "fields"), "comment"), "comments");

    private bool LayComments(JsonNode? said, JiraTime time)
    {
        if (said is not JsonObject window) return false;
        var changed = false;
        foreach (var comment in window["comments"].Items().OfType<JsonObject>().ToList()) changed |= LayComment((JsonObject)comment.DeepClone(), time);
        // Deliveries of issues bear a frame without comments and a total of 0, which says nothing.
        if (window["total"].Number() is > 0 and { } total && JiraTime.Read(Meta["total"].At("at")) < time)
        {
            Meta["total"] = new JsonObject { ["count"] = total, ["at"] = time.Write() };
            changed = true;
        }

        return Counted() || changed;
    }

    /// <summary>How many there are: those that are known, or more where the site said so and not all were heard.</summary>
    private bool Counted()
    {
        var total = Meta["total"];
        var said = total.At("count").Number() ?? 0;
        var since = JiraTime.Read(total.At("at")).Said;
        var gone = Object(Object(Meta, "gone"), "comments").Count(one => one.Value.Number() > since);
        var count = Math.Max(CommentList.Count, said - gone);
        var list = Object(Object(issue, "fields"), "comment");
        if (list["total"].Number() == count) return false;
        list["total"] = count;
        return true;
    }

    private bool LayAttachments(JsonArray said, JiraTime time)
    {
        var changed = false;
        foreach (var attachment in said.OfType<JsonObject>().ToList()) changed |= LayAttachment((JsonObject)attachment.DeepClone(), time);
        return changed;
    }

    /// <param name="version">Of the item by itself: the newer replaces the older.</param>
    private bool LayItem(JsonArray list, string kind, JsonObject item, long version, JiraTime time)
    {
        if (item["id"].Text() is not { } id || Object(Object(Meta, "gone"), kind).ContainsKey(id)) return false;
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i].At("id").Text() != id) continue;
            var known = Math.Max(JiraText.Milliseconds(list[i].At("updated")), 1);
            if (version < known || JsonNode.DeepEquals(list[i], item) || version == known && !(time > At)) return false;
            list[i] = item;
            return true;
        }

        list.Add((JsonNode)item);
        return true;
    }

    private bool RemoveItem(JsonArray list, string kind, string id, long said)
    {
        var gone = Object(Object(Meta, "gone"), kind);
        if (gone.ContainsKey(id)) return false;
        gone[id] = said;
        if (list.FirstOrDefault(one => one.At("id").Text() == id) is { } item) list.Remove(item);
        return true;
    }

    private static JsonNode? Take(JsonObject from, string name)
    {
        var value = from[name];
        from.Remove(name);
        return value;
    }

    private static JsonObject Object(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject known) return known;
        var made = new JsonObject();
        parent[name] = made;
        return made;
    }

    private static JsonArray Array(JsonObject parent, string name)
    {
        if (parent[name] is JsonArray known) return known;
        var made = new JsonArray();
        parent[name] = made;
        return made;
    }
}
