using System.Text.Json;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>The engine's list of escapes, over HTTP, for each kind of asker. <c>salaries</c> is published and granted to nobody.</summary>
public sealed class HostileQueryTests(Postgres postgres, Shops shops)
{
    private const string Hidden = "salaries";
    private const string NeverExisting = "nonsense"; // as long as the other

    [Fact]
    public async Task An_analyst_cannot_tell_a_hidden_table_from_one_that_never_existed()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        foreach (var (hidden, missing) in HostileSql.NamingTheTable(Hidden).Zip(HostileSql.NamingTheTable(NeverExisting)))
        {
            var (one, other) = (await shop.AsAnalystAsync("POST", "/api/query", Body(hidden)), await shop.AsAnalystAsync("POST", "/api/query", Body(missing)));
            if (one.Status != 403) faults.Add($"{hidden}: {one.Status} {one.Body}");
            if (Comparable(one, Hidden) != Comparable(other, NeverExisting)) faults.Add($"{hidden}:\n{Comparable(one, Hidden)}\n{Comparable(other, NeverExisting)}");
        }
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_reaches_files_catalogs_or_settings()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        foreach (var sql in HostileSql.ReachingOutside.Select(sql => sql.Replace("secrets", Hidden, StringComparison.Ordinal)))
        {
            foreach (var answer in (Answer[])[await shop.AsAnalystAsync("POST", "/api/query", Body(sql)), await shop.AsAdminAsync("POST", "/api/query", Body(sql))])
            {
                if (answer.Status is not (400 or 403 or 422) || answer.Body.Contains(shop.DataDir, StringComparison.Ordinal) || answer.Body.Contains("root:", StringComparison.Ordinal)) faults.Add($"{sql}: {answer.Status} {answer.Body}");
            }
        }
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_guest_gets_one_and_the_same_answer_whatever_is_asked()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var answers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sql in HostileSql.NamingTheTable(Hidden).Concat(HostileSql.ReachingOutside)) answers.Add(Comparable(await shop.Server.SendAsync("POST", "/api/query", Body(sql)), Hidden));
        answers.ShouldHaveSingleItem().ShouldStartWith("401");
    }

    private static string Body(string sql) => JsonSerializer.Serialize(new { sql });

    private static string Comparable(Answer answer, string table)
    {
        var headers = answer.Headers
            .Where(header => header.Key.ToLowerInvariant() is not ("date" or "x-request-id"))
            .OrderBy(header => header.Key, StringComparer.Ordinal)
            .Select(header => $"{header.Key}: {header.Value}");
        var body = Regex.Replace(answer.Body, @"""request_id"":""[^""]*""", "");
        return $"{answer.Status}\n{string.Join("\n", headers)}\n{body}".Replace(table, "TABLE", StringComparison.OrdinalIgnoreCase);
    }
}
