using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>What a change led to.</summary>
/// <param name="Key">The issue's key after it.</param>
/// <param name="Id">Of the comment, attachment, link or worklog that was made or changed.</param>
/// <param name="Events">What Jira posts for it, in the order of their happening.</param>
public sealed record Outcome(string Key, string? Id, IReadOnlyList<WebhookEvent> Events);

public sealed partial class JiraSite
{
    private long _nextId = 4_000_000_000; // beyond every id that the seed gives

    /// <summary>Everybody there is; changes are made by one of them.</summary>
    public static IReadOnlyList<Person> People => Catalog.People;

    /// <param name="fields">More values by their field's id, as version 3 of the API takes them.</param>
    public Outcome Create(
        string projectKey, string summary, JsonObject? description = null, IReadOnlyDictionary<string, JsonNode?>? fields = null)
    {
        lock (_gate)
        {
            var project = ProjectOf(projectKey);
            if (project < 0) throw new KeyNotFoundException($"No project {projectKey}");
            var (number, at) = (_count++, Tick());
            var issue = new Issue
            {
                Number = number,
                Project = project,
                KeyNumber = ++_keyNumbers[project],
                Created = at,
                Updated = at,
                Fields = NewFields(summary, description, fields, Shape.Projects[project].IsServiceDesk),
            };
            _changed[number] = issue;
            _numbers[KeyOf(issue.Outline)] = number;
            return Done(issue, null, [OfIssue("jira:issue_created", "issue_created", issue, at, null)]);
        }
    }

    public Outcome Update(string idOrKey, string field, JsonNode? value) =>
        Update(idOrKey, new Dictionary<string, JsonNode?>(StringComparer.Ordinal) { [field] = value });

    /// <summary>Sets fields as they come, also to values of another type than before.</summary>
    public Outcome Update(string idOrKey, IReadOnlyDictionary<string, JsonNode?> fields) => Change(idOrKey, (issue, at) =>
    {
        var items = fields.Select(field => Set(issue, field.Key, field.Value)).ToList();
        var kind = fields.Count == 1 && fields.ContainsKey("assignee") ? "issue_assigned" : "issue_updated";
        return (null, [Changed(issue, kind, at, items)]);
    });

    public Outcome Assign(string idOrKey, Person? person) => Update(idOrKey, "assignee", person is null ? null : Catalog.User(person));

    /// <param name="status">The name of one of the states; a state of the category done sets the resolution, another one takes it
    /// away.</param>
    public Outcome Transition(string idOrKey, string status) => Change(idOrKey, (issue, at) =>
    {
        var next = Catalog.Statuses.First(known => known.Name == status);
        var items = new List<Change>();
        var isDone = next.CategoryKey == "done";
        if (isDone != issue.Fields["resolution"] is not null)
        {
            items.Add(Set(issue, "resolution", isDone ? Catalog.Named(Catalog.Resolutions[0]) : null));
            issue.Fields["resolutiondate"] = isDone ? SiteTime.Write(at) : null;
        }

        items.Add(Set(issue, "status", Catalog.Status(next)));
        return (null, [Changed(issue, "issue_generic", at, items)]);
    });

    public Outcome AddComment(string idOrKey, string text) => AddComment(idOrKey, Adf.Document(text));

    public Outcome AddComment(string idOrKey, JsonObject document) => Change(idOrKey, (issue, at) =>
    {
        var comment = new Comment(_nextId++, Actor(at), document, at);
        issue.Comments.Add(comment);
        return ($"{comment.Id}", OfComment("comment_created", "issue_commented", issue, comment, at));
    });

    public Outcome EditComment(string idOrKey, string commentId, string text) => Change(idOrKey, (issue, at) =>
    {
        var index = Find(issue.Comments, commentId, comment => comment.Id);
        issue.Comments[index] = issue.Comments[index] with { Body = Adf.Document(text), Updated = at, UpdateAuthor = Actor(at) };
        return (commentId, OfComment("comment_updated", "issue_comment_edited", issue, issue.Comments[index], at));
    });

    public Outcome DeleteComment(string idOrKey, string commentId) => Change(idOrKey, (issue, at) =>
    {
        var index = Find(issue.Comments, commentId, one => one.Id);
        var comment = issue.Comments[index];
        issue.Comments.RemoveAt(index);
        return (commentId, OfComment("comment_deleted", "issue_comment_deleted", issue, comment, at));
    });

    public Outcome AddAttachment(string idOrKey, string name, string mimeType, byte[] bytes) =>
        AddAttachment(idOrKey, name, mimeType, bytes.Length, bytes, bytes.Length);

    /// <summary>An attachment whose bytes are made while they are downloaded, so that it may be as large as a test likes.</summary>
    /// <param name="sizeSaid">What its metadata say, where that is not the truth.</param>
    public Outcome AddAttachment(string idOrKey, string name, string mimeType, long length, long? sizeSaid = null) =>
        AddAttachment(idOrKey, name, mimeType, sizeSaid ?? length, null, length);

    public Outcome DeleteAttachment(string idOrKey, string attachmentId) => Change(idOrKey, (issue, at) =>
    {
        var index = Find(issue.Attachments, attachmentId, one => one.Id);
        var attachment = issue.Attachments[index];
        issue.Attachments.RemoveAt(index);
        return (attachmentId,
        [
            OfAttachment("attachment_deleted", issue, attachment, at, isPrimary: true),
            Changed(issue, "issue_updated", at,
                [new Change("Attachment", "jira", "attachment", attachmentId, attachment.Name, null, null)]),
        ]);
    });

    /// <param name="type">The name of a kind of link: Blocks, Duplicate or Relates; <paramref name="from"/> is its outward side.</param>
    public Outcome Link(string from, string to, string type = "Blocks")
    {
        lock (_gate)
        {
            var kind = Catalog.LinkTypes.First(known => known.Name == type);
            var (source, target, at) = (Keep(from), Keep(to), Tick());
            var id = _nextId++;
            source.Links.Add(new IssueLink(id, kind, target.Number, IsOutward: true));
            target.Links.Add(new IssueLink(id, kind, source.Number, IsOutward: false));
            var (sourceKey, targetKey) = (KeyOf(source.Outline), KeyOf(target.Outline));
            var events = new List<WebhookEvent>
            {
                OfLink("issuelink_created", id, kind, source, target, at, isPrimary: true),
                Changed(source, "issue_updated", at,
                    [new Change("Link", "jira", "issuelinks", null, null, targetKey, $"This issue {kind.Outward} {targetKey}")]),
                Changed(target, "issue_updated", at,
                    [new Change("Link", "jira", "issuelinks", null, null, sourceKey, $"This issue {kind.Inward} {sourceKey}")]),
            };
            Index.Record(target.Outline);
            return Done(source, $"{id}", events);
        }
    }

    public Outcome Unlink(string idOrKey, string linkId)
    {
        lock (_gate)
        {
            var source = Keep(idOrKey);
            var index = Find(source.Links, linkId, link => link.Id);
            var link = source.Links[index];
            var (target, at) = (Keep($"{Issue.FirstId + link.Other}"), Tick());
            source.Links.RemoveAt(index);
            target.Links.RemoveAll(other => other.Id == link.Id);
            var (outer, inner) = link.IsOutward ? (source, target) : (target, source);
            var events = new List<WebhookEvent> { OfLink("issuelink_deleted", link.Id, link.Type, outer, inner, at, isPrimary: true) };
            foreach (var (issue, other) in ((Issue, Issue)[])[(source, target), (target, source)])
            {
                var key = KeyOf(other.Outline);
                events.Add(Changed(issue, "issue_updated", at,
                    [new Change("Link", "jira", "issuelinks", key,
                        $"This issue {(issue == outer ? link.Type.Outward : link.Type.Inward)} {key}", null, null)]));
            }

            Index.Record(target.Outline);
            return Done(source, linkId, events);
        }
    }

    public Outcome AddWorklog(string idOrKey, int seconds, string text) => Change(idOrKey, (issue, at) =>
    {
        var before = issue.Worklogs.Sum(one => one.Seconds);
        var worklog = new Worklog(_nextId++, Actor(at), Adf.Document(text), at - (seconds * 1_000L), seconds, at);
        issue.Worklogs.Add(worklog);
        return ($"{worklog.Id}", OfWorklog("worklog_created", "issue_work_logged", issue, worklog, before, at));
    });

    public Outcome DeleteWorklog(string idOrKey, string worklogId) => Change(idOrKey, (issue, at) =>
    {
        var before = issue.Worklogs.Sum(one => one.Seconds);
        var index = Find(issue.Worklogs, worklogId, one => one.Id);
        var worklog = issue.Worklogs[index];
        issue.Worklogs.RemoveAt(index);
        return (worklogId, OfWorklog("worklog_deleted", "issue_worklog_deleted", issue, worklog, before, at));
    });

    /// <summary>Jira posts nothing for it, and the issue's time of change stays: whoever wants these links has to ask for them.</summary>
    public Outcome AddRemoteLink(string idOrKey, string address, string title)
    {
        lock (_gate)
        {
            var issue = Keep(idOrKey);
            var id = 90_000 + (int)(_nextId++ % 1_000_000_000);
            issue.RemoteLinks.Add(new RemoteLink(id, $"test={id}", address, title, "Example", "com.example.links"));
            return new Outcome(KeyOf(issue.Outline), $"{id}", []);
        }
    }

    /// <summary>Into another project: the key changes, the id stays, and the old key still leads to the issue.</summary>
    public Outcome Move(string idOrKey, string projectKey) => Change(idOrKey, (issue, at) =>
    {
        var project = ProjectOf(projectKey);
        if (project < 0) throw new KeyNotFoundException($"No project {projectKey}");
        var (before, fromKey) = (issue.Project, KeyOf(issue.Outline));
        _numbers[fromKey] = issue.Number;
        issue.Project = project;
        issue.KeyNumber = ++_keyNumbers[project];
        var key = KeyOf(issue.Outline);
        _numbers[key] = issue.Number;
        return (null,
        [
            Changed(issue, "issue_moved", at,
            [
                new Change("project", "jira", "project", $"{10_000 + before}", Shape.Projects[before].Name, $"{10_000 + project}",
                    Shape.Projects[project].Name),
                new Change("Key", "jira", "", null, fromKey, null, key),
            ]),
        ]);
    });

    /// <summary>The issue goes; the events of what goes with it are secondary.</summary>
    public Outcome Delete(string idOrKey)
    {
        lock (_gate)
        {
            var (issue, at) = (Keep(idOrKey), Tick());
            var key = KeyOf(issue.Outline);
            var events = new List<WebhookEvent> { OfIssue("jira:issue_deleted", null, issue, at, null) };
            events.AddRange(issue.Comments.Select(comment => OfComment("comment_deleted", issue, comment, at, isPrimary: false)));
            events.AddRange(issue.Attachments
                .Select(attachment => OfAttachment("attachment_deleted", issue, attachment, at, isPrimary: false)));
            foreach (var link in issue.Links)
            {
                if (Known(link.Other) is not { } other) continue;
                var (outer, inner) = link.IsOutward ? (issue, other) : (other, issue);
                events.Add(OfLink("issuelink_deleted", link.Id, link.Type, outer, inner, at, isPrimary: false));
            }

            _gone.Add(issue.Number);
            Index.Record(issue.Outline with { IsGone = true });
            return new Outcome(key, null, events);
        }
    }

    private Outcome AddAttachment(string idOrKey, string name, string mimeType, long size, byte[]? bytes, long length) =>
        Change(idOrKey, (issue, at) =>
    {
        var attachment = new Attachment(_nextId++, name, mimeType, size, Actor(at), at, bytes, length);
        issue.Attachments.Add(attachment);
        return ($"{attachment.Id}",
        [
            OfAttachment("attachment_created", issue, attachment, at, isPrimary: true),
            Changed(issue, "issue_updated", at, [new Change("Attachment", "jira", "attachment", null, null, $"{attachment.Id}", name)]),
        ]);
    });

    private Outcome Change(string idOrKey, Func<Issue, long, (string? Id, List<WebhookEvent> Events)> change)
    {
        lock (_gate)
        {
            var issue = Keep(idOrKey);
            var at = Tick();
            issue.Updated = at;
            var (id, events) = change(issue, at);
            return Done(issue, id, events);
        }
    }

    private Outcome Done(Issue issue, string? id, List<WebhookEvent> events)
    {
        Index.Record(issue.Outline);
        return new Outcome(KeyOf(issue.Outline), id, events);
    }

    /// <summary>The issue, which is kept from here on.</summary>
    private Issue Keep(string idOrKey)
    {
        var number = NumberOf(idOrKey) ?? throw new KeyNotFoundException($"No issue {idOrKey}");
        if (!_changed.TryGetValue(number, out var issue)) _changed[number] = issue = _seed.Make(number);
        return issue;
    }

    private Issue? Known(int number) =>
        _gone.Contains(number) ? null : _changed.TryGetValue(number, out var issue) ? issue : _seed.Make(number);

    /// <summary>The time of a change: no two changes of a site have the same one, so that their order is known.</summary>
    private long Tick() => _lastChange = Math.Max(_lastChange + 1, Now.ToUnixTimeMilliseconds());

    private static Person Actor(long at) => Catalog.Staff[(int)(at % Catalog.Staff.Count)];

    private static int Find<T>(List<T> list, string id, Func<T, long> idOf)
    {
        var index = list.FindIndex(one => $"{idOf(one)}" == id);
        return index >= 0 ? index : throw new KeyNotFoundException($"No {typeof(T).Name} {id}");
    }

    private static JsonObject NewFields(string summary, JsonObject? description, IReadOnlyDictionary<string, JsonNode?>? fields,
        bool isServiceDesk)
    {
        var made = new JsonObject
        {
            ["summary"] = summary,
            ["description"] = description,
            ["issuetype"] = Catalog.Named(Catalog.Types[isServiceDesk ? 2 : 0]),
            ["status"] = Catalog.Status(Catalog.Statuses[0]),
            ["priority"] = Catalog.Named(Catalog.Priorities[2]),
            ["resolution"] = null,
            ["resolutiondate"] = null,
            ["creator"] = Catalog.User(Catalog.People[0]),
            ["reporter"] = Catalog.User(Catalog.People[5]),
            ["assignee"] = null,
            ["duedate"] = null,
            ["labels"] = new JsonArray(),
        };
        foreach (var field in Catalog.CustomFields.Where(field => field.Type != "sd-servicelevelagreement")) made[field.Id] = null;
        foreach (var (id, value) in fields ?? new Dictionary<string, JsonNode?>(StringComparer.Ordinal)) made[id] = value?.DeepClone();
        return made;
    }
}
