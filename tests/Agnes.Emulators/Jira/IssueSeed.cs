using System.Text.Json.Nodes;

namespace Agnes.Emulators.Jira;

/// <summary>
/// Issues by seed and number. What a search needs is worked out from a few numbers; an issue's whole content is made only when somebody
/// looks, and comes out the same each time.
/// </summary>
internal sealed class IssueSeed(SiteShape shape)
{
    private const int LinkDistance = 7;
    private const long DayMs = 86_400_000;
    private static readonly string[] Verbs =
        ["cannot open", "times out on", "shows the wrong", "loses", "needs access to", "duplicates", "renames"];
    private static readonly string[] Nouns =
        ["the invoice export", "Rechnung Größe", "přehled objednávek", "the dashboard \"Sales\"", "ログイン画面", "the nightly load",
            "a shared folder"];
    private static readonly string[] Words =
        ["please", "customer", "zákazník", "restart", "größer", "value", "since", "yesterday", "a\u0301gnes", "retry", "100 %",
            "<b>not bold</b>", "🙂"];

    private readonly long _begin = shape.Begin.ToUnixTimeMilliseconds();
    private readonly long _end = shape.End.ToUnixTimeMilliseconds();

    private enum Stream
    {
        Outline = 1,
        Brief,
        Body,
        Comments,
        Histories,
        Others,
    }

    public Outline OutlineOf(int number)
    {
        var dice = DiceFor(number, Stream.Outline);
        var step = Math.Max(1, (_end - _begin) / Math.Max(1, shape.Issues));
        var created = _begin + (number * step) + dice.Below(step);
        var updated = Math.Max(created, Math.Min(_end - 1, created + 1_000 + dice.Below(60 * DayMs)));
        return new Outline(number, number % shape.Projects.Count, (number / shape.Projects.Count) + 1, created, updated);
    }

    /// <summary>What other issues' links show of an issue.</summary>
    public (string Summary, JsonObject Type, JsonObject Status, JsonObject? Priority) BriefOf(int number)
    {
        var dice = DiceFor(number, Stream.Brief);
        var summary = $"{dice.Of(Catalog.People).DisplayName} {dice.Of(Verbs)} {dice.Of(Nouns)} ({number})";
        return (summary, Catalog.Named(dice.Of(Catalog.Types)), Catalog.Status(dice.Of(Catalog.Statuses)),
            dice.OneIn(20) ? null : Catalog.Named(dice.Of(Catalog.Priorities)));
    }

    public Issue Make(int number)
    {
        var outline = OutlineOf(number);
        var issue = new Issue
        {
            Number = number,
            Project = outline.Project,
            KeyNumber = outline.KeyNumber,
            Created = outline.Created,
            Updated = outline.Updated,
            Fields = FieldsOf(outline),
        };
        AddComments(issue);
        AddHistories(issue);
        AddOthers(issue);
        return issue;
    }

    private Dice DiceFor(int number, Stream stream) => new(shape.Seed, number, (long)stream);

    private JsonObject FieldsOf(Outline outline)
    {
        var dice = DiceFor(outline.Number, Stream.Body);
        var (summary, type, status, priority) = BriefOf(outline.Number);
        var isDone = (string?)status["statusCategory"]!["key"] == "done";
        var fields = new JsonObject
        {
            ["summary"] = summary,
            ["description"] = dice.OneIn(8) ? null : Description(ref dice),
            ["issuetype"] = type,
            ["status"] = status,
            ["priority"] = priority,
            ["resolution"] = isDone ? Catalog.Named(dice.Of(Catalog.Resolutions)) : null,
            ["resolutiondate"] = isDone ? SiteTime.Write(outline.Updated) : null,
            ["creator"] = Catalog.User(dice.Of(Catalog.People)),
            ["reporter"] = Catalog.User(dice.Of(Catalog.People)),
            ["assignee"] = dice.OneIn(4) ? null : Catalog.User(dice.Of(Catalog.Staff)),
            ["duedate"] = dice.OneIn(3) ? SiteTime.Day(outline.Created + dice.Below(90 * DayMs)) : null,
            ["labels"] = Labels(ref dice),
        };
        if (shape.Projects[outline.Project].IsServiceDesk) AddServiceDesk(fields, ref dice, (string)status["name"]!, outline.Number);
        else AddEmptyCustomFields(fields);
        return fields;
    }

    private static JsonArray Labels(ref Dice dice)
    {
        var labels = new JsonArray();
        for (var left = dice.Below(4) - 1; left > 0; left--)
        {
            var label = dice.Of(Catalog.Labels);
            if (!labels.Any(known => (string?)known == label)) labels.Add(label);
        }

        return labels;
    }

    private static void AddServiceDesk(JsonObject fields, ref Dice dice, string status, int number)
    {
        fields["customfield_10002"] = dice.OneIn(3) ? new JsonArray() : new JsonArray(
            new JsonObject { ["id"] = "1", ["name"] = "Example & Söhne" }, new JsonObject { ["id"] = "2", ["name"] = "Příklad s.r.o." });
        fields["customfield_10004"] = dice.OneIn(2) ? null : Catalog.Option($"Severity {1 + dice.Below(4)}", "10100");
        fields["customfield_10010"] = dice.OneIn(10) ? null : new JsonObject
        {
            ["requestType"] = new JsonObject { ["id"] = "11", ["name"] = dice.OneIn(2) ? "Get IT help" : "Report a bug – Fehler" },
            ["currentStatus"] = new JsonObject { ["status"] = status, ["statusCategory"] = "INDETERMINATE" },
        };
        fields["customfield_10156"] =
            new JsonArray([.. Catalog.People.Take(dice.Below(4)).Select(person => (JsonNode)Catalog.User(person))]);
        fields["customfield_10157"] = dice.OneIn(3) ? new JsonObject { ["rating"] = 1 + dice.Below(5) } : null;
        fields["customfield_10323"] = dice.OneIn(2) ? null
            : new JsonArray(Catalog.Option("Needs triage", "10200"), Catalog.Option("číst", "10201"));
        fields["customfield_10325"] = dice.OneIn(4) ? $"https://shop.example.com/orders/{number}?a=1&b=2" : null;
        fields["customfield_10330"] = dice.OneIn(3) ? Description(ref dice) : null;
        fields["customfield_10350"] = dice.OneIn(6) ? Catalog.Option("https://chat.example.com/archives/C01", "10300") : null;
        fields["customfield_10365"] = dice.OneIn(9) ? Catalog.Option("Yes", "10400") : null;
        fields["customfield_10475"] = dice.OneIn(2) ? $"customer{number}@example.org" : null;
        fields["customfield_10511"] = dice.OneIn(3) ? new JsonArray(Catalog.Option("db-01", "10500")) : null;
        fields["customfield_10676"] = dice.OneIn(4) ? Catalog.Option("Performance", "10600") : null;
        fields["customfield_11831"] = dice.OneIn(5) ? Catalog.Option("L3 Datenbank", "10700") : null;
    }

    private static void AddEmptyCustomFields(JsonObject fields)
    {
        foreach (var field in Catalog.CustomFields.Where(field => field.Type != "sd-servicelevelagreement")) fields[field.Id] = null;
    }

    private static JsonObject Description(ref Dice dice)
    {
        var first = Adf.Paragraph(
            Adf.Text($"{Sentence(ref dice)} "), Adf.Mention(dice.Of(Catalog.Staff)), Adf.Text(" see "),
            Adf.Link("the run book", $"https://wiki.example.com/pages/{dice.Below(1_000)}?x=1&y=2"), Adf.Break(),
                Adf.Emoji("slight_smile", "🙂"));
        return dice.Below(4) switch
        {
            0 => Adf.Document(first, Adf.List(Sentence(ref dice), Sentence(ref dice)), Adf.Code("SELECT 1 < 2 AS \"größe\"")),
            1 => Adf.Document(first, Adf.Paragraph(Adf.Text(Sentence(ref dice)))),
            2 => Adf.Document(Sentence(ref dice)),
            _ => Adf.Document(first),
        };
    }

    private static string Sentence(ref Dice dice)
    {
        var words = new string[4 + dice.Below(9)];
        for (var i = 0; i < words.Length; i++) words[i] = dice.Of(Words);
        return string.Join(' ', words);
    }

    private void AddComments(Issue issue)
    {
        var dice = DiceFor(issue.Number, Stream.Comments);
        var count = dice.OneIn(shape.TalkativeOneIn) ? 101 + dice.Below(160) : dice.Below(6);
        for (var i = 0; i < count; i++)
        {
            var at = Between(issue, i, count, ref dice);
            var comment = new Comment(
                1_000_000 + (issue.Number * 1_000L) + i, dice.Of(Catalog.People), dice.OneIn(5) ? Description(ref dice)
                    : Adf.Document(Sentence(ref dice)), at);
            issue.Comments.Add(dice.OneIn(9) && i + 1 < count
                ? comment with { UpdateAuthor = dice.Of(Catalog.Staff), Updated = at + 1 } : comment);
        }
    }

    /// <summary>From one state to another, to the one that the issue has since the change that its <c>updated</c> tells of.</summary>
    private void AddHistories(Issue issue)
    {
        var dice = DiceFor(issue.Number, Stream.Histories);
        var count = dice.OneIn(shape.RestlessOneIn) ? 101 + dice.Below(140) : 1 + dice.Below(7);
        var last = Catalog.Statuses.First(status => status.Id == (string?)issue.Fields["status"]!["id"]);
        var to = dice.Of(Catalog.Statuses);
        for (var i = 0; i < count; i++)
        {
            var isLast = i == count - 1;
            var at = isLast ? issue.Updated : Between(issue, i, count, ref dice);
            var from = to;
            to = isLast ? last : dice.Of(Catalog.Statuses);
            var items = new List<Change> { new("status", "jira", "status", from.Id, from.Name, to.Id, to.Name) };
            if (dice.OneIn(3)) items.Add(new Change("labels", "jira", "labels", "", "", "", dice.Of(Catalog.Labels)));
            if (dice.OneIn(5)) items.Add(new Change("Severity", "custom", "customfield_10004", null, null, "10100", "Severity 1"));
            issue.Histories.Add(new History(5_000_000 + (issue.Number * 1_000L) + i, dice.Of(Catalog.Staff), at, items));
        }
    }

    private void AddOthers(Issue issue)
    {
        var dice = DiceFor(issue.Number, Stream.Others);
        for (var i = dice.Below(5) - 2; i > 0; i--)
        {
            var length = 1L << dice.Below(14);
            var isImage = dice.OneIn(2);
            issue.Attachments.Add(new Attachment(AttachmentId(issue.Number, i), isImage ? $"obrázek {i}.png" : $"log {i}, größe.txt",
                isImage ? "image/png" : "text/plain", length, dice.Of(Catalog.People), issue.Created + i, null, length));
        }

        for (var i = (dice.OneIn(50) ? 22 : dice.Below(4)) - 1; i > 0; i--)
        {
            issue.Worklogs.Insert(0,
                new Worklog(8_000_000 + (issue.Number * 100L) + i, dice.Of(Catalog.Staff), Adf.Document(Sentence(ref dice)),
                issue.Created + i, 900 * (1 + dice.Below(16)), issue.Created + i));
        }

        if (dice.OneIn(6))
        {
            issue.RemoteLinks.Add(new RemoteLink(
                20_000 + issue.Number, $"appId=wiki&pageId={issue.Number}",
                    $"https://wiki.example.com/pages/viewpage.action?pageId={issue.Number}",
                $"Run book – příručka {issue.Number}", "Example Wiki", "com.atlassian.confluence"));
        }

        if (LinkOf(issue.Number) is { } own) issue.Links.Add(own);
        if (issue.Number + LinkDistance < shape.Issues && LinkOf(issue.Number + LinkDistance) is { } others)
            issue.Links.Add(others with { Other = issue.Number + LinkDistance, IsOutward = false });
    }

    public static long AttachmentId(int number, int index) => 60_000 + (number * 10L) + index;

    /// <summary>
    /// The link that an issue has with one before it, as it looks from this side; it is the same at every look and from both sides.
    /// </summary>
    private IssueLink? LinkOf(int number)
    {
        if (number < LinkDistance) return null;
        var dice = new Dice(shape.Seed, number, -1);
        return dice.OneIn(4) ? new IssueLink(500_000 + number, dice.Of(Catalog.LinkTypes), number - LinkDistance, IsOutward: true) : null;
    }

    private static long Between(Issue issue, int index, int count, ref Dice dice)
    {
        var step = Math.Max(1, (issue.Updated - issue.Created) / (count + 1));
        return Math.Min(issue.Updated, issue.Created + (index * step) + dice.Below(step));
    }
}
