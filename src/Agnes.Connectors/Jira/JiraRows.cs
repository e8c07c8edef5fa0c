using System.Text.Json.Nodes;

namespace Agnes.Connectors.Jira;

/// <summary>The rows of an issue in the six tables, each value by the derivation of spec/02 §7.5.</summary>
/// <param name="domain">Of the site; null: unknown.</param>
/// <param name="attachments">The folder that files of issues are downloaded to.</param>
internal sealed class JiraRows(JiraFields fields, string? domain, string attachments)
{
    private const string UnknownDomain = "your-org.atlassian.net";

    public void Add(JsonObject issue, Action<int, object?[]> add)
    {
        var key = issue["key"].Text()!;
        var f = issue["fields"] as JsonObject ?? [];
        add(JiraTables.Issues, Issue(issue, key, f));
        foreach (var comment in f["comment"].At("comments").Items()) if (comment is JsonObject) add(JiraTables.Comments, Comment(key, comment));
        foreach (var attachment in f["attachment"].Items()) if (attachment is JsonObject) add(JiraTables.Attachments, Attachment(key, attachment));
        foreach (var history in issue["changelog"].At("histories").Items())
        {
            foreach (var item in history.At("items").Items()) if (item is JsonObject) add(JiraTables.Changelog, Change(key, history!, item));
        }

        foreach (var link in f["issuelinks"].Items())
        {
            var inward = link.At("inwardIssue");
            if ((inward ?? link.At("outwardIssue")) is JsonObject other) add(JiraTables.IssueLinks, Link(key, link!, other, inward is not null));
        }

        foreach (var link in issue["_remote_links"].Items()) if (link is JsonObject) add(JiraTables.RemoteLinks, RemoteLink(key, link));
    }

    private object?[] Issue(JsonObject issue, string key, JsonObject f)
    {
        var first = Sla(f[fields["first_response"]]);
        var resolution = Sla(f[fields["time_to_resolution"]]);
        var request = f[fields["request"]];
        return
        [
            key, issue["id"].Text(), $"https://{domain ?? UnknownDomain}/browse/{key}", f["summary"].Text(), JiraText.Adf(f["description"]), f["issuetype"].At("name").Text(),
            f["status"].At("name").Text(), f["status"].At("statusCategory", "name").Text(), f["priority"].At("name").Text(), f["resolution"].At("name").Text(),
            f["project"].At("key").Text(), f["project"].At("name").Text(), Email(f["creator"]), Name(f["creator"]), Email(f["reporter"]), Name(f["reporter"]),
            Email(f["assignee"]), Name(f["assignee"]), JiraText.Moment(f["created"]), JiraText.Moment(f["updated"]), JiraText.Moment(f["resolutiondate"]), f["duedate"].Text(),
            JiraText.PlainJson(f["labels"].Items().Select(label => label.Text())), (long)f["attachment"].Items().Count, f["comment"].At("total").Number() ?? 0L,
            (long)f["issuelinks"].Items().Count, request.At("requestType", "name").Text(), request.At("currentStatus", "status").Text(), JiraText.Option(f[fields["severity"]]),
            JiraText.Options(f[fields["triage"]]), JiraText.Options(f[fields["configuration_item"]]),
            JiraText.PlainJson(f[fields["participants"]].Items().Select(Email)), JiraText.Options(f[fields["organizations"]]), JiraText.Option(f[fields["spam"]]),
            JiraText.Adf(f[fields["context"]]) is { Length: > 0 } context ? context : null, f[fields["custom_url"]].Text(), JiraText.Option(f[fields["slack_link"]]),
            JiraText.Option(f[fields["technical_issue_category"]]), JiraText.Option(f[fields["email_address"]]), f[fields["satisfaction"]].At("rating").Number(),
            first.Breached, first.Goal, first.Elapsed, resolution.Breached, resolution.Goal, resolution.Elapsed, JiraText.Option(f[fields["l3_team"]]),
            issue["_synced_at"].Text(), $"{key}.json",
        ];
    }

    private static object?[] Comment(string key, JsonNode comment) =>
    [
        comment["id"].Text(), key, Email(comment["author"]), Name(comment["author"]), JiraText.Adf(comment["body"]), JiraText.Moment(comment["created"]),
        JiraText.Moment(comment["updated"]), Email(comment["updateAuthor"]),
    ];

    private object?[] Attachment(string key, JsonNode attachment)
    {
        var name = JiraAttachment.FileName(attachment["id"].Text(), attachment["filename"].Text());
        var path = name is null ? null : Path.Combine(attachments, key, name);
        var isThere = path is not null && File.Exists(path);
        return
        [
            attachment["id"].Text(), key, attachment["filename"].Text(), isThere ? path : null, isThere ? JiraAttachment.Hierarchical(key, name!) : null,
            attachment["size"].Number(), attachment["mimeType"].Text(), Email(attachment["author"]), JiraText.Moment(attachment["created"]), attachment["content"].Text(),
            attachment["thumbnail"].Text(),
        ];
    }

    private static object?[] Change(string key, JsonNode history, JsonNode item) =>
    [
        history["id"].Text(), key, Email(history["author"]), Name(history["author"]), item["field"].Text(), item["fieldtype"].Text(), item["fromString"].Text(),
        item["toString"].Text(), JiraText.Moment(history["created"]),
    ];

    private static object?[] Link(string key, JsonNode link, JsonObject other, bool isInward) =>
    [
        key, link["id"].Text(), link["type"].At("name").Text(), isInward ? "inward" : "outward", other["key"].Text(), other["fields"].At("summary").Text(),
        other["fields"].At("status", "name").Text(), other["fields"].At("priority", "name").Text(),
    ];

    private static object?[] RemoteLink(string key, JsonNode link) =>
    [
        key, link["id"].Text(), link["object"].At("url").Text(), link["object"].At("title").Text(), link["application"].At("name").Text(), link["application"].At("type").Text(),
    ];

    private static string? Email(JsonNode? person) => person.At("emailAddress").Text();

    private static string? Name(JsonNode? person) => person.At("displayName").Text();

    private static (string? Breached, long? Goal, long? Elapsed) Sla(JsonNode? sla)
    {
        if (sla is not JsonObject known || known.ContainsKey("errorMessage")) return default;
        var cycle = known["ongoingCycle"] as JsonObject ?? known["completedCycles"].Items().LastOrDefault() as JsonObject;
        return cycle is null ? default : (cycle["breached"].Text(), cycle["goalDuration"].At("millis").Number(), cycle["elapsedTime"].At("millis").Number());
    }
}
