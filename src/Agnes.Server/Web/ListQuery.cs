using Microsoft.AspNetCore.WebUtilities;

namespace Agnes.Server.Web;

/// <summary>What a list shows, as its address says it: text searched for, filters, order, page. Every link of a list is made from this.</summary>
public sealed record ListQuery
{
    public const int PageRows = 50;
    private const int TextLengthMax = 200;
    private const int PageMax = 100_000;

    /// <summary>As lower case, where an underscore stands before letters: order_items before orders.</summary>
    private static readonly Comparer<string> Texts = Comparer<string>.Create((a, b) => string.CompareOrdinal(a.ToLowerInvariant(), b.ToLowerInvariant()));

    public required string Path { get; init; }

    public string Text { get; init; } = "";

    /// <summary>A column's key, with a minus before it for the largest first.</summary>
    public string Sort { get; init; } = "";

    public int Page { get; init; } = 1;

    /// <summary>Further parameters by name; empty values are left out of addresses.</summary>
    public IReadOnlyDictionary<string, string> Filters { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string SortKey => Sort.TrimStart('-');

    public bool Descending => Sort.StartsWith('-');

    public bool IsNarrowed => Text.Length > 0 || Filters.Values.Any(value => value.Length > 0);

    /// <summary>Reads a request; what is unknown or out of range becomes the default rather than an error.</summary>
    public static ListQuery From(HttpRequest request, string defaultSort, IReadOnlyCollection<string> sortKeys, params IReadOnlyList<string> filters)
    {
        string Value(string name) => Cut(request.Query[name].ToString().Trim());
        var sort = Value("sort");
        return new ListQuery
        {
            Path = $"{request.PathBase}{request.Path}",
            Text = Value("q"),
            Sort = sortKeys.Contains(sort.TrimStart('-'), StringComparer.Ordinal) ? sort : defaultSort,
            Page = int.TryParse(Value("page"), out var page) ? Math.Clamp(page, 1, PageMax) : 1,
            Filters = filters.ToDictionary(name => name, Value, StringComparer.Ordinal),
        };
    }

    public string Filter(string name) => Filters.GetValueOrDefault(name, "");

    public string ToPage(int page) => Address(Sort, page);

    /// <summary>The address that sorts by a column: the other way round when it is sorted by it already.</summary>
    public string ToSort(string key, bool descendingFirst = false)
    {
        var sort = SortKey == key ? (Descending ? key : $"-{key}") : descendingFirst ? $"-{key}" : key;
        return Address(sort, 1);
    }

    /// <summary>This, with a page beyond the last turned into the last.</summary>
    public ListQuery Within(int total) => this with { Page = Math.Min(Page, Math.Max(1, (total + PageRows - 1) / PageRows)) };

    /// <summary>The rows of this page.</summary>
    public IEnumerable<T> OnPage<T>(IEnumerable<T> rows) => rows.Skip((Page - 1) * PageRows).Take(PageRows);

    /// <summary>By a key in the direction asked for; equal ones stay as they came. Texts are compared without regard to case.</summary>
    public IEnumerable<T> Ordered<T, TKey>(IEnumerable<T> rows, Func<T, TKey> key)
    {
        var comparer = typeof(TKey) == typeof(string) ? (IComparer<TKey>)(object)Texts : Comparer<TKey>.Default;
        return Descending ? rows.OrderByDescending(key, comparer) : rows.OrderBy(key, comparer);
    }

    private static string Cut(string value) => value.Length <= TextLengthMax ? value : value[..TextLengthMax];

    private string Address(string sort, int page)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (Text.Length > 0) values["q"] = Text;
        foreach (var (name, value) in Filters)
        {
            if (value.Length > 0) values[name] = value;
        }

        if (sort.Length > 0) values["sort"] = sort;
        if (page > 1) values["page"] = page.ToString();
        return QueryHelpers.AddQueryString(Path, values);
    }
}
