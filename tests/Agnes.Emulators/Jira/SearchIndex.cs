using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Agnes.Emulators.Jira;

/// <summary>
/// Where a page of a search ends: the order's values of its last issue. The next page begins after it, whatever changed meanwhile.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Position(long First, long Second, int Number)
{
    public static readonly Comparer<Position> Order = Comparer<Position>.Create((left, right) =>
        (left.First, left.Second, left.Number).CompareTo((right.First, right.Second, right.Number)));
}

/// <summary>
/// What the search knows, which is behind what was written by as much as the site says. An order by <c>created</c> is walked through from
/// where the last page ended; another one is sorted once, and anew after something changed.
/// </summary>
internal sealed class SearchIndex(JiraSite site)
{
    private readonly Dictionary<int, List<(long VisibleAt, Outline Outline)>> _changes = [];
    private (string Query, long Version, long At, Position[] Order) _sorted = ("", -1, 0, []);
    private readonly Dictionary<int, long> _lost = [];
    private long _version;
    private long _pendingUntil;

    /// <summary>Has the search show the issue so, after the lag of the moment.</summary>
    public void Record(Outline outline)
    {
        lock (site.Gate)
        {
            var at = site.Now.ToUnixTimeMilliseconds() + (long)site.SearchLag.TotalMilliseconds;
            if (!_changes.TryGetValue(outline.Number, out var list)) _changes[outline.Number] = list = [];
            list.Add((at, outline));
            Forget(list, site.Now.ToUnixTimeMilliseconds());
            _pendingUntil = Math.Max(_pendingUntil, at);
            _version++;
        }
    }

    /// <summary>Has the search miss the issue until then, though nothing happened to it.</summary>
    public void Lose(int number, DateTimeOffset until)
    {
        lock (site.Gate)
        {
            _lost[number] = until.ToUnixTimeMilliseconds();
            _pendingUntil = Math.Max(_pendingUntil, _lost[number]);
            _version++;
        }
    }

    /// <summary>Everything that was written is found from here on.</summary>
    public void CatchUp()
    {
        lock (site.Gate)
        {
            _lost.Clear();
            foreach (var list in _changes.Values) list[^1] = (0, list[^1].Outline);
            foreach (var list in _changes.Values) list.RemoveRange(0, list.Count - 1);
            _version++;
        }
    }

    /// <param name="after">Where the page before ended; null: the first page.</param>
    /// <param name="reconciled">Numbers of issues for which the search shows what is true now.</param>
    /// <returns>At most <paramref name="max"/> issues, and whether there are more.</returns>
    public (List<Outline> Found, Position Last, bool IsLast) Page(string text, Jql query, Position? after, int max,
        IReadOnlySet<int> reconciled)
    {
        lock (site.Gate)
        {
            return query.Order is [] or [{ Field: "created" }, ..] ? Walk(query, after, max, reconciled)
                : Sort(text, query, after, max, reconciled);
        }
    }

    public int Count(string text, Jql query)
    {
        lock (site.Gate) return Sorted(text, query, new HashSet<int>()).Length;
    }

    /// <summary>How many there are, and some of them by their place: the way of servers that count.</summary>
    public (List<Outline> Found, int Total) Slice(string text, Jql query, int startAt, int max)
    {
        lock (site.Gate)
        {
            var order = Sorted(text, query, new HashSet<int>());
            return ([.. order.Skip(startAt).Take(max).Select(position => site.OutlineOf(position.Number))], order.Length);
        }
    }

    private (List<Outline> Found, Position Last, bool IsLast) Walk(Jql query, Position? after, int max, IReadOnlySet<int> reconciled)
    {
        var isDescending = query.Order is [] || query.Order[0].IsDescending;
        var step = isDescending ? -1 : 1;
        var count = site.Numbers;
        var number = after is { } last ? last.Number + step : isDescending ? count - 1 : 0;
        var now = site.Now.ToUnixTimeMilliseconds();
        var found = new List<Outline>();
        for (; number >= 0 && number < count; number += step)
        {
            if (Visible(number, now, reconciled) is not { IsGone: false } outline || !query.Finds(outline)) continue;
            if (found.Count == max) return (found, new Position(0, 0, found[^1].Number), false);
            found.Add(outline);
        }

        return (found, default, true);
    }

    private (List<Outline> Found, Position Last, bool IsLast) Sort(string text, Jql query, Position? after, int max,
        IReadOnlySet<int> reconciled)
    {
        var order = Sorted(text, query, reconciled);
        var begin = after is { } last ? Array.BinarySearch(order, last, Position.Order) + 1 : 0;
        if (begin < 0) begin = -begin; // the last issue of the page before has moved: what comes after its old place is next
        var now = site.Now.ToUnixTimeMilliseconds();
        var page = order.Skip(begin).Take(max).ToList();
        var found = page.ConvertAll(position => Visible(position.Number, now, reconciled)!.Value);
        return (found, page.Count == 0 ? default : page[^1], begin + page.Count >= order.Length);
    }

    private Position[] Sorted(string text, Jql query, IReadOnlySet<int> reconciled)
    {
        var now = site.Now.ToUnixTimeMilliseconds();
        var isFresh = _sorted.Query == text && _sorted.Version == _version && (_sorted.At >= _pendingUntil || _sorted.At == now);
        if (isFresh && reconciled.Count == 0 && !query.IsRelative) return _sorted.Order;
        var order = new List<Position>();
        for (var number = 0; number < site.Numbers; number++)
        {
            if (Visible(number, now, reconciled) is not { IsGone: false } outline || !query.Finds(outline)) continue;
            order.Add(PositionOf(query, outline));
        }

        order.Sort(Position.Order);
        Position[] sorted = [.. order];
        if (reconciled.Count == 0) _sorted = (text, _version, now, sorted);
        return sorted;
    }

    private Position PositionOf(Jql query, Outline outline) => new(
        ValueOf(query.Order.Count > 0 ? query.Order[0] : new JqlOrder("created", IsDescending: true), outline),
        query.Order.Count > 1 ? ValueOf(query.Order[1], outline) : 0, outline.Number);

    private long ValueOf(JqlOrder order, Outline outline)
    {
        var value = order.Field switch
        {
            "updated" => outline.Updated,
            "key" => ((long)Rank(outline.Project) << 40) + outline.KeyNumber,
            _ => outline.Created,
        };
        return order.IsDescending ? -value : value;
    }

    /// <summary>Keys are ordered by their project's key, then by number.</summary>
    private int Rank(int project) =>
        site.Shape.Projects.Count(other => string.CompareOrdinal(other.Key, site.Shape.Projects[project].Key) < 0);

    private Outline? Visible(int number, long now, IReadOnlySet<int> reconciled)
    {
        if (reconciled.Contains(number)) return site.OutlineOf(number);
        if (_lost.TryGetValue(number, out var until) && now < until) return null;
        var isSeeded = number < site.Shape.Issues;
        if (!_changes.TryGetValue(number, out var list)) return isSeeded ? site.Seed.OutlineOf(number) : null;
        Forget(list, now);
        if (list[0].VisibleAt <= now) return list[0].Outline;
        return isSeeded ? site.Seed.OutlineOf(number) : null;
    }

    /// <summary>What nobody is shown any more.</summary>
    private static void Forget(List<(long VisibleAt, Outline Outline)> list, long now)
    {
        var last = list.FindLastIndex(entry => entry.VisibleAt <= now);
        if (last > 0) list.RemoveRange(0, last);
    }
}

/// <summary>
/// Tokens of the search's pages: opaque to callers, good for the query that they were given for, and not for ever. Jira's documentation
/// says seven days.
/// </summary>
internal static class PageToken
{
    public static string Write(string query, Position position, long at) => Convert.ToBase64String(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{at}|{position.First}|{position.Second}|{position.Number}|{query}"))).TrimEnd('=')
        .Replace('+', '-').Replace('/', '_');

    /// <exception cref="JiraError">Not one of ours, of another query, or too old.</exception>
    public static Position Read(string query, string token, long now, TimeSpan life)
    {
        try
        {
            var base64 = token.Replace('-', '+').Replace('_', '/');
            var parts = Encoding.UTF8.GetString(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='))).Split('|', 5);
            if (parts.Length == 5 && parts[4] == query && now - Number(parts[0]) < life.TotalMilliseconds)
                return new Position(Number(parts[1]), Number(parts[2]), (int)Number(parts[3]));
        }
        catch (FormatException)
        {
            throw Refused();
        }

        throw Refused();
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static JiraError Refused() => JiraError.Bad("The provided nextPageToken is invalid or has expired.");
}
