using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>An issue as JSON: for one of the accounts, in one version of the API.</summary>
internal sealed class IssueView(JiraSite site, Viewer viewer)
{
    public const int WindowComments = 100;
    public const int WindowHistories = 100;
    public const int WindowWorklogs = 20;

    /// <summary>3 has texts as documents, 2 as wiki text.</summary>
    public int Version { get; init; } = 3;

    /// <summary>How many comments are inside an issue.</summary>
    public int WindowMax { get; init; } = WindowComments;

    /// <summary>How many entries of the changelog are inside an issue.</summary>
    public int HistoriesMax { get; init; } = WindowHistories;

    public EmbeddedComments Comments { get; init; } = EmbeddedComments.Window;

    private string Api => $"{site.Address}/rest/api/{Version}";

    public JsonObject Show(Issue issue, FieldChoice choice, IReadOnlyCollection<string> expand)
    {
        var json = new JsonObject
        {
            ["expand"] = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            ["id"] = Text(issue.Id),
            ["self"] = $"{Api}/issue/{issue.Id}",
            ["key"] = site.KeyOf(issue.Outline),
        };
        if (expand.Contains("changelog")) json["changelog"] = Changelog(issue);
        if (!choice.IsKeyOnly) json["fields"] = Fields(issue, choice);
        if (expand.Contains("renderedFields")) json["renderedFields"] = Rendered(issue, choice);
        return json;
    }

    /// <summary>What events of comments bear of their issue.</summary>
    public JsonObject Thin(Issue issue) => new()
    {
        ["id"] = Text(issue.Id),
        ["self"] = $"{Api}/issue/{issue.Id}",
        ["key"] = site.KeyOf(issue.Outline),
        ["fields"] = Fields(issue, new FieldChoice(["summary,issuetype,project,assignee,priority,status"], isAllByDefault: false)),
    };

    public JsonObject Comment(Issue issue, Comment comment, bool isRendered = false)
    {
        var json = new JsonObject
        {
            ["self"] = $"{Api}/issue/{issue.Id}/comment/{comment.Id}",
            ["id"] = Text(comment.Id),
            ["author"] = Catalog.User(comment.Author),
            ["body"] = Written(comment.Body),
            ["updateAuthor"] = Catalog.User(comment.UpdateAuthor),
            ["created"] = SiteTime.Write(comment.Created),
            ["updated"] = SiteTime.Write(comment.Updated),
        };
        if (site.Shape.Projects[issue.Project].IsServiceDesk) json["jsdPublic"] = comment.Author.Type == "customer" || comment.Id % 3 != 0;
        if (isRendered) json["renderedBody"] = Adf.Html(comment.Body);
        return json;
    }

    public static JsonObject History(History history) => new()
    {
        ["id"] = Text(history.Id),
        ["author"] = Catalog.User(history.Author),
        ["created"] = SiteTime.Write(history.Created),
        ["items"] = Items(history),
    };

    public static JsonArray Items(History history) => new([.. history.Items.Select(item => (JsonNode)new JsonObject
    {
        ["field"] = item.Field,
        ["fieldtype"] = item.FieldType,
        ["fieldId"] = item.FieldId,
        ["from"] = item.From,
        ["fromString"] = item.FromText,
        ["to"] = item.To,
        ["toString"] = item.ToText,
    })]);

    public JsonObject Worklog(Issue issue, Worklog worklog) => new()
    {
        ["self"] = $"{Api}/issue/{issue.Id}/worklog/{worklog.Id}",
        ["author"] = Catalog.User(worklog.Author),
        ["updateAuthor"] = Catalog.User(worklog.Author),
        ["comment"] = Written(worklog.Comment),
        ["created"] = SiteTime.Write(worklog.Created),
        ["updated"] = SiteTime.Write(worklog.Updated),
        ["started"] = SiteTime.Write(worklog.Started),
        ["timeSpent"] = Duration(worklog.Seconds),
        ["timeSpentSeconds"] = worklog.Seconds,
        ["id"] = Text(worklog.Id),
        ["issueId"] = Text(issue.Id),
    };

    public JsonObject Attachment(Attachment attachment)
    {
        var json = new JsonObject
        {
            ["self"] = $"{Api}/attachment/{attachment.Id}",
            ["id"] = Text(attachment.Id),
            ["filename"] = attachment.Name,
            ["author"] = Catalog.User(attachment.Author),
            ["created"] = SiteTime.Write(attachment.Created),
            ["size"] = attachment.Size,
            ["mimeType"] = attachment.MimeType,
            ["content"] = $"{Api}/attachment/content/{attachment.Id}",
        };
        var isImage = attachment.MimeType.StartsWith("image/", StringComparison.Ordinal);
        if (isImage) json["thumbnail"] = $"{Api}/attachment/thumbnail/{attachment.Id}";
        return json;
    }

    public JsonArray RemoteLinks(Issue issue, string? globalId) => new([.. issue.RemoteLinks
        .Where(link => globalId is null || link.GlobalId == globalId)
        .Select(link => (JsonNode)new JsonObject
        {
            ["id"] = link.Id,
            ["self"] = $"{Api}/issue/{issue.Id}/remotelink/{link.Id}",
            ["globalId"] = link.GlobalId,
            ["application"] = new JsonObject { ["type"] = link.ApplicationType, ["name"] = link.ApplicationName },
            ["relationship"] = "mentioned in",
            ["object"] = new JsonObject
            {
                ["url"] = link.Address,
                ["title"] = link.Title,
                ["icon"] = new JsonObject(),
                ["status"] = new JsonObject { ["icon"] = new JsonObject() },
            },
        })]);

    /// <summary>Inside an issue the newest changes come first, as the documentation of <c>expand=changelog</c> says.</summary>
    private JsonObject Changelog(Issue issue)
    {
        var shown = issue.Histories.AsEnumerable().Reverse().Take(HistoriesMax).Select(history => (JsonNode)History(history));
        return new JsonObject
        {
            ["startAt"] = 0,
            ["maxResults"] = Math.Min(HistoriesMax, issue.Histories.Count),
            ["total"] = issue.Histories.Count,
            ["histories"] = new JsonArray([.. shown]),
        };
    }

    private JsonObject Fields(Issue issue, FieldChoice choice)
    {
        var fields = new JsonObject();
        foreach (var (id, value) in issue.Fields)
        {
            if (choice.Includes(id)) fields[id] = id is "description" or "customfield_10330" ? Written(value) : value?.DeepClone();
        }

        void Add(string id, Func<JsonNode?> value)
        {
            if (choice.Includes(id)) fields[id] = value();
        }

        Add("project", () => Project(issue.Project));
        Add("created", () => SiteTime.Write(issue.Created));
        Add("updated", () => SiteTime.Write(issue.Updated));
        Add("attachment", () => new JsonArray([.. issue.Attachments.Select(one => (JsonNode)Attachment(one))]));
        Add("issuelinks", () => Links(issue));
        Add("worklog", () => Worklogs(issue));
        Add("timetracking", () => TimeTracking(issue));
        Add("timespent", () => issue.Worklogs.Count == 0 ? null : issue.Worklogs.Sum(one => one.Seconds));
        if (Comments != EmbeddedComments.Absent) Add("comment", () => CommentWindow(issue));
        foreach (var empty in (string[])["components", "fixVersions", "versions", "subtasks"]) Add(empty, () => new JsonArray());
        foreach (var nothing in (string[])["environment", "security", "lastViewed"]) Add(nothing, () => null);
        Add("workratio", () => -1);
        Add("votes", () => new JsonObject { ["self"] = $"{Api}/issue/{issue.Id}/votes", ["votes"] = 0, ["hasVoted"] = false });
        Add("watches", () => new JsonObject { ["self"] = $"{Api}/issue/{issue.Id}/watchers", ["watchCount"] = 1, ["isWatching"] = false });
        Add(Sla.FirstResponseField, () => Sla.FirstResponse(site, issue, viewer));
        Add(Sla.ResolutionField, () => Sla.Resolution(site, issue, viewer));
        return fields;
    }

    private JsonObject Rendered(Issue issue, FieldChoice choice)
    {
        var rendered = new JsonObject();
        foreach (var (id, value) in issue.Fields)
        {
            var isText = id is "description" or "customfield_10330" && value is not null;
            if (choice.Includes(id)) rendered[id] = isText ? Adf.Html(value) : null;
        }

        if (choice.Includes("comment"))
        {
            rendered["comment"] = new JsonObject
            {
                ["comments"] = new JsonArray([.. issue.Comments.Take(WindowMax).Select(comment =>
                {
                    var shown = Comment(issue, comment);
                    shown["body"] = Adf.Html(comment.Body);
                    return (JsonNode)shown;
                })]),
                ["maxResults"] = Math.Min(WindowMax, issue.Comments.Count),
                ["total"] = issue.Comments.Count,
                ["startAt"] = 0,
            };
        }

        return rendered;
    }

    private JsonObject CommentWindow(Issue issue)
    {
        var shown = Comments == EmbeddedComments.FrameOnly ? [] : issue.Comments.Take(WindowMax).ToList();
        return new JsonObject
        {
            ["comments"] = new JsonArray([.. shown.Select(comment => (JsonNode)Comment(issue, comment))]),
            ["self"] = $"{Api}/issue/{issue.Id}/comment",
            ["maxResults"] = shown.Count,
            ["total"] = Comments == EmbeddedComments.FrameOnly ? 0 : issue.Comments.Count,
            ["startAt"] = 0,
        };
    }

    private JsonObject Worklogs(Issue issue) => new()
    {
        ["startAt"] = 0,
        ["maxResults"] = WindowWorklogs,
        ["total"] = issue.Worklogs.Count,
        ["worklogs"] = new JsonArray([.. issue.Worklogs.Take(WindowWorklogs).Select(worklog => (JsonNode)Worklog(issue, worklog))]),
    };

    private static JsonObject TimeTracking(Issue issue)
    {
        var seconds = issue.Worklogs.Sum(worklog => worklog.Seconds);
        return seconds == 0 ? [] : new JsonObject { ["timeSpent"] = Duration(seconds), ["timeSpentSeconds"] = seconds };
    }

    private JsonArray Links(Issue issue)
    {
        var links = new JsonArray();
        foreach (var link in issue.Links)
        {
            if (site.BriefOf(link.Other) is not { } other) continue; // a link goes with the issue on its other side
            links.Add(new JsonObject
            {
                ["id"] = Text(link.Id),
                ["self"] = $"{Api}/issueLink/{link.Id}",
                ["type"] = new JsonObject
                {
                    ["id"] = link.Type.Id,
                    ["name"] = link.Type.Name,
                    ["inward"] = link.Type.Inward,
                    ["outward"] = link.Type.Outward,
                    ["self"] = $"{Api}/issueLinkType/{link.Type.Id}",
                },
                [link.IsOutward ? "outwardIssue" : "inwardIssue"] = other,
            });
        }

        return links;
    }

    internal JsonObject Project(int index)
    {
        var project = site.Shape.Projects[index];
        return new JsonObject
        {
            ["self"] = $"{Api}/project/{10_000 + index}",
            ["id"] = Text(10_000 + index),
            ["key"] = project.Key,
            ["name"] = project.Name,
            ["projectTypeKey"] = project.Type,
            ["simplified"] = false,
        };
    }

    private JsonNode? Written(JsonNode? document) => document is null || Version >= 3 ? document?.DeepClone() : Adf.Wiki(document);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Days of eight hours, as a site has them by default.</summary>
    private static string Duration(int seconds)
    {
        var parts = new[] { (seconds / 28_800, "d"), (seconds % 28_800 / 3_600, "h"), (seconds % 3_600 / 60, "m") };
        return string.Join(' ', parts.Where(part => part.Item1 > 0).Select(part => $"{part.Item1}{part.Item2}"));
    }
}
