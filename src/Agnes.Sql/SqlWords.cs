namespace Agnes.Sql;

/// <summary>The names and texts in a statement, as the engine's scanner would cut them: without comments, numbers and operators.</summary>
public static class SqlWords
{
    /// <param name="keyword">Sought outside of quotes.</param>
    public static HashSet<string> Of(string sql, string keyword, out bool hasKeyword)
    {
        hasKeyword = false;
        var words = new HashSet<string>(EngineNames.Comparer);
        for (var i = 0; i < sql.Length;)
        {
            var c = sql[i];
            if (Begins(sql, i, "--")) i = After(sql, i, "\n");
            else if (Begins(sql, i, "/*")) i = AfterComment(sql, i);
            else if (c is '"' or '\'') i = AddQuoted(sql, i, words);
            else if (c is '$') i = AddDollar(sql, i, words);
            else if (char.IsAsciiDigit(c)) i = AfterNumber(sql, i);
            else if (IsWord(c))
            {
                var start = i;
                i = AddWord(sql, i, words);
                hasKeyword |= i - start == keyword.Length && EngineNames.Same(sql[start..i], keyword);
            }
            else i++;
        }

        return words;
    }

    /// <summary>Whether a semicolon outside of quotes and comments has more than blanks and comments behind it.</summary>
    public static bool HasSeveralStatements(string sql)
    {
        var isEnded = false;
        for (var i = 0; i < sql.Length;)
        {
            var start = i;
            if (Begins(sql, i, "--")) i = After(sql, i, "\n");
            else if (Begins(sql, i, "/*")) i = AfterComment(sql, i);
            else if (char.IsWhiteSpace(sql[i])) i++;
            else if (isEnded) return true;
            else if (sql[i] is '"' or '\'') i = AfterQuoted(sql, i, isEscaped: i > 0 && sql[i - 1] is 'e' or 'E');
            else if (sql[i] is '$') i = AddDollar(sql, i, []);
            else i++;
            isEnded |= sql[start] == ';';
        }

        return false;
    }

    private static int AddWord(string sql, int start, HashSet<string> words)
    {
        var end = start;
        while (end < sql.Length && (IsWord(sql[end]) || sql[end] is '$')) end++;
        // E'…', X'…' and the like are written otherwise in the tree.
        if (end - start == 1 && end < sql.Length && sql[end] == '\'') return AfterQuoted(sql, end, isEscaped: sql[start] is 'e' or 'E');
        words.Add(sql[start..end]);
        return end;
    }

    private static int AddQuoted(string sql, int start, HashSet<string> words)
    {
        var end = AfterQuoted(sql, start, isEscaped: false);
        var quote = sql[start..(start + 1)];
        if (end - start > 2) words.Add(sql[(start + 1)..(end - 1)].Replace(quote + quote, quote, StringComparison.Ordinal));
        return end;
    }

    /// <summary>$1 and $name are parameters, $$ and $tag$ begin a text that ends with the same.</summary>
    private static int AddDollar(string sql, int start, HashSet<string> words)
    {
        var end = start + 1;
        while (end < sql.Length && IsWord(sql[end])) end++;
        if (end >= sql.Length || sql[end] != '$' || (end > start + 1 && char.IsAsciiDigit(sql[start + 1]))) return end;
        var tag = sql[start..(end + 1)];
        var close = sql.IndexOf(tag, end + 1, StringComparison.Ordinal);
        if (close < 0) return sql.Length;
        if (close > end + 1) words.Add(sql[(end + 1)..close]);
        return close + tag.Length;
    }

    private static int AfterQuoted(string sql, int start, bool isEscaped)
    {
        var quote = sql[start];
        for (var i = start + 1; i < sql.Length; i++)
        {
            if (isEscaped && sql[i] == '\\') i++;
            else if (sql[i] == quote && i + 1 < sql.Length && sql[i + 1] == quote) i++;
            else if (sql[i] == quote) return i + 1;
        }

        return sql.Length;
    }

    private static int AfterNumber(string sql, int start)
    {
        var i = start;
        while (i < sql.Length && (char.IsAsciiDigit(sql[i]) || sql[i] is '.' or '_')) i++;
        if (i + 1 >= sql.Length || sql[i] is not ('e' or 'E')) return i;
        if (char.IsAsciiDigit(sql[i + 1])) return i + 1;
        return sql[i + 1] is '+' or '-' && i + 2 < sql.Length && char.IsAsciiDigit(sql[i + 2]) ? i + 2 : i;
    }

    private static int AfterComment(string sql, int start)
    {
        var depth = 0;
        for (var i = start; i < sql.Length; i++)
        {
            if (Begins(sql, i, "/*")) (depth, i) = (depth + 1, i + 1);
            else if (Begins(sql, i, "*/")) (depth, i) = (depth - 1, i + 1);
            if (depth == 0) return i + 1;
        }

        return sql.Length;
    }

    private static int After(string sql, int start, string end) => sql.IndexOf(end, start, StringComparison.Ordinal) is >= 0 and var at ? at + end.Length : sql.Length;

    private static bool Begins(string sql, int at, string with) => string.CompareOrdinal(sql, at, with, 0, with.Length) == 0;

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' || (c > '\u007f' && !char.IsWhiteSpace(c));
}
