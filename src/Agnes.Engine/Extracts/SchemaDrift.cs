using System.Globalization;
using Agnes.Protocol;

namespace Agnes.Engine.Extracts;

/// <summary>
/// How the columns of a table differ from those of before, by name and type. Their order does not count, and two names that differ in upper and lower case
/// alone are one column, as they are to the engine.
/// </summary>
/// <param name="Added">As they are now.</param>
/// <param name="Missing">As they were.</param>
public sealed record SchemaDrift(IReadOnlyList<TableColumn> Added, IReadOnlyList<TableColumn> Missing, IReadOnlyList<RetypedColumn> Retyped)
{
    /// <summary>Of columns that a sentence names; a source that lost a thousand is mended by looking at it.</summary>
    private const int NamedMax = 20;

    public bool IsNone => Added.Count + Missing.Count + Retyped.Count == 0;

    public static SchemaDrift Between(IReadOnlyList<TableColumn> before, IReadOnlyList<TableColumn> now)
    {
        var (old, fresh) = (ByName(before), ByName(now));
        return new SchemaDrift(
            [.. now.Where(column => !old.ContainsKey(column.Name))],
            [.. before.Where(column => !fresh.ContainsKey(column.Name))],
            [.. now.Where(column => old.TryGetValue(column.Name, out var was) && was.Type != column.Type)
                .Select(column => new RetypedColumn(old[column.Name].Name, old[column.Name].Type, column.Type))]);
    }

    /// <summary>Each change as lists of versions show it: <c>+name TYPE</c>, <c>-name</c>, <c>name TYPE -> TYPE</c>.</summary>
    public IReadOnlyList<string> Words =>
    [
        .. Added.Select(column => $"+{column.Name} {column.Type}"),
        .. Missing.Select(column => $"-{column.Name}"),
        .. Retyped.Select(column => $"{column.Name} {column.Before} -> {column.Now}"),
    ];

    /// <summary>For a sentence: which columns are new, which are missing, which changed, what each was and is.</summary>
    public override string ToString()
    {
        var said = new List<string>();
        Say(said, "new", [.. Added.Select(column => $"{column.Name} {column.Type}")]);
        Say(said, "missing", [.. Missing.Select(column => $"{column.Name} (was {column.Type})")]);
        Say(said, "changed", [.. Retyped.Select(column => $"{column.Name} (was {column.Before}, is {column.Now})")]);
        return string.Join("; ", said);
    }

    private static void Say(List<string> said, string what, IReadOnlyList<string> columns)
    {
        if (columns.Count == 0) return;
        var rest = columns.Count > NamedMax ? string.Create(CultureInfo.InvariantCulture, $" and {columns.Count - NamedMax} more") : "";
        said.Add($"{what}: {string.Join(", ", columns.Take(NamedMax))}{rest}");
    }

    /// <summary>A Parquet file of somebody else may have two columns of one name; the first is the one that is read.</summary>
    private static Dictionary<string, TableColumn> ByName(IReadOnlyList<TableColumn> columns) =>
        columns.DistinctBy(column => column.Name, StringComparer.OrdinalIgnoreCase).ToDictionary(column => column.Name, StringComparer.OrdinalIgnoreCase);
}

/// <param name="Name">As it was.</param>
public sealed record RetypedColumn(string Name, string Before, string Now);
