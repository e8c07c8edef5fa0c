using System.Collections.Frozen;

namespace Agnes.Sql.BigQuery;

/// <summary>
/// Functions that a statement may call in BigQuery's dialect. All of them say something of their arguments alone, or of the rows that
/// they are given: none reads a table, a model, a key, another system or who is asking.
/// </summary>
public static class CalledFunctions
{
    private static readonly FrozenSet<string> All = Read();

    /// <param name="name">With dots, without SAFE.</param>
    public static bool Allows(string name) => All.Contains(name);

    public static IReadOnlyList<string> Nearest(string name) => NearestNames.Of(name, All);

    private static FrozenSet<string> Read()
    {
        const string resource = "bigquery-functions.txt";
        using var stream = typeof(CalledFunctions).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{resource} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(EngineNames.Comparer);
    }
}
