using System.Globalization;
using System.Text;

namespace Agnes.Sql.BigQuery;

/// <summary>
/// The one place that puts a name or a text into SQL for BigQuery. What it writes is ASCII: no character can be taken for another on the
/// way, and none ends a line or a quote.
/// </summary>
public static class BigQueryText
{
    /// <summary>In backticks wherever a reader could take it for something else.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static string Identifier(string name)
    {
        if (name.Length == 0) throw new ArgumentException("An identifier must not be empty.", nameof(name));
        return IsPlainWord(name) && !Words.Reserved.Contains(name) && !Words.Soft.Contains(name) ? name : Quote(name, '`');
    }

    /// <summary>In backticks always: of a table, all parts of its full name at once.</summary>
    public static string Quoted(string name) => Quote(name, '`');

    public static string Literal(string text) => Quote(text, '\'');

    /// <param name="bytes">Each character is one byte.</param>
    internal static string Bytes(string bytes) => $"b{Quote(bytes, '\'', isBytes: true)}";

    internal static bool IsPlainWord(string name) => Lexer.IsWordStart(name[0]) && name.All(Lexer.IsWord);

    internal static string Quote(string text, char quote, bool isBytes = false)
    {
        var sql = new StringBuilder(text.Length + 2).Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == quote || rune.Value == '\\') sql.Append('\\').Append((char)rune.Value);
            else if (rune.Value is >= ' ' and < 0x7f) sql.Append((char)rune.Value);
            else if (isBytes || rune.Value < 0x80) sql.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:X2}");
            else if (rune.Value <= 0xffff) sql.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            else sql.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:X8}");
        }

        return sql.Append(quote).ToString();
    }
}
