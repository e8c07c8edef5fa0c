using System.Diagnostics.CodeAnalysis;

namespace Agnes.Sql;

/// <summary>How the engine compares names: the 26 letters without case, all else exactly. To .NET É and é are one name without case; to the engine they are two.</summary>
public sealed class EngineNames : IEqualityComparer<string>
{
    public static EngineNames Comparer { get; } = new();

    public static bool Same(string left, string right)
    {
        if (left.Length != right.Length) return false;
        for (var i = 0; i < left.Length; i++)
            if (Fold(left[i]) != Fold(right[i])) return false;
        return true;
    }

    public static string Lower(string name)
    {
        if (!name.AsSpan().ContainsAnyInRange('A', 'Z')) return name;
        return string.Create(name.Length, name, static (lower, given) =>
        {
            for (var i = 0; i < lower.Length; i++) lower[i] = Fold(given[i]);
        });
    }

    public bool Equals(string? x, string? y) => x is null ? y is null : y is not null && Same(x, y);

    /// <summary>Equal for more names than are the same, which a hash may be.</summary>
    public int GetHashCode([DisallowNull] string obj) => string.GetHashCode(obj, StringComparison.OrdinalIgnoreCase);

    private static char Fold(char c) => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
}
