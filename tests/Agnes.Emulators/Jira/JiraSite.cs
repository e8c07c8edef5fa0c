using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>
/// A Jira site: its issues, made by seed and kept only where they were changed, and what happens to them. Every change gives the events
/// that Jira Cloud would post for it. All of it may be called from any thread.
/// </summary>
public sealed partial class JiraSite
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly IssueSeed _seed;
    private readonly Dictionary<int, Issue> _changed = [];
    private readonly HashSet<int> _gone = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.OrdinalIgnoreCase);
    private readonly int[] _keyNumbers;
    private int _count;
    private long _lastChange;

    public JiraSite(SiteShape? shape = null, TimeProvider? time = null)
    {
        Shape = shape ?? new SiteShape();
        _time = time ?? TimeProvider.System;
        _seed = new IssueSeed(Shape);
        _count = Shape.Issues;
        _lastChange = Shape.End.ToUnixTimeMilliseconds(); // a clock that is behind changes nothing before it
        _keyNumbers = [.. Shape.Projects.Select((_, index) => GeneratedIn(index))];
        Index = new SearchIndex(this);
    }

    public SiteShape Shape { get; }

    /// <summary>Without a slash at its end; what fields named <c>self</c> and <c>content</c> begin with.</summary>
    public string Address { get; set; } = "https://example.atlassian.net";

    /// <summary>How far the site's clock is ahead of the one it was given.</summary>
    public TimeSpan Ahead { get; set; }

    public DateTimeOffset Now => _time.GetUtcNow() + Ahead;

    /// <summary>
    /// How long after a write the search shows it. Jira's documentation of <c>search/jql</c>: recent updates might not be immediately
    /// visible, and <c>reconcileIssues</c> gives stronger consistency for the issues that it names.
    /// </summary>
    public TimeSpan SearchLag { get; set; }

    /// <summary>How texts are written in webhooks' bodies.</summary>
    public WebhookTexts Texts { get; set; }

    /// <summary>What of an issue's comments the events of the issue itself bear.</summary>
    public EmbeddedComments EmbeddedComments { get; set; }

    /// <summary>Whether a comment also raises <c>jira:issue_updated</c> beside the event of its own.</summary>
    public bool CommentsUpdateIssue { get; set; } = true;

    /// <summary>Issues that the personal account may not see; Jira answers as if there were none.</summary>
    public ISet<string> Hidden { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Issues that there are now.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _count - _gone.Count;
        }
    }

    /// <summary>Issues that are kept, since something happened to them; the others are made when somebody looks.</summary>
    public int Kept
    {
        get
        {
            lock (_gate) return _changed.Count;
        }
    }

    /// <summary>
    /// Has the search miss an issue for a while. Its index is not monotonic: what it has shown once may be missing from it again under
    /// load, as the live tests of jira.js found.
    /// </summary>
    public void LoseFromSearch(string idOrKey, TimeSpan time) =>
        Index.Lose(NumberOf(idOrKey) ?? throw new KeyNotFoundException($"No issue {idOrKey}"), Now + time);

    /// <summary>The search shows everything that was written until now.</summary>
    public void CatchUp() => Index.CatchUp();

    internal SearchIndex Index { get; }

    internal IssueSeed Seed => _seed;

    internal Lock Gate => _gate;

    /// <summary>The keys of all issues that there are, by the order of their creation.</summary>
    public IReadOnlyList<string> Keys()
    {
        lock (_gate)
        {
            return [.. Enumerable.Range(0, _count).Where(number => !_gone.Contains(number)).Select(number => KeyOf(OutlineOf(number)))];
        }
    }

    /// <summary>
    /// An issue as the API shows it now with every field, its changelog, and all of its comments; null where there is none.
    /// </summary>
    /// <param name="idOrKey">Keys that an issue had before it moved still lead to it.</param>
    public JsonObject? Show(string idOrKey, Viewer viewer = Viewer.Personal) =>
        Read(idOrKey, issue =>
            new IssueView(this, viewer) { WindowMax = int.MaxValue, HistoriesMax = int.MaxValue }.Show(issue, FieldChoice.All,
            ["changelog"]));

    /// <summary>The links to other systems as <c>remotelink</c> answers them.</summary>
    public JsonArray? ShowRemoteLinks(string idOrKey) =>
        Read(idOrKey, issue => new IssueView(this, Viewer.Personal).RemoteLinks(issue, null));

    public string? KeyOf(string idOrKey) => Read(idOrKey, issue => KeyOf(issue.Outline));

    internal string KeyOf(Outline outline) =>
        string.Create(CultureInfo.InvariantCulture, $"{Shape.Projects[outline.Project].Key}-{outline.KeyNumber}");

    /// <summary>Shows an issue of which nothing changes meanwhile; null where there is none.</summary>
    internal T? Read<T>(string idOrKey, Func<Issue, T> show) where T : class
    {
        int number;
        lock (_gate)
        {
            if (NumberOf(idOrKey) is not { } found) return null;
            number = found;
            if (_changed.TryGetValue(number, out var changed)) return show(changed);
        }

        return show(_seed.Make(number)); // made anew for this reader, so nobody else can change it
    }

    internal T? Read<T>(int number, Func<Issue, T> show) where T : class =>
        Read(string.Create(CultureInfo.InvariantCulture, $"{Issue.FirstId + number}"), show);

    /// <summary>The issue's number; null where there is none, or none any more.</summary>
    internal int? NumberOf(string idOrKey)
    {
        lock (_gate)
        {
            return FindNumber(idOrKey) is { } number && number < _count && !_gone.Contains(number) ? number : null;
        }
    }

    /// <summary>What there is now, whatever the search knows.</summary>
    internal Outline OutlineOf(int number)
    {
        lock (_gate)
        {
            if (_changed.TryGetValue(number, out var issue)) return issue.Outline with { IsGone = _gone.Contains(number) };
            return _seed.OutlineOf(number) with { IsGone = _gone.Contains(number) };
        }
    }

    /// <summary>Numbers given so far: those of issues that were deleted among them.</summary>
    internal int Numbers
    {
        get
        {
            lock (_gate) return _count;
        }
    }

    internal Attachment? FindAttachment(string id)
    {
        if (!long.TryParse(id, CultureInfo.InvariantCulture, out var number)) return null;
        lock (_gate)
        {
            foreach (var issue in _changed.Values)
            {
                if (!_gone.Contains(issue.Number) && issue.Attachments.Find(one => one.Id == number) is { } kept) return kept;
            }

            var owner = (number - IssueSeed.AttachmentId(0, 0)) / 10;
            if (owner < 0 || owner >= Shape.Issues || _changed.ContainsKey((int)owner) || _gone.Contains((int)owner)) return null;
            return _seed.Make((int)owner).Attachments.Find(one => one.Id == number);
        }
    }

    private int? FindNumber(string idOrKey)
    {
        if (long.TryParse(idOrKey, CultureInfo.InvariantCulture, out var id))
            return id is >= Issue.FirstId and < Issue.FirstId + int.MaxValue ? (int)(id - Issue.FirstId) : null;
        if (_numbers.TryGetValue(idOrKey, out var given)) return given;
        var dash = idOrKey.LastIndexOf('-');
        if (dash <= 0 || !int.TryParse(idOrKey.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture,
            out var keyNumber)) return null;
        var project = ProjectOf(idOrKey[..dash]);
        if (project < 0 || keyNumber < 1 || keyNumber > GeneratedIn(project)) return null;
        return ((keyNumber - 1) * Shape.Projects.Count) + project;
    }

    internal int ProjectOf(string key)
    {
        for (var i = 0; i < Shape.Projects.Count; i++)
        {
            if (string.Equals(Shape.Projects[i].Key, key, StringComparison.OrdinalIgnoreCase)) return i;
        }

        return -1;
    }

    private int GeneratedIn(int project) =>
        (Shape.Issues / Shape.Projects.Count) + (project < Shape.Issues % Shape.Projects.Count ? 1 : 0);
}

/// <summary>Whose eyes an issue is seen with.</summary>
public enum Viewer
{
    /// <summary>Sees SLA fields as an error or as null.</summary>
    Personal,

    /// <summary>The account for service levels: sees them whole.</summary>
    Service,
}

/// <summary>How webhooks write texts.</summary>
public enum WebhookTexts
{
    /// <summary>As wiki text: bodies of webhooks have the form of version 2 of the API, as captures from real sites show.</summary>
    Wiki,

    /// <summary>As documents, like version 3 of the API.</summary>
    Documents,
}

/// <summary>What the events of an issue bear of its comments.</summary>
public enum EmbeddedComments
{
    /// <summary>
    /// The frame without comments, and with a total of 0: Atlassian announced that events of issues bear no comments any more.
    /// </summary>
    FrameOnly,

    /// <summary>No field <c>comment</c> at all.</summary>
    Absent,

    /// <summary>As the API shows them: the first 100, with the true total.</summary>
    Window,
}
