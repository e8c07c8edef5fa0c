namespace Agnes.Emulators.Jira;

/// <summary>
/// Which fields are asked for, as the documentation of <c>fields</c> says: <c>*all</c>, <c>*navigable</c>, ids, and ids with a minus
/// before them that are left out of the others (of all where there are no others).
/// </summary>
internal sealed class FieldChoice
{
    public static readonly FieldChoice All = new(["*all"], isAllByDefault: true);
    private static readonly HashSet<string> NotNavigable =
        new(["comment", "attachment", "worklog", "timetracking"], StringComparer.Ordinal);
    private readonly HashSet<string> _wanted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unwanted = new(StringComparer.Ordinal);
    private readonly bool _isAll;
    private readonly bool _isNavigable;

    /// <param name="isAllByDefault">What nothing but fields with a minus means, and nothing at all: an issue has all fields then, a search
    /// the id alone.</param>
    public FieldChoice(IEnumerable<string> values, bool isAllByDefault)
    {
        foreach (var value in values.SelectMany(value =>
            value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        {
            IsGiven = true;
            if (value == "*all") _isAll = true;
            else if (value == "*navigable") _isNavigable = true;
            else if (value[0] == '-') _unwanted.Add(value[1..]);
            else _wanted.Add(value);
        }

        if (_wanted.Count == 0 && !_isNavigable && (_unwanted.Count > 0 || (!IsGiven && isAllByDefault))) _isAll = true;
    }

    /// <summary>False: nobody asked for anything.</summary>
    public bool IsGiven { get; }

    /// <summary>What is no field but part of every issue: then there is no object of fields.</summary>
    public bool IsKeyOnly => !_isAll && !_isNavigable && _wanted.All(name => name is "key" or "id" or "issuekey");

    public bool IsIdOnly => IsKeyOnly && !_wanted.Contains("key") && !_wanted.Contains("issuekey");

    public bool Includes(string field) =>
        !_unwanted.Contains(field) && (_isAll || _wanted.Contains(field) || (_isNavigable && !NotNavigable.Contains(field)));
}
