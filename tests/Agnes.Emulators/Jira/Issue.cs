using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>What the index of the search knows of an issue.</summary>
/// <param name="Number">Counted from 0 over all projects; the issue's id is 10000 more, and it never changes.</param>
/// <param name="Project">Index into the shape's projects.</param>
/// <param name="Created">Milliseconds since 1970; the issues' order is the order of their numbers.</param>
internal readonly record struct Outline(int Number, int Project, int KeyNumber, long Created, long Updated, bool IsGone = false);

/// <summary>An issue as it is now: made from the seed when somebody looks, kept where it was changed.</summary>
internal sealed class Issue
{
    public const long FirstId = 10_000;

    public required int Number { get; init; }

    public required int Project { get; set; }

    public required int KeyNumber { get; set; }

    public required long Created { get; init; }

    public required long Updated { get; set; }

    public long Id => FirstId + Number;

    /// <summary>Values by their field's id as version 3 of the API shows them; what has an own list here is not among them.</summary>
    public required JsonObject Fields { get; init; }

    public List<Comment> Comments { get; } = [];

    /// <summary>Oldest first.</summary>
    public List<History> Histories { get; } = [];

    public List<Worklog> Worklogs { get; } = [];

    public List<Attachment> Attachments { get; } = [];

    public List<IssueLink> Links { get; } = [];

    public List<RemoteLink> RemoteLinks { get; } = [];

    public Outline Outline => new(Number, Project, KeyNumber, Created, Updated);

    public string? StatusCategory => (string?)Fields["status"]?["statusCategory"]?["key"];
}

internal sealed record Comment(long Id, Person Author, JsonObject Body, long Created)
{
    public Person UpdateAuthor { get; init; } = Author;

    public long Updated { get; init; } = Created;
}

internal sealed record History(long Id, Person Author, long Created, IReadOnlyList<Change> Items);

/// <summary>One field's change; values as the changelog says them: ids, and texts for people.</summary>
internal sealed record Change(string Field, string FieldType, string FieldId, string? From, string? FromText, string? To, string? ToText);

internal sealed record Worklog(long Id, Person Author, JsonObject Comment, long Started, int Seconds, long Created)
{
    public long Updated { get; init; } = Created;
}

/// <param name="Size">As its metadata say it.</param>
/// <param name="Bytes">What a download gives; null: <paramref name="Length"/> bytes by the attachment's id.</param>
internal sealed record Attachment(long Id, string Name, string MimeType, long Size, Person Author, long Created, byte[]? Bytes,
    long Length);

internal sealed record LinkType(string Id, string Name, string Inward, string Outward);

/// <param name="Other">The number of the issue on the other side.</param>
internal sealed record IssueLink(long Id, LinkType Type, int Other, bool IsOutward);

internal sealed record RemoteLink(long Id, string GlobalId, string Address, string Title, string ApplicationName, string ApplicationType);
