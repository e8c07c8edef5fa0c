using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Events;

public sealed class JiraSchemaTests : IDisposable
{
    private static readonly DateTime Received = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private const string Small =
        """ "id":"1","key":"A-1","fields":{"created":"2026-01-01T00:00:00.000+0000","updated":"2026-01-02T00:00:00.000+0000","summary":"SUMMARY"} """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Whatever the order of deliveries, their repetition, and where the folding was killed and begun again, the rows are those of the order in which things happened.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Order_and_repetition_make_no_difference(int seed)
    {
        for (var round = 0; round < 20; round++)
        {
            var random = new Random((seed * 1000) + round);
            var events = JiraHistory.Of(random, issues: 4, steps: 60);
            var expected = RowsAfter(events, new Random(0), batch: int.MaxValue, repeats: false, shuffles: false);
            expected.Count.ShouldBeGreaterThan(0);
            for (var turn = 0; turn < 3; turn++)
            {
                var got = RowsAfter(events, random, batch: random.Next(1, 10), repeats: true, shuffles: true);
                var (missing, surplus) = (expected.Except(got).Take(2), got.Except(expected).Take(2));
                (string.Join('\n', missing), string.Join('\n', surplus), got.Count).ShouldBe(("", "", expected.Count), $"seed {seed}, round {round}, turn {turn}");
            }
        }
    }

    [Fact]
    public void A_message_with_less_takes_nothing_away()
    {
        var schema = Schema();
        var documents = new Documents(_folder["issues"]);
        Apply(schema, documents, Event("jira:issue_updated", 1000, """
            "id":"1","key":"A-1","fields":{"created":"2026-01-01T00:00:00.000+0000","updated":"2026-01-02T00:00:00.000+0000","summary":"s","priority":{"name":"High"},
            "comment":{"comments":[{"id":"7","body":"x","updated":"2026-01-01T01:00:00.000+0000"}],"total":3},"attachment":[{"id":"9","filename":"a.png","size":5}]}
            """));
        Apply(schema, documents, Event("comment_created", 2000, """ "id":"1","key":"A-1","fields":{"summary":"s2","attachment":null,"comment":null} """,
            ""","comment":{"id":"8","body":{"type":"doc","content":[{"type":"text","text":"b"},{"type":"mention"}]},"updated":"2026-01-03T01:00:00.000+0000"}"""));
        var rows = Rows(schema, documents.Find("A-1")!);
        rows.Where(row => row.StartsWith("0|", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("|High|");
        rows.Count(row => row.StartsWith("1|", StringComparison.Ordinal)).ShouldBe(2);
        rows.Count(row => row.StartsWith("2|", StringComparison.Ordinal)).ShouldBe(1);
        documents.Find("A-1")!["fields"]!["comment"]!["total"]!.GetValue<long>().ShouldBe(3, "the site said so, and one of them was never heard");
    }

    [Fact]
    public void Comments_are_deleted_by_themselves_and_issues_by_one_event_alone()
    {
        var schema = Schema();
        var documents = new Documents(_folder["issues"]);
        const string issue = """ "id":"1","key":"A-1","fields":{"created":"2026-01-01T00:00:00.000+0000","updated":"2026-01-02T00:00:00.000+0000","summary":"s"} """;
        Apply(schema, documents, Event("jira:issue_created", 1000, issue));
        Apply(schema, documents, Event("comment_deleted", 3000, issue, ""","comment":{"id":"7","body":"x","updated":"2026-01-01T01:00:00.000+0000"}"""));
        Apply(schema, documents, Event("comment_created", 2000, issue, ""","comment":{"id":"7","body":"x","updated":"2026-01-01T01:00:00.000+0000"}"""));
        Rows(schema, documents.Find("A-1")!).Count.ShouldBe(1, "the issue is there, and a comment that was deleted does not come back");
        Apply(schema, documents, Event("jira:issue_deleted", 4000, issue)).ShouldBe(EventOutcome.Applied);
        Apply(schema, documents, Event("jira:issue_updated", 3500, issue)).ShouldBe(EventOutcome.Known);
        Rows(schema, documents.Find("A-1")!).ShouldBeEmpty();
    }

    [Fact]
    public void Values_are_read_as_the_contract_says()
    {
        JiraText.Moment(JsonValue.Create("2026-01-31T23:30:00.123-0500")).ShouldBe(new DateTime(2026, 2, 1, 4, 30, 0, DateTimeKind.Utc));
        JiraText.Moment(JsonValue.Create("2026-01-31T23:30:00+01:00")).ShouldBe(new DateTime(2026, 1, 31, 22, 30, 0, DateTimeKind.Utc));
        JiraText.Moment(JsonValue.Create("soon")).ShouldBeNull();
        JiraText.PlainJson(["a", "č", null, "q\"\\"]).ShouldBe("""["a", "\u010d", null, "q\"\\"]""");
        JiraText.Option(JsonNode.Parse("""{"value":"v","name":"n"}""")).ShouldBe("v");
        JiraText.Option(JsonNode.Parse("""{"name":"n"}""")).ShouldBe("n");
        JiraText.Options(JsonNode.Parse("""[{"value":"v"},null,"",0,"x"]""")).ShouldBe("""["v", "x"]""");
        JiraText.Adf(JsonNode.Parse("""{"type":"doc","content":[{"type":"paragraph","content":[{"type":"text","text":"a"},{"type":"emoji"},{"text":"b"}]}]}""")).ShouldBe("a  b");
        JiraAttachment.FileName("12", "../../etc/passwd").ShouldBe("12_.._.._etc_passwd");
        JiraAttachment.FileName("../1", "x").ShouldBeNull();
        JiraAttachment.Hierarchical("SUPPORT-14991", "54908_f.zip").ShouldBe("14/991/54908_f.zip");
        JiraTables.All[JiraTables.Issues].Columns.Count.ShouldBe(49);
        JiraTables.All.Select(table => table.Columns.Count).ShouldBe([49, 8, 11, 9, 8, 6]);
    }

    /// <summary>Whatever a stranger writes, what comes after it is folded.</summary>
    [Fact]
    public void Texts_that_are_cut_within_a_character_are_read_and_names_that_stand_twice_are_none()
    {
        var schema = Schema();
        var documents = new Documents(_folder["issues"]);
        Apply(schema, documents, Event("jira:issue_created", 1000, Small.Replace("SUMMARY", @"cut \\\ud83d and \ud83d\ude00 and \udE00", StringComparison.Ordinal)))
            .ShouldBe(EventOutcome.Applied);
        Rows(schema, documents.Find("A-1")!).ShouldHaveSingleItem().ShouldContain("cut \\\uFFFD and \uD83D\uDE00 and \uFFFD");
        Apply(schema, documents, Event("jira:issue_updated", 2000, Small.Replace("\"key\"", "\"key\":\"A-2\",\"key\"", StringComparison.Ordinal)))
            .ShouldBe(EventOutcome.Broken);
    }

    [Fact]
    public void A_document_that_lost_its_bytes_is_kept_aside()
    {
        var schema = Schema();
        Directory.CreateDirectory(_folder["issues"]);
        File.WriteAllText(_folder["issues", "A-1.json"], "");
        var documents = new Documents(_folder["issues"]);
        Apply(schema, documents, Event("jira:issue_created", 1000, Small)).ShouldBe(EventOutcome.Applied);
        documents.Save();
        File.Exists(_folder["issues", "A-1.json.damaged"]).ShouldBeTrue();
        new Documents(_folder["issues"]).Find("A-1").ShouldNotBeNull();
    }

    private static JournalEntry Entry(string body) => new(0, 0, Received, JiraSchema.Delivery, "", Encoding.UTF8.GetBytes(body));

    private static string Event(string name, long timestamp, string issue, string more = "") =>
        $$"""{"timestamp":{{timestamp}},"webhookEvent":"{{name}}","issue":{ {{issue}} }{{more}}}""";

    private static EventOutcome Apply(JiraSchema schema, Documents documents, string body) => schema.Apply(Entry(body), documents);

    private JiraSchema Schema() => new(JiraFields.Default, "site.example.com", _folder["attachments"]);

    /// <summary>As the tables would be: of each key what the last batch that named it said.</summary>
    private List<string> RowsAfter(IReadOnlyList<string> events, Random random, int batch, bool repeats, bool shuffles)
    {
        var folder = _folder[Guid.NewGuid().ToString("N")];
        var schema = Schema();
        var documents = new Documents(folder);
        var sent = events.SelectMany(one => repeats && random.Next(5) == 0 ? (string[])[one, one] : [one]).ToList();
        if (shuffles) sent = [.. sent.OrderBy(_ => random.Next())];
        var tables = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var some in sent.Chunk(Math.Min(batch, sent.Count)))
        {
            // A kill before the batch was committed: it is folded again over what it had done to the documents, whole or up to some file.
            for (var again = shuffles ? random.Next(3) : 0; again >= 0; again--)
            {
                foreach (var body in some) Apply(schema, documents, body);
                if (again == 0)
                {
                    foreach (var key in documents.Changed.Keys) tables[key] = Rows(schema, documents.Find(key)!);
                    documents.Save();
                    continue;
                }

                SaveUntil(documents, random.Next(8), isTorn: random.Next(2) == 0);
                documents = new Documents(folder);
            }
        }

        return [.. tables.Values.SelectMany(rows => rows).Order(StringComparer.Ordinal)];
    }

    /// <param name="isTorn">A file that is new is begun, and has nothing in it.</param>
    private static void SaveUntil(Documents documents, int files, bool isTorn)
    {
        documents.Writing = path =>
        {
            if (files-- > 0) return;
            if (isTorn && path.EndsWith(".json", StringComparison.Ordinal) && !File.Exists(path)) File.WriteAllText(path, "");
            throw new IOException("The process ends here.");
        };
        try
        {
            documents.Save();
        }
        catch (IOException)
        {
            // As a kill leaves it.
        }
    }

    private static List<string> Rows(JiraSchema schema, JsonObject document)
    {
        var rows = new List<string>();
        schema.Rows(document, (table, values) =>
        {
            var cells = schema.Tables[table].Columns.Zip(values).Where(cell => cell.First.Name != "_synced_at").Select(cell => Convert.ToString(cell.Second, CultureInfo.InvariantCulture));
            rows.Add($"{table}|{string.Join('|', cells)}");
        });
        return rows;
    }
}
