using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Connectors.Tests.Jira;

/// <summary>What queries find, and which are refused.</summary>
public sealed class JiraQueryTests(JiraQueryTests.Few few, JiraQueryTests.Many many)
    : IClassFixture<JiraQueryTests.Few>, IClassFixture<JiraQueryTests.Many>
{
    [Theory]
    [InlineData("project = PLAT ORDER BY key DESC", "10007 10004 10001")]
    [InlineData("project in (PLAT, \"Customer support\") AND key != PLAT-1 ORDER BY key ASC", "10004 10007 10000 10003 10006")]
    [InlineData("project not in (PLAT, OPS) order by created", "10006 10003 10000")]
    [InlineData("key in (OPS-1, plat-2, 10000) ORDER BY id ASC", "10000 10002 10004")]
    [InlineData("issuekey >= OPS-2 ORDER BY created ASC", "10005 10008")]
    [InlineData("created >= -5200d AND updated <= now() AND project != OPS AND project != PLAT ORDER BY created asc", "10000 10003 10006")]
    [InlineData("updated > 1d", "")]
    public async Task Queries_find_what_they_say(string jql, string ids)
    {
        var desk = few.Desk;
        string.Join(' ', await desk.FindAsync(jql, pageSize: 2)).ShouldBe(ids);
    }

    [Theory]
    [InlineData("nonsense = 1", "Field 'nonsense' does not exist or you do not have permission to view it.")]
    [InlineData("project = NONE", "The value 'NONE' does not exist for the field 'project'.")]
    [InlineData("key = PLAT-999", "Issue does not exist or you do not have permission to see it.")]
    [InlineData("created > yesterday", "Date value 'yesterday' for field 'created' is invalid.")]
    [InlineData("project = PLAT AND", "Error in the JQL Query: Expecting a field name before the end of the query.")]
    [InlineData("project PLAT", "Error in the JQL Query: Expecting operator but got 'PLAT'. (line 1, character 9)")]
    [InlineData("project = \"PLAT", "has not been completed")]
    [InlineData("project = PLAT created > 2020-01-01", "Expecting either 'OR' or 'AND' but got 'created'")]
    [InlineData("", "Unbounded JQL queries are not allowed here.")]
    public async Task Bad_queries_are_refused_with_a_reason(string jql, string reason)
    {
        var desk = few.Desk;
        (await desk.RefusedAsync(400, "search/jql", new JsonObject { ["jql"] = jql })).ShouldContain(reason);
        (await desk.RefusedAsync(400, $"search/jql?jql={Uri.EscapeDataString(jql)}")).ShouldContain(reason);
    }

    [Theory]
    [InlineData("""{"jql":"project = PLAT","maxResults":0}""", "between 1 and 5000")]
    [InlineData("""{"jql":"project = PLAT","maxResults":5001}""", "between 1 and 5000")]
    [InlineData("""{"jql":"project = PLAT","startAt":0}""", "Invalid request payload")]
    [InlineData("""{"jql":["project = PLAT"]}""", "Invalid request payload")]
    [InlineData("""{"jql":"project = PLAT","fields":"summary"}""", "Invalid request payload")]
    [InlineData("""{"jql":"project = PLAT","reconcileIssues":["x"]}""", "reconcileIssues")]
    public async Task Bad_requests_are_refused(string body, string reason)
    {
        var desk = few.Desk;
        (await desk.RefusedAsync(400, "search/jql", JsonNode.Parse(body))).ShouldContain(reason);
    }

    [Fact]
    public async Task What_Jira_would_understand_and_the_emulator_does_not_is_no_answer_of_Jiras()
    {
        await using var desk = await Desk.OpenAsync(9);
        foreach (var jql in (string[])["project = PLAT OR project = OPS", "(project = PLAT)", "created > startOfDay()"])
        {
            using var answer = await desk.SendAsync("search/jql", new JsonObject { ["jql"] = jql });
            ((int)answer.StatusCode).ShouldBe(500, jql);
            desk.Server.Faults.TryDequeue(out var fault).ShouldBeTrue();
            fault.ShouldBeOfType<NotSupportedException>();
        }
    }

    /// <summary>Bounds are minutes of the account's time zone, which is the one that times are shown in.</summary>
    [Theory]
    [InlineData("created", ">=", "yyyy-MM-dd HH:mm")]
    [InlineData("created", "<", "yyyy/MM/dd HH:mm")]
    [InlineData("updated", "<=", "yyyy-MM-dd")]
    [InlineData("updated", ">", "yyyy/MM/dd")]
    public async Task Times_are_compared_in_the_sites_time_zone(string field, string comparison, string form)
    {
        var desk = many.Desk;
        var shown = desk.Site.Keys().Select(key => desk.Site.Show(key)!).ToDictionary(
            issue => (string)issue["id"]!, issue => ((string)issue["fields"]![field]!)[..23], StringComparer.Ordinal);
        var bound = DateTime.ParseExact(shown["10060"][..16], "yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
        if (!form.Contains('H', StringComparison.Ordinal)) bound = bound.Date;
        var limit = bound.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture);
        var expected = shown.Where(issue => Holds(string.CompareOrdinal(issue.Value, limit), comparison)).Select(issue => issue.Key);
        var found = await desk.FindAsync($"{field} {comparison} \"{bound.ToString(form, CultureInfo.InvariantCulture)}\"", pageSize: 50);
        found.Order(StringComparer.Ordinal).ShouldBe(expected.Order(StringComparer.Ordinal));
        found.Count.ShouldBeInRange(1, 119);
    }

    private static bool Holds(int order, string comparison) => comparison switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    /// <summary>Nothing changes in it, so that all questions may share it.</summary>
    public class Few : IAsyncLifetime
    {
        internal Desk Desk { get; private set; } = null!;

        protected virtual int Issues => 9;

        public async ValueTask InitializeAsync() => Desk = await Jira.Desk.OpenAsync(Issues);

        public ValueTask DisposeAsync() => Desk.DisposeAsync();
    }

    public sealed class Many : Few
    {
        protected override int Issues => 120;
    }
}
