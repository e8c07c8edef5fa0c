using System.Text.RegularExpressions;

namespace Agnes.Protocol;

/// <summary>The shapes of names that cross the wire or become file names. Every rule is anchored at both ends and knows ASCII only.</summary>
public static partial class Identifiers
{
    private static readonly HashSet<string> ReservedSources = new(StringComparer.OrdinalIgnoreCase)
    {
        "main", "memory", "system", "temp", "server", "pg_catalog", "information_schema",
    };

    /// <summary>Source directories, table (view) names, aliases, snapshot names.</summary>
    public static bool IsStrict(string? name) => name is not null && Strict().IsMatch(name);

    /// <summary>Buckets, upstream tables, the table id in a download path, manifest keys.</summary>
    public static bool IsQuoted(string? name) => name is not null && Quoted().IsMatch(name);

    public static bool IsColumn(string? name) => IsStrict(name);

    public static bool IsSha256(string? hash) => hash is not null && Sha256().IsMatch(hash);

    /// <summary>A strict name that is no catalog of the engine's own, so that it can be a folder below <c>extracts/</c>.</summary>
    public static bool IsSource(string? name) => IsStrict(name) && !ReservedSources.Contains(name!);

    [GeneratedRegex(@"\A[a-zA-Z_][a-zA-Z0-9_]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Strict();

    [GeneratedRegex(@"\A[a-zA-Z0-9_][a-zA-Z0-9_.\-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256();
}
