using System.Text;

namespace Agnes.Server.Features.Sources.BigQuery;

/// <summary>Queries of older installations that name tables as <c>bq."dataset"."table"</c>.</summary>
internal static class QuotedQueries
{
    /// <summary>Goes over the query token by token, so that nothing within a text or a comment is taken for a table.</summary>
    public static string Rewrite(string query, string project, out bool found)
    {
        const string Prefix = "bq.\"";
        var made = new StringBuilder(query.Length);
        found = false;
        var at = 0;
        while (at < query.Length)
        {
            var end = EndOfToken(query, at);
            if (end > at + 1)
            {
                made.Append(query, at, end - at);
                at = end;
                continue;
            }

            var isStart = at == 0 || !(char.IsLetterOrDigit(query[at - 1]) || query[at - 1] is '_' or '.');
            if (isStart && query.AsSpan(at).StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && Quoted(query, at + 3) is var (dataset, next) && next < query.Length && query[next] == '.' && Quoted(query, next + 1) is var (table, after))
            {
                made.Append('`').Append(project).Append('.').Append(dataset).Append('.').Append(table).Append('`');
                found = true;
                at = after;
                continue;
            }

            made.Append(query[at++]);
        }

        return made.ToString();
    }

    /// <summary>Past a text, a quoted name or a comment that begins here; else the next character.</summary>
    private static int EndOfToken(string query, int at)
    {
        int Past(string mark, int from) => query.IndexOf(mark, from, StringComparison.Ordinal) is >= 0 and var found ? found + mark.Length : query.Length;
        if (query[at] is '\'' or '`' or '"') return Past(query[at].ToString(), at + 1);
        if (query.AsSpan(at).StartsWith("--")) return Past("\n", at);
        return query.AsSpan(at).StartsWith("/*") ? Past("*/", at + 2) : at + 1;
    }

    private static (string Name, int Next)? Quoted(string query, int at)
    {
        if (at >= query.Length || query[at] != '"') return null;
        var end = query.IndexOf('"', at + 1);
        return end > at + 1 ? (query[(at + 1)..end], end + 1) : null;
    }
}
