using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>
/// What people do on a site, by seed: edits, transitions, comments, attachments, links, worklogs, moves, new and deleted issues. Equal
/// seeds on equal sites with equal clocks do the same.
/// </summary>
/// <param name="busiest">How many of the site's issues are worked on: few issues mean many changes of each.</param>
public sealed class SiteLife(JiraSite site, long seed, int busiest = 200)
{
    private readonly List<string> _ids =
        [.. Enumerable.Range(0, Math.Min(busiest, site.Shape.Issues)).Select(number => $"{Issue.FirstId + number}")];
    private Dice _dice = new(seed, 0, 0);

    /// <summary>One change, with its events.</summary>
    public Outcome Next()
    {
        var what = _dice.Below(100);
        if (_ids.Count < 2 || what < 8) return Create();
        var id = _dice.Of(_ids);
        return what switch
        {
            < 30 => site.Update(id, "summary", $"Changed {_dice.Below(1_000_000)} – größe"),
            < 38 => site.Update(id, "labels", new JsonArray(_dice.Of(Catalog.Labels), "again")),
            < 44 => site.Update(id, "customfield_10004", _dice.OneIn(3) ? null : Catalog.Option($"Severity {1 + _dice.Below(4)}", "10100")),
            < 52 => site.Transition(id, _dice.Of(Catalog.Statuses).Name),
            < 56 => site.Assign(id, _dice.OneIn(4) ? null : _dice.Of(Catalog.Staff)),
            < 74 => site.AddComment(id, $"Comment {_dice.Below(1_000_000)} – žádost"),
            < 80 => OfComment(id, comment => site.EditComment(id, comment, $"Edited {_dice.Below(1_000_000)}")),
            < 84 => OfComment(id, comment => site.DeleteComment(id, comment)),
            < 87 => site.AddAttachment(id, $"file {_dice.Below(1_000)}.txt", "text/plain", _dice.Below(4_096)),
            < 89 => OfAttachment(id),
            < 92 => site.Link(id, Other(id), _dice.Of(Catalog.LinkTypes).Name),
            < 95 => site.AddWorklog(id, 900 * (1 + _dice.Below(8)), "worked"),
            < 97 => site.Move(id, OtherProject(id)),
            _ => Delete(id),
        };
    }

    private Outcome Create()
    {
        var outcome = site.Create(_dice.Of(site.Shape.Projects).Key, $"New {_dice.Below(1_000_000)} – 重要",
            Adf.Document($"About {_dice.Below(1_000)}"));
        _ids.Add((string)outcome.Events[0].Json["issue"]!["id"]!);
        return outcome;
    }

    private Outcome Delete(string id)
    {
        _ids.Remove(id);
        return site.Delete(id);
    }

    private Outcome OfComment(string id, Func<string, Outcome> change) => site.CommentIds(id) is { Count: > 0 } comments
        ? change(_dice.Of(comments)) : site.AddComment(id, "the first one");

    private Outcome OfAttachment(string id) => site.AttachmentIds(id) is { Count: > 0 } attachments
        ? site.DeleteAttachment(id, _dice.Of(attachments)) : site.AddAttachment(id, "first.txt", "text/plain", 10);

    private string OtherProject(string id)
    {
        var key = site.KeyOf(id)!;
        var own = site.Shape.Projects.First(project => key.StartsWith($"{project.Key}-", StringComparison.Ordinal));
        return _dice.Of([.. site.Shape.Projects.Where(project => project != own).DefaultIfEmpty(own)]).Key;
    }

    private string Other(string id)
    {
        var other = _dice.Of(_ids);
        return other == id ? _ids[(_ids.IndexOf(id) + 1) % _ids.Count] : other;
    }
}

public sealed partial class JiraSite
{
    /// <summary>The ids of an issue's comments, oldest first.</summary>
    public IReadOnlyList<string> CommentIds(string idOrKey) => Read(idOrKey, issue => issue.Comments.ConvertAll(one => Text(one.Id))) ?? [];

    public IReadOnlyList<string> AttachmentIds(string idOrKey) =>
        Read(idOrKey, issue => issue.Attachments.ConvertAll(one => Text(one.Id))) ?? [];

    public IReadOnlyList<string> WorklogIds(string idOrKey) => Read(idOrKey, issue => issue.Worklogs.ConvertAll(one => Text(one.Id))) ?? [];

    public IReadOnlyList<string> LinkIds(string idOrKey) => Read(idOrKey, issue => issue.Links.ConvertAll(one => Text(one.Id))) ?? [];
}
