using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>What every site has: people, types, states, priorities, labels, kinds of links and fields.</summary>
internal static class Catalog
{
    /// <summary>An issue shows dozens of users, and they are always the same few.</summary>
    private static readonly ConcurrentDictionary<Person, JsonElement> Users = new();

    public static readonly IReadOnlyList<Person> People =
    [
        new("5b10a2844c20165700ede211", "Ada Novák", "ada.novak@example.com"),
        new("5b10a2844c20165700ede212", "Björn Lindqvist", "bjorn.lindqvist@example.com"),
        new("5b10a2844c20165700ede213", "Chiara Rossi", "chiara.rossi@example.com"),
        new("5b10a2844c20165700ede214", "Dmitri Ivanov", null),
        new("712020:5d3a0c1e-7f5e-4a55-9d7e-1f2f6a3b4c05", "Emiko Tanaka 田中", "emiko.tanaka@example.com"),
        new("qm:8a1f5a2e:customer-06", "François O’Neil", "francois.oneil@example.org", "customer"),
        new("qm:8a1f5a2e:customer-07", "Gül Yılmaz", "gul.yilmaz@example.org", "customer"),
        new("557058:0867a421-a9ee-4659-801a-bc0ee4a4487e", "Automation", null, "app"),
    ];

    /// <summary>Who may not be asked for a change: customers and programs are reporters only.</summary>
    public static readonly IReadOnlyList<Person> Staff = [.. People.Where(person => person.Type == "atlassian")];

    public static readonly IReadOnlyList<(string Id, string Name, string CategoryKey)> Statuses =
    [
        ("10000", "To Do", "new"),
        ("3", "In Progress", "indeterminate"),
        ("10101", "Waiting for customer", "indeterminate"),
        ("10002", "Done", "done"),
        ("6", "Closed", "done"),
    ];

    public static readonly IReadOnlyList<(string Id, string Name)> Priorities =
        [("1", "Highest"), ("2", "High"), ("3", "Medium"), ("4", "Low"), ("5", "Lowest")];

    public static readonly IReadOnlyList<(string Id, string Name)> Types =
        [("10001", "Task"), ("10004", "Bug"), ("10010", "Service Request"), ("10011", "Incident")];

    public static readonly IReadOnlyList<(string Id, string Name)> Resolutions =
        [("10000", "Done"), ("10001", "Won't Do"), ("10002", "Duplicate")];

    public static readonly IReadOnlyList<string> Labels = ["billing", "žádost", "größe", "重要", "sso", "re:open", "émulateur"];

    public static readonly IReadOnlyList<LinkType> LinkTypes =
        [new("10000", "Blocks", "is blocked by", "blocks"), new("10002", "Duplicate", "is duplicated by", "duplicates"),
            new("10003", "Relates", "relates to", "relates to")];

    /// <summary>The custom fields of the specification: id, name, type as <c>GET field</c> says it, and the type of its items.</summary>
    public static readonly IReadOnlyList<(string Id, string Name, string Type, string? Items)> CustomFields =
    [
        ("customfield_10002", "Organizations", "array", "sd-customerorganization"),
        ("customfield_10004", "Severity", "option", null),
        ("customfield_10010", "Request Type", "sd-customerrequesttype", null),
        ("customfield_10156", "Request participants", "array", "user"),
        ("customfield_10157", "Satisfaction", "sd-feedback", null),
        ("customfield_10161", "Time to resolution", "sd-servicelevelagreement", null),
        ("customfield_10323", "Triage", "array", "option"),
        ("customfield_10325", "Custom URL", "string", null),
        ("customfield_10328", "Time to first response", "sd-servicelevelagreement", null),
        ("customfield_10330", "Context", "string", null),
        ("customfield_10350", "Slack link", "string", null),
        ("customfield_10365", "Spam", "option", null),
        ("customfield_10475", "Email address", "string", null),
        ("customfield_10511", "Configuration item", "array", "option"),
        ("customfield_10676", "Technical issue category", "option", null),
        ("customfield_11831", "L3 team", "option", null),
    ];

    public static readonly IReadOnlyList<(string Id, string Name, string Type)> SystemFields =
    [
        ("summary", "Summary", "string"), ("description", "Description", "string"), ("issuetype", "Issue Type", "issuetype"),
        ("status", "Status", "status"), ("priority", "Priority", "priority"), ("resolution", "Resolution", "resolution"),
        ("resolutiondate", "Resolved", "datetime"), ("project", "Project", "project"), ("creator", "Creator", "user"),
        ("reporter", "Reporter", "user"), ("assignee", "Assignee", "user"), ("created", "Created", "datetime"),
        ("updated", "Updated", "datetime"), ("duedate", "Due date", "date"), ("labels", "Labels", "array"),
        ("attachment", "Attachment", "array"), ("comment", "Comment", "comments-page"), ("worklog", "Log Work", "array"),
        ("issuelinks", "Linked Issues", "array"), ("timetracking", "Time tracking", "timetracking"), ("timespent", "Time Spent", "number"),
    ];

    public static JsonObject Status((string Id, string Name, string CategoryKey) status)
    {
        var (id, color, name) = status.CategoryKey switch
        {
            "new" => (2, "blue-gray", "To Do"),
            "done" => (3, "green", "Done"),
            _ => (4, "yellow", "In Progress"),
        };
        return new JsonObject
        {
            ["description"] = "",
            ["name"] = status.Name,
            ["id"] = status.Id,
            ["statusCategory"] = new JsonObject { ["id"] = id, ["key"] = status.CategoryKey, ["colorName"] = color, ["name"] = name },
        };
    }

    public static JsonObject Named((string Id, string Name) pair) => new() { ["name"] = pair.Name, ["id"] = pair.Id };

    public static JsonObject Option(string value, string id) => new() { ["value"] = value, ["id"] = id };

    /// <summary>A person as other people's fields show one. The mail address is left out where it is hidden, as Jira does.</summary>
    public static JsonObject User(Person person) => JsonObject.Create(Users.GetOrAdd(person, Written))!;

    private static JsonElement Written(Person person)
    {
        var user = new JsonObject
        {
            ["self"] = $"https://example.atlassian.net/rest/api/3/user?accountId={Uri.EscapeDataString(person.AccountId)}",
            ["accountId"] = person.AccountId,
        };
        if (person.Email is not null) user["emailAddress"] = person.Email;
        var avatars = new JsonObject();
        foreach (var size in (string[])["48x48", "24x24", "16x16", "32x32"])
            avatars[size] = $"https://avatars.example.com/{Uri.EscapeDataString(person.AccountId)}/{size}";
        user["avatarUrls"] = avatars;
        user["displayName"] = person.DisplayName;
        user["active"] = true;
        user["timeZone"] = "Europe/Prague";
        user["accountType"] = person.Type;
        return JsonSerializer.SerializeToElement(user);
    }
}
