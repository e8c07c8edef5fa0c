using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>
/// The bodies of webhooks, as Atlassian's page on webhooks for Jira Cloud lists their events and captures from real sites show them:
/// events of issues bear the issue and who did it, events of comments a thin issue, and those of attachments, links and worklogs no issue
/// at all.
/// </summary>
public sealed partial class JiraSite
{
    private long _nextEvent;

    private IssueView WebhookView =>
        new(this, Viewer.Personal) { Version = Texts == WebhookTexts.Wiki ? 2 : 3, Comments = EmbeddedComments };

    /// <summary>What other issues' links show of an issue; null where it is gone.</summary>
    internal JsonObject? BriefOf(int number)
    {
        lock (_gate)
        {
            if (_gone.Contains(number)) return null;
            JsonNode? summary, type, status, priority;
            if (_changed.TryGetValue(number, out var issue))
            {
                (summary, type) = (issue.Fields["summary"]?.DeepClone(), issue.Fields["issuetype"]?.DeepClone());
                (status, priority) = (issue.Fields["status"]?.DeepClone(), issue.Fields["priority"]?.DeepClone());
            }
            else
            {
                (summary, type, status, priority) = _seed.BriefOf(number);
            }

            return new JsonObject
            {
                ["id"] = Text(Issue.FirstId + number),
                ["key"] = KeyOf(OutlineOf(number)),
                ["self"] = $"{Address}/rest/api/3/issue/{Issue.FirstId + number}",
                ["fields"] = new JsonObject { ["summary"] = summary, ["status"] = status, ["priority"] = priority, ["issuetype"] = type },
            };
        }
    }

    /// <summary>Writes the change into the issue's log, and gives the event that tells of it.</summary>
    private WebhookEvent Changed(Issue issue, string kind, long at, IReadOnlyList<Change> items)
    {
        issue.Updated = at;
        var history = new History(_nextId++, Actor(at), at, items);
        issue.Histories.Add(history);
        return OfIssue("jira:issue_updated", kind, issue, at,
            new JsonObject { ["id"] = Text(history.Id), ["items"] = IssueView.Items(history) });
    }

    /// <param name="kind">The body's <c>issue_event_type_name</c>; a deletion has none.</param>
    private WebhookEvent OfIssue(string name, string? kind, Issue issue, long at, JsonObject? changelog)
    {
        var body = Body(name, at);
        if (kind is not null) body["issue_event_type_name"] = kind;
        body["user"] = Catalog.User(Actor(at));
        body["issue"] = WebhookView.Show(issue, FieldChoice.All, []);
        if (changelog is not null) body["changelog"] = changelog;
        return Event(body, issue, isPrimary: true);
    }

    private List<WebhookEvent> OfComment(string name, string kind, Issue issue, Comment comment, long at)
    {
        var events = new List<WebhookEvent> { OfComment(name, issue, comment, at, isPrimary: true) };
        if (CommentsUpdateIssue) events.Add(OfIssue("jira:issue_updated", kind, issue, at, null));
        return events;
    }

    private WebhookEvent OfComment(string name, Issue issue, Comment comment, long at, bool isPrimary)
    {
        var body = Body(name, at);
        body["comment"] = WebhookView.Comment(issue, comment);
        body["issue"] = WebhookView.Thin(issue);
        body["eventType"] = isPrimary ? "primaryAction" : "secondaryAction";
        return Event(body, issue, isPrimary);
    }

    private WebhookEvent OfAttachment(string name, Issue issue, Attachment attachment, long at, bool isPrimary)
    {
        var body = Body(name, at);
        body["attachment"] = WebhookView.Attachment(attachment);
        return Event(body, issue, isPrimary);
    }

    private WebhookEvent OfLink(string name, long id, LinkType type, Issue outer, Issue inner, long at, bool isPrimary)
    {
        var body = Body(name, at);
        body["issueLink"] = new JsonObject
        {
            ["id"] = id,
            ["sourceIssueId"] = outer.Id,
            ["destinationIssueId"] = inner.Id,
            ["issueLinkType"] = new JsonObject
            {
                ["id"] = long.Parse(type.Id, CultureInfo.InvariantCulture),
                ["name"] = type.Name,
                ["outwardName"] = type.Outward,
                ["inwardName"] = type.Inward,
                ["isSubTaskLinkType"] = false,
                ["isSystemLinkType"] = false,
            },
            ["systemLink"] = false,
        };
        return Event(body, outer, isPrimary);
    }

    private List<WebhookEvent> OfWorklog(string name, string kind, Issue issue, Worklog worklog, int secondsBefore, long at)
    {
        var body = Body(name, at);
        body["worklog"] = WebhookView.Worklog(issue, worklog);
        var (before, after) = (secondsBefore, issue.Worklogs.Sum(one => one.Seconds));
        string? Spent(int seconds) => seconds == 0 ? null : Text(seconds);
        return
        [
            Event(body, issue, isPrimary: true),
            Changed(issue, kind, at,
                [new Change("timespent", "jira", "timespent", Spent(before), Spent(before), Spent(after), Spent(after))]),
        ];
    }

    /// <summary>Sets a field, and says how the changelog tells it.</summary>
    private static Change Set(Issue issue, string field, JsonNode? value)
    {
        var before = issue.Fields[field]?.DeepClone();
        issue.Fields[field] = value?.DeepClone();
        var custom = Catalog.CustomFields.FirstOrDefault(known => known.Id == field);
        var isCustom = field.StartsWith("customfield_", StringComparison.Ordinal);
        return new Change(custom.Name ?? field, isCustom ? "custom" : "jira", field, IdOf(before), TextOf(before), IdOf(value),
            TextOf(value));
    }

    private static string? IdOf(JsonNode? value) => value switch
    {
        JsonObject item => (string?)item["id"] ?? (string?)item["accountId"],
        JsonArray list when list.All(one => one is JsonObject) && list.Count > 0 => $"[{string.Join(", ", list.Select(IdOf))}]",
        _ => null,
    };

    private static string? TextOf(JsonNode? value) => value switch
    {
        null => null,
        JsonObject document when (string?)document["type"] == "doc" => Adf.Wiki(document),
        JsonObject item => (item["value"] ?? item["name"] ?? item["displayName"])?.ToString()
            ?? item.ToJsonString(WebhookEvent.AsJiraWrites),
        JsonArray list => string.Join(' ', list.Select(TextOf)),
        _ => value.ToString(),
    };

    private static JsonObject Body(string name, long at) => new() { ["timestamp"] = at, ["webhookEvent"] = name };

    private WebhookEvent Event(JsonObject body, Issue issue, bool isPrimary)
    {
        var dice = new Dice(Shape.Seed, _nextEvent++, -2);
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, dice.Next());
        BitConverter.TryWriteBytes(bytes[8..], dice.Next());
        return WebhookEvent.Of(body, issue.Id, new Guid(bytes).ToString(), isPrimary);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
