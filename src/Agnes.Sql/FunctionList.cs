namespace Agnes.Sql;

/// <summary>The functions that a statement may call, by name and whatever schema it writes before it. What is not listed is refused.</summary>
public static class FunctionList
{
    /// <summary>Scalar, aggregate and window functions, operators and macros.</summary>
    public static IReadOnlySet<string> Values { get; } = Read("functions.txt");

    /// <summary>Functions in a FROM clause.</summary>
    public static IReadOnlySet<string> Tables { get; } = Read("table-functions.txt");

    private static HashSet<string> Read(string resource)
    {
        using var stream = typeof(FunctionList).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split((char)10, StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
    }
}
