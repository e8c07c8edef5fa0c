using System.Globalization;
using System.Text;

namespace Agnes.Server.Features.Prompts;

/// <summary>What people typed somewhere, made fit for a text that an agent reads as its instructions.</summary>
internal static class PlainText
{
    private const int ValueCharsMax = 200;

    /// <summary>
    /// One line that is text and nothing else: a description must not be able to start a heading, a code block, a link or a paragraph of its own in the agent's instructions.
    /// </summary>
    public static string Of(string text)
    {
        var plain = new StringBuilder();
        var isSpace = true;
        foreach (var rune in text.EnumerateRunes())
        {
            if (plain.Length >= ValueCharsMax)
            {
                plain.Append('…');
                break;
            }
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                if (!isSpace) plain.Append(' ');
                isSpace = true;
                continue;
            }
            isSpace = false;
            switch (rune.Value)
            {
                case '<': plain.Append("&lt;"); break;
                case '>': plain.Append("&gt;"); break;
                case '`' or '*' or '[' or ']' or '|' or '\\' or '#': plain.Append('\\').Append((char)rune.Value); break;
                default: plain.Append(rune.ToString()); break;
            }
        }
        return plain.ToString().TrimEnd();
    }
}
