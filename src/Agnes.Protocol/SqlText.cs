namespace Agnes.Protocol;

/// <summary>The one place that puts a name or a text into SQL for DuckDB or PostgreSQL.</summary>
public static class SqlText
{
    /// <exception cref="ArgumentException">The name is empty or holds a NUL, which neither engine can store.</exception>
    public static string Identifier(string name)
    {
        if (name.Length == 0 || name.Contains('\0')) throw new ArgumentException("An identifier must not be empty or hold a NUL.", nameof(name));
        return $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    /// <exception cref="ArgumentException">The text holds a NUL.</exception>
    public static string Literal(string text)
    {
        if (text.Contains('\0')) throw new ArgumentException("A text must not hold a NUL.", nameof(text));
        return $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <summary><c>['a', 'b']</c></summary>
    public static string List(IEnumerable<string> texts) => $"[{string.Join(", ", texts.Select(Literal))}]";
}
