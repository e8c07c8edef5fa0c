using System.Text.Json.Nodes;

namespace Agnes.Connectors.Tests.Events;

/// <summary>What happens to some issues over time, each as the delivery that says so: whole payloads, thin ones of comments, deletions and moves.</summary>
internal static class JiraHistory
{
    public static IReadOnlyList<string> Of(Random random, int issues, int steps)
    {
        var time = new DateTimeOffset(2026, 1, 5, 8, 0, 0, TimeSpan.Zero);
        var all = Enumerable.Range(1, issues).Select(number => new Issue(number, random)).ToList();
        List<string> events = [];
        var item = 1;
        for (var step = 0; step < steps; step++)
        {
            var issue = all[random.Next(all.Count)];
            if (issue.IsDeleted) continue;
            time += TimeSpan.FromMilliseconds(random.Next(1, 90_000_000));
            events.Add(issue.IsNew ? issue.Change("jira:issue_created", time) : Step(issue, random, time, ref item));
        }

        return events;
    }

    private static string Step(Issue issue, Random random, DateTimeOffset time, ref int item)
    {
        item++;
        switch (random.Next(12))
        {
            case 0 when random.Next(4) == 0:
                return issue.Delete(time);
            case 1:
                issue.Move($"NEW{item}-{issue.Number}");
                return issue.Change("jira:issue_updated", time, new JsonObject { ["field"] = "Key" }, item);
            case 2 or 3 or 4:
                return issue.Comment("comment_created", $"{item}", time, random);
            case 5 when issue.Comments.Count > 0:
                return issue.Comment("comment_updated", issue.Comments[random.Next(issue.Comments.Count)], time, random);
            case 6 when issue.Comments.Count > 0:
                return issue.Comment("comment_deleted", issue.Comments[random.Next(issue.Comments.Count)], time, random);
            default:
                return issue.Change("jira:issue_updated", time, new JsonObject { ["field"] = "status", ["fromString"] = "a", ["toString"] = $"{item}" }, item);
        }
    }

    private static string Jira(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'+0000'", System.Globalization.CultureInfo.InvariantCulture);

    private sealed class Issue(int number, Random random)
    {
        private static readonly string[] States = ["Open", "Doing", "Done"];
        private readonly Dictionary<string, JsonObject> _known = [];
        private DateTimeOffset _created;
        private string _summary = "first";
        private string _state = "Open";
        private string _key = $"OLD-{number}";

        public int Number => number;

        public bool IsNew { get; private set; } = true;

        public bool IsDeleted { get; private set; }

        public List<string> Comments => [.. _known.Keys];

        public void Move(string key) => _key = key;

        public string Change(string name, DateTimeOffset time, JsonObject? change = null, int id = 0)
        {
            if (IsNew) (_created, IsNew) = (time, false);
            (_summary, _state) = ($"at {time:O}", States[random.Next(States.Length)]);
            var body = Body(name, time, Whole(time));
            if (change is not null) (body["changelog"], body["user"]) = (new JsonObject { ["id"] = $"{id}", ["items"] = new JsonArray(change) }, new JsonObject { ["displayName"] = "Ana" });
            return body.ToJsonString();
        }

        /// <summary>A comment changes neither the issue's time nor much of its fields.</summary>
        public string Comment(string name, string id, DateTimeOffset time, Random dice)
        {
            var comment = new JsonObject { ["id"] = id, ["body"] = $"said {dice.Next(1000)}", ["created"] = Jira(time), ["updated"] = Jira(time) };
            if (name == "comment_deleted") _known.Remove(id);
            else _known[id] = comment;
            if (dice.Next(2) == 0) _state = States[dice.Next(States.Length)];
            var body = Body(name, time, new JsonObject { ["summary"] = _summary, ["status"] = new JsonObject { ["name"] = _state } });
            body["comment"] = comment.DeepClone();
            return body.ToJsonString();
        }

        public string Delete(DateTimeOffset time)
        {
            IsDeleted = true;
            return Body("jira:issue_deleted", time, Whole(time)).ToJsonString();
        }

        private JsonObject Whole(DateTimeOffset time) => new()
        {
            ["created"] = Jira(_created),
            ["updated"] = Jira(time),
            ["summary"] = _summary,
            ["status"] = new JsonObject { ["name"] = _state },
            ["labels"] = new JsonArray("x", $"{time.Ticks}"),
            ["customfield_10004"] = time.Ticks % 2 == 0 ? new JsonObject { ["value"] = "high" } : null,
        };

        private JsonObject Body(string name, DateTimeOffset time, JsonObject fields) => new()
        {
            ["timestamp"] = time.ToUnixTimeMilliseconds(),
            ["webhookEvent"] = name,
            ["issue"] = new JsonObject { ["id"] = $"{1000 + number}", ["key"] = _key, ["fields"] = fields },
        };
    }
}
