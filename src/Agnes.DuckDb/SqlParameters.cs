using System.Text;

namespace DuckDB.NET.Data;

/// <summary>
/// Turns <c>@name</c>, which ADO.NET code and Dapper write, into <c>$name</c>, which DuckDB reads, outside quotes and comments.
/// The text is scanned by the engine's own lexical rules: '…' with doubled quotes, e'…' with backslashes, "…", $tag$…$tag$, -- and nested /* */.
/// </summary>
internal static class SqlParameters
{
    /// <summary>The text with its placeholders in DuckDB's form. <c>&lt;@name</c> is an operator unless <paramref name="isParameter"/> knows the name.</summary>
    internal static string Rewrite(string sql, Func<string, bool>? isParameter = null)
    {
        if (!sql.Contains('@')) return sql;
        StringBuilder? result = null;
        var copied = 0;
        var i = 0;
        while (i < sql.Length)
        {
            var next = SkipToken(sql, i);
            if (next > i)
            {
                i = next;
                continue;
            }

            if (sql[i] == '@' && IsPlaceholder(sql, i, isParameter))
            {
                result ??= new StringBuilder(sql.Length + 8);
                result.Append(sql, copied, i - copied);
                if (i > 0 && IsNamePart(sql[i - 1])) result.Append(' '); // limit@n: $ may be part of a name, @ may not
                result.Append('$');
                copied = ++i;
                while (i < sql.Length && IsParameterPart(sql[i])) i++;
                continue;
            }

            i++;
        }

        return result is null ? sql : result.Append(sql, copied, sql.Length - copied).ToString();
    }

    private static bool IsPlaceholder(string sql, int at, Func<string, bool>? isParameter)
    {
        if (at + 1 >= sql.Length || !IsNameStart(sql[at + 1])) return false;
        if (at == 0 || sql[at - 1] is not ('<' or '@')) return true;
        if (sql[at - 1] == '@') return false;
        var end = at + 1;
        while (end < sql.Length && IsParameterPart(sql[end])) end++;
        return isParameter is not null && isParameter(sql[(at + 1)..end]);
    }

    /// <summary>The end of the quoted text, comment or name that begins here; the same position when none does.</summary>
    private static int SkipToken(string sql, int i)
    {
        switch (sql[i])
        {
            case '\'':
                return SkipQuoted(sql, i, '\'', escapes: false);
            case '"':
                return SkipQuoted(sql, i, '"', escapes: false);
            case '-' when Next(sql, i) == '-':
                var line = sql.AsSpan(i).IndexOfAny('\n', '\r');
                return line < 0 ? sql.Length : i + line;
            case '/' when Next(sql, i) == '*':
                return SkipComment(sql, i);
            case '$':
                return SkipDollar(sql, i);
            case 'e' or 'E' when Next(sql, i) == '\'':
                return SkipQuoted(sql, i + 1, '\'', escapes: true);
            default:
                if (!IsNameStart(sql[i])) return i;
                while (i < sql.Length && IsNamePart(sql[i])) i++;
                return i;
        }
    }

    private static int SkipQuoted(string sql, int i, char quote, bool escapes)
    {
        for (i++; i < sql.Length; i++)
        {
            if (escapes && sql[i] == '\\') i++;
            else if (sql[i] == quote)
            {
                if (Next(sql, i) != quote) return i + 1;
                i++;
            }
        }

        return sql.Length;
    }

    private static int SkipComment(string sql, int i)
    {
        var depth = 1;
        for (i += 2; i < sql.Length; i++)
        {
            if (sql[i] == '/' && Next(sql, i) == '*')
            {
                depth++;
                i++;
            }
            else if (sql[i] == '*' && Next(sql, i) == '/')
            {
                i++;
                if (--depth == 0) return i + 1;
            }
        }

        return sql.Length;
    }

    private static int SkipDollar(string sql, int i)
    {
        var end = i + 1;
        if (end < sql.Length && IsNameStart(sql[end]))
        {
            while (end < sql.Length && IsParameterPart(sql[end])) end++;
        }

        if (end >= sql.Length || sql[end] != '$') return end; // $name or $1: a placeholder in DuckDB's own form
        var tag = sql.AsSpan(i, end + 1 - i);
        var close = sql.AsSpan(end + 1).IndexOf(tag, StringComparison.Ordinal);
        return close < 0 ? sql.Length : end + 1 + close + tag.Length;
    }

    private static char Next(string sql, int i) => i + 1 < sql.Length ? sql[i + 1] : '\0';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= 0x80;

    private static bool IsParameterPart(char c) => IsNameStart(c) || char.IsAsciiDigit(c);

    private static bool IsNamePart(char c) => IsParameterPart(c) || c == '$';
}
