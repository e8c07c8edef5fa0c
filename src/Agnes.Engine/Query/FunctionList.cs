namespace Agnes.Engine.Query;

/// <summary>The functions that a statement may call, by name and whatever schema it writes before it. What is not listed is refused.</summary>
internal static class FunctionList
{
    /// <summary>Scalar, aggregate and window functions, operators and macros.</summary>
    public static IReadOnlySet<string> Values { get; } = Read("Agnes.Engine.Query.functions.txt");

    /// <summary>Functions in a FROM clause.</summary>
    public static IReadOnlySet<string> Tables { get; } = Read("Agnes.Engine.Query.table-functions.txt");

    private static HashSet<string> Read(string resource)
    {
        using var stream = typeof(FunctionList).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split((char)10, StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
    }
}
