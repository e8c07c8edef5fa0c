using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Connectors.Jira;

namespace Agnes.Server.Features.Sources.Jira;

/// <param name="Created">As Jira writes it; null where it does not say.</param>
internal sealed record JiraHit(string Key, string? Id, string? Created);

/// <summary>Where a search stands, for whoever goes on with it after a restart.</summary>
/// <param name="Since">Only what was created from here on, as <c>yyyy-MM-dd HH:mm</c> of the account's time zone; null: from the
/// beginning.</param>
/// <param name="Token">Of the next page, on Cloud.</param>
/// <param name="StartAt">The next page, on servers of one's own.</param>
/// <param name="Last">When the last issue that was found was created, as Jira writes it.</param>
internal sealed record JiraPlace(string? Since = null, string? Token = null, int StartAt = 0, string? Last = null)
{
    public JsonObject Write() => new() { ["since"] = Since, ["token"] = Token, ["start_at"] = StartAt, ["last"] = Last };

    public static JiraPlace Read(JsonObject from) =>
        new((string?)from["since"], (string?)from["token"], (int?)from["start_at"] ?? 0, (string?)from["last"]);
}

/// <summary>
/// Issues of a query, oldest first, page by page. Page tokens expire: then the search begins anew from when the last issue was created, and
/// may find again what it had found.
/// </summary>
/// <param name="jql">A query; what it is ordered by counts for nothing. Empty: everything.</param>
internal sealed partial class JiraSearch(JiraApi api, string jql, JiraPlace? from = null)
{
    public const int PageSize = 100;
    private const int RecentMax = 2 * PageSize;
    private const string Beginning = "1970-01-01";
    private readonly string _where = WhereOf(jql);
    private readonly Queue<string> _recent = new(); // RecentMax
    private string? _begunAnewAt;
    private bool _isOld;
    private bool _isEnd;

    /// <summary>Where the next page is.</summary>
    public JiraPlace Place { get; private set; } = from ?? new JiraPlace();

    /// <returns>Null: there are no more.</returns>
    /// <exception cref="JiraException"/>
    public async Task<IReadOnlyList<JiraHit>?> NextAsync(CancellationToken stop)
    {
        if (_isEnd) return null;
        _isOld = !await api.IsCloudAsync(stop);
        try
        {
            return Remember(_isOld ? await OldPageAsync(stop) : await PageAsync(stop));
        }
        catch (JiraException refused) when (refused.Fault == JiraFault.Refused && Place is { Token: not null, Last: { } last }
            && _begunAnewAt != last)
        {
            _begunAnewAt = last;
            Place = new JiraPlace(MinuteOf(last), Last: last);
            return Remember(await PageAsync(stop));
        }
    }

    /// <summary>Leaves out what was found a moment ago, and may have been again.</summary>
    private List<JiraHit> Remember(List<JiraHit> hits)
    {
        hits.RemoveAll(hit => _recent.Contains(hit.Key));
        foreach (var hit in hits) _recent.Enqueue(hit.Key);
        while (_recent.Count > RecentMax) _recent.Dequeue();
        return hits;
    }

    private string Query =>
        $"{(_where.Length > 0 ? _where + " AND " : "")}created >= \"{Place.Since ?? Beginning}\" ORDER BY created ASC";

    private async Task<List<JiraHit>> PageAsync(CancellationToken stop)
    {
        var body = new JsonObject { ["jql"] = Query, ["maxResults"] = PageSize, ["fields"] = new JsonArray("created") };
        if (Place.Token is { } token) body["nextPageToken"] = token;
        var answer = await AskAsync("search/jql", body, stop);
        var hits = Hits(answer);
        var next = answer["nextPageToken"] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
        _isEnd = next is null; // a page may be empty and not the last: what the account may not see is left out
        Place = Place with { Token = next, Last = hits.LastOrDefault()?.Created ?? Place.Last };
        return hits;
    }

    private async Task<List<JiraHit>> OldPageAsync(CancellationToken stop)
    {
        var body = new JsonObject
        {
            ["jql"] = Query,
            ["maxResults"] = PageSize,
            ["startAt"] = Place.StartAt,
            ["fields"] = new JsonArray("created"),
        };
        var answer = await AskAsync("search", body, stop);
        var hits = Hits(answer);
        var next = Place.StartAt + hits.Count;
        _isEnd = hits.Count == 0 || (answer["total"] is JsonValue value && value.TryGetValue<int>(out var total) && next >= total);
        Place = Place with { StartAt = next, Last = hits.LastOrDefault()?.Created ?? Place.Last };
        return hits;
    }

    private async Task<JsonObject> AskAsync(string path, JsonObject body, CancellationToken stop) =>
        (await api.AskAsync(path, body, stop)).Json is JsonObject answer && answer["issues"] is JsonArray
            ? answer : throw new JiraException(JiraFault.NotUnderstood,
                $"Jira at {api.Account.Address.Host} answered a search without a list of issues.");

    private static List<JiraHit> Hits(JsonObject answer) =>
    [
        .. from issue in ((JsonArray)answer["issues"]!).OfType<JsonObject>()
           let key = issue["key"] is JsonValue name && name.TryGetValue<string>(out var text) ? text : null
           where JiraKey.IsKey(key)
           select new JiraHit(key, issue["id"]?.ToString(), (issue["fields"] as JsonObject)?["created"]?.ToString()),
    ];

    /// <summary>Times in queries are of the account's time zone, as those in answers; an hour less, since one comes twice a year.</summary>
    private static string? MinuteOf(string created) =>
        created.Length >= 16 && DateTime.TryParseExact(
            created[..16], "yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture,
                System.Globalization.DateTimeStyles.None, out var local)
            ? local.AddHours(-1).ToString("yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <summary>The conditions of a query, so that others can be put beside them.</summary>
    private static string WhereOf(string jql)
    {
        var plain = Quoted().Replace(jql, text => new string('x', text.Length));
        var order = OrderBy().Match(plain);
        var where = (order.Success ? jql[..order.Index] : jql).Trim();
        return Either().IsMatch(order.Success ? plain[..order.Index] : plain) ? $"({where})" : where;
    }

    [GeneratedRegex("""("(\\.|[^"\\])*"|'(\\.|[^'\\])*')""")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\border\s+by\b", RegexOptions.IgnoreCase)]
    private static partial Regex OrderBy();

    [GeneratedRegex(@"\bor\b|\|", RegexOptions.IgnoreCase)]
    private static partial Regex Either();
}
