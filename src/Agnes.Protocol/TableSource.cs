namespace Agnes.Protocol;

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
}
