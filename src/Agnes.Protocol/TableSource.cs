namespace Agnes.Protocol;

/// <summary>The files of rows that are newer than a table's version, and of the keys that they are of.</summary>
/// <param name="Rows">Null: the keys have no rows any more.</param>
/// <param name="Columns">Of the rows: others than the table's, where it was set differently meanwhile.</param>
public sealed record TailPaths(string? Rows, string Keys, IReadOnlyList<string> Columns);

/// <summary>The one place that turns a table version, or a file of a workspace, into SQL.</summary>
public static class TableSource
{
    /// <summary>All parts of a version have the same columns (publishing sees to it), so none is read to unify them.</summary>
    /// <param name="paths">Local paths, in the order of the parts; at least one.</param>
    public static string FromParts(IReadOnlyList<string> paths)
    {
        if (paths.Count == 0) throw new ArgumentException("A table version has at least one part.", nameof(paths));
        var source = paths.Count == 1 ? SqlText.Literal(paths[0]) : SqlText.List(paths);
        return $"SELECT * FROM read_parquet({source}, hive_partitioning=false, union_by_name=false)";
    }

    /// <summary>
    /// A version with a tail: of each key what the latest run says of it, and what the version says where none does. A run has all rows of the keys that it names.
    /// </summary>
    /// <param name="columns">Of the version, in order.</param>
    /// <param name="key">The column that says which rows go together.</param>
    /// <param name="runs">Oldest first; at least one.</param>
    public static string FromPartsWithTail(IReadOnlyList<string> paths, IReadOnlyList<string> columns, string key, IReadOnlyList<TailPaths> runs)
    {
        var names = string.Join(", ", columns.Select(SqlText.Identifier));
        return $"SELECT {names} FROM ({FromParts(paths)}){Without(key, [.. runs.Select(run => run.Keys)])}"
            + (runs.Any(run => run.Rows is not null) ? $" UNION ALL {FromRuns(columns, key, runs)}" : "");
    }

    /// <summary>The same of the tail alone; at least one run has rows.</summary>
    public static string FromRuns(IReadOnlyList<string> columns, string key, IReadOnlyList<TailPaths> runs)
    {
        return string.Join(" UNION ALL ", runs.Index().Where(run => run.Item.Rows is not null).Select(run =>
            $"SELECT {Cells(columns, run.Item.Columns)} FROM {FilesOf([run.Item.Rows!])}{Without(key, [.. runs.Skip(run.Index + 1).Select(later => later.Keys)])}"));
    }

    /// <summary>Columns of which some files have not all: those are NULL in them.</summary>
    /// <param name="held">What the files have.</param>
    public static string Cells(IReadOnlyList<string> columns, IReadOnlyList<string> held)
    {
        var known = held.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return string.Join(", ", columns.Select(SqlText.Identifier).Zip(columns, (name, column) => known.Contains(column) ? name : $"NULL AS {name}"));
    }

    private static string Without(string key, IReadOnlyList<string> keys) => keys.Count == 0 ? "" : $" ANTI JOIN {FilesOf(keys)} USING ({SqlText.Identifier(key)})";

    /// <summary>What follows FROM and yields the rows of some files of equal columns.</summary>
    public static string FilesOf(IEnumerable<string> paths) => $"({FromParts([.. paths])})";
}
