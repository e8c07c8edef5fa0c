using System.Globalization;
using System.Text.RegularExpressions;

namespace Agnes.Emulators.Jira;

/// <summary>What a query orders by: the field, and whether the largest comes first.</summary>
internal readonly record struct JqlOrder(string Field, bool IsDescending);

/// <summary>One condition: true for what it finds.</summary>
internal delegate bool JqlClause(Outline outline);

/// <summary>
/// The part of JQL that pulls need: <c>project</c>, <c>key</c>, <c>id</c>, <c>created</c> and <c>updated</c> with comparisons and lists,
/// joined by AND, and ORDER BY. What Jira would refuse is refused with its words; what it would understand and this does not is said to be
/// so.
/// </summary>
internal sealed partial class Jql
{
    private static readonly string[] Fields =
        ["project", "key", "issuekey", "issue", "id", "created", "createddate", "updated", "updateddate"];
    private readonly JiraSite _site;
    private readonly List<(string Text, bool IsQuoted, int At)> _tokens = [];
    private readonly bool _isCloud;
    private int _next;

    private Jql(JiraSite site, string text, bool isCloud)
    {
        (_site, _isCloud) = (site, isCloud);
        foreach (Match match in Token().Matches(text))
        {
            var quoted = match.Value[0] is '"' or '\'';
            _tokens.Add((quoted ? Unquoted(match.Value) : match.Value, quoted, match.Index + 1));
        }
    }

    public IReadOnlyList<JqlClause> Clauses { get; private set; } = [];

    public IReadOnlyList<JqlOrder> Order { get; private set; } = [];

    /// <summary>Whether it means something else a moment later.</summary>
    public bool IsRelative { get; private set; }

    /// <exception cref="JiraError">As Jira answers a query that it does not understand.</exception>
    public static Jql Parse(JiraSite site, string text, bool isCloud)
    {
        var jql = new Jql(site, text, isCloud);
        var clauses = new List<JqlClause>();
        if (!jql.AtEnd && !jql.Is("ORDER"))
        {
            clauses.Add(jql.Clause());
            while (jql.Take("AND")) clauses.Add(jql.Clause());
        }

        if (jql.Is("OR")) throw Unknown("OR");
        jql.Clauses = clauses;
        if (jql.Take("ORDER")) jql.Order = jql.Ordering();
        if (!jql.AtEnd) throw jql.Unexpected("Expecting either 'OR' or 'AND'");
        return jql;
    }

    public bool Finds(Outline outline)
    {
        foreach (var clause in Clauses)
        {
            if (!clause(outline)) return false;
        }

        return true;
    }

    private bool AtEnd => _next >= _tokens.Count;

    private bool Is(string word) =>
        !AtEnd && !_tokens[_next].IsQuoted && _tokens[_next].Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    private bool Take(string word)
    {
        if (!Is(word)) return false;
        _next++;
        return true;
    }

    private string Word(string expected)
    {
        if (AtEnd || (!_tokens[_next].IsQuoted && !char.IsLetterOrDigit(_tokens[_next].Text[0])
            && _tokens[_next].Text[0] is not ('-' or '_')))
            throw Unexpected(expected);
        return _tokens[_next++].Text;
    }

    private JiraError Unexpected(string expected) => JiraError.Bad(AtEnd
        ? $"Error in the JQL Query: {expected} before the end of the query."
        : $"Error in the JQL Query: {expected} but got '{_tokens[_next].Text}'. (line 1, character {_tokens[_next].At})");

    /// <summary>Jira would understand it: a test that asks so is to know, and not to take it for Jira's answer.</summary>
    private static NotSupportedException Unknown(string what) => new($"The emulator knows no {what} in JQL.");

    private JqlClause Clause()
    {
        if (Is("(") || Is("NOT") || Is("OR")) throw Unknown("OR, NOT or parentheses");
        var name = Word("Expecting a field name").ToLowerInvariant();
        if (!Fields.Contains(name, StringComparer.Ordinal))
            throw JiraError.Bad($"Field '{name}' does not exist or you do not have permission to view it.");
        var isNot = Take("NOT");
        if (Take("IN"))
        {
            var any = Values().Select(value => Compare(name, "=", value)).ToList();
            return outline => any.Exists(one => one(outline)) != isNot;
        }

        if (isNot || AtEnd || _tokens[_next].Text is not ("=" or "!=" or "<" or ">" or "<=" or ">="))
            throw Unexpected("Expecting operator");
        var comparison = _tokens[_next++].Text;
        return Compare(name, comparison, Value());
    }

    private List<string> Values()
    {
        if (!Take("(")) throw Unexpected("Expecting '('");
        var values = new List<string> { Value() };
        while (Take(",")) values.Add(Value());
        if (!Take(")")) throw Unexpected("Expecting ')'");
        return values;
    }

    private string Value()
    {
        var value = Word("Expecting either a value, list or function");
        if (!Take("(")) return value;
        if (!Take(")") || !value.Equals("now", StringComparison.OrdinalIgnoreCase))
            throw Unknown("function but now()");
        return "now()";
    }

    private JqlClause Compare(string name, string comparison, string value) => name switch
    {
        "project" => Project(comparison, value),
        "key" or "issuekey" or "issue" or "id" => Key(comparison, value),
        "created" or "createddate" => Time(name, comparison, value, outline => outline.Created),
        _ => Time(name, comparison, value, outline => outline.Updated),
    };

    private JqlClause Project(string comparison, string value)
    {
        var project = _site.ProjectOf(value);
        for (var i = 0; project < 0 && i < _site.Shape.Projects.Count; i++)
        {
            if (_site.Shape.Projects[i].Name.Equals(value, StringComparison.OrdinalIgnoreCase) || value == $"{10_000 + i}") project = i;
        }

        if (project < 0) throw JiraError.Bad($"The value '{value}' does not exist for the field 'project'.");
        return comparison switch
        {
            "=" => outline => outline.Project == project,
            "!=" => outline => outline.Project != project,
            _ => throw JiraError.Bad($"The operator '{comparison}' is not supported by the 'project' field."),
        };
    }

    private JqlClause Key(string comparison, string value)
    {
        var number = _site.NumberOf(value)
            ?? throw JiraError.Bad(_isCloud
                ? JiraError.NoIssue().Message
                : $"An issue with key '{value}' does not exist for field 'key'.");
        var (project, key) = (_site.OutlineOf(number).Project, _site.OutlineOf(number).KeyNumber);
        return comparison switch
        {
            "=" => outline => outline.Number == number,
            "!=" => outline => outline.Number != number,
            _ => outline => outline.Project == project && Holds(outline.KeyNumber.CompareTo(key), comparison),
        };
    }

    private JqlClause Time(string name, string comparison, string value, Func<Outline, long> of)
    {
        var time = ReadTime(name, value);
        return outline => Holds(of(outline).CompareTo(time), comparison);
    }

    private static bool Holds(int order, string comparison) => comparison switch
    {
        "=" => order == 0,
        "!=" => order != 0,
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    /// <summary>Minutes are the finest that JQL has, and they are those of the account's time zone.</summary>
    private long ReadTime(string name, string value)
    {
        IsRelative |= value == "now()" || Period().IsMatch(value);
        if (value == "now()") return _site.Now.ToUnixTimeMilliseconds();
        if (Period().Match(value) is { Success: true } period)
        {
            var amount = long.Parse(period.Groups["amount"].ValueSpan, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            var unitMs = period.Groups["unit"].Value switch { "w" => 604_800_000L, "d" => 86_400_000, "h" => 3_600_000, _ => 60_000 };
            return _site.Now.ToUnixTimeMilliseconds() + (amount * unitMs);
        }

        string[] forms = ["yyyy-MM-dd", "yyyy/MM/dd", "yyyy-MM-dd HH:mm", "yyyy/MM/dd HH:mm"];
        if (DateTime.TryParseExact(value, forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            return SiteTime.Read(local);
        throw JiraError.Bad($"Date value '{value}' for field '{name}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            + "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.");
    }

    private List<JqlOrder> Ordering()
    {
        if (!Take("BY")) throw Unexpected("Expecting 'by'");
        var order = new List<JqlOrder>();
        do
        {
            var name = Word("Expecting a field name").ToLowerInvariant();
            var field = name switch
            {
                "created" or "createddate" or "id" => "created",
                "updated" or "updateddate" => "updated",
                "key" or "issuekey" or "issue" => "key",
                _ => throw JiraError.Bad($"Field '{name}' does not exist or you do not have permission to view it."),
            };
            var isDescending = Take("DESC") || (!Take("ASC") && field != "key"); // dates have their newest first where nothing is said
            order.Add(new JqlOrder(field, isDescending));
        }
        while (Take(","));
        return order;
    }

    private static string Unquoted(string token) => token.Length < 2 || token[^1] != token[0]
        ? throw JiraError.Bad("Error in the JQL Query: The quoted string " + token + " has not been completed. (line 1)")
        : token[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal);

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"?|'[^']*'?|<=|>=|!=|[=<>(),]|[^\s=<>(),!"']+|\S
        """, RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Token();

    [GeneratedRegex(@"^(?<amount>[+-]?\d+)(?<unit>[wdhm])$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Period();
}
