using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Agnes.Cli.Output;

/// <summary>Text on a terminal: how wide it is, and made safe. A cell is data from outside; it must not move the cursor or set colours.</summary>
internal static partial class DisplayText
{
    /// <summary>Columns that the text takes: two for East Asian wide characters and emoji, none for combining marks.</summary>
    public static int Width(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes()) width += Width(rune);
        return width;
    }

    /// <summary>Control characters as visible escapes, so that one value is one line.</summary>
    public static string OneLine(string text)
    {
        if (!text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\u202a' or '\u202b' or '\u202d' or '\u202e' or '\u2066' or '\u2067' or '\u2068')) return text;
        var safe = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            switch (c)
            {
                case '\n': safe.Append("\\n"); break;
                case '\r': safe.Append("\\r"); break;
                case '\t': safe.Append("\\t"); break;
                case var _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\u202a' or '\u202b' or '\u202d' or '\u202e' or '\u2066' or '\u2067' or '\u2068':
                    safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                    break;
                default: safe.Append(c); break;
            }
        }

        return safe.ToString();
    }

    /// <summary>A message of several lines, such as an engine's error, as one sentence: without the lines that point into a statement.</summary>
    public static string Message(string text) => OneLine(LineEnds().Replace(Pointer().Replace(text.Trim(), ""), " "));

    /// <summary>The same for a text of several lines: an error may quote a cell, or a server.</summary>
    public static string Lines(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(OneLine));

    public static string Cut(string text, int width)
    {
        if (Width(text) <= width) return text;
        var cut = new StringBuilder();
        var used = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (used + Width(rune) > width - 1) break;
            cut.Append(rune.ToString());
            used += Width(rune);
        }

        return cut.Append('…').ToString();
    }

    private static int Width(Rune rune)
    {
        if (rune.Value < 0x300) return 1;
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format) return 0;
        return rune.Value switch
        {
            >= 0x1100 and <= 0x115f or >= 0x2e80 and <= 0x303e or >= 0x3041 and <= 0x33ff or >= 0x3400 and <= 0x4dbf or >= 0x4e00 and <= 0x9fff => 2,
            >= 0xa000 and <= 0xa4cf or >= 0xac00 and <= 0xd7a3 or >= 0xf900 and <= 0xfaff or >= 0xfe30 and <= 0xfe6f or >= 0xff00 and <= 0xff60 => 2,
            >= 0xffe0 and <= 0xffe6 or >= 0x1f300 and <= 0x1f64f or >= 0x1f680 and <= 0x1f6ff or >= 0x1f900 and <= 0x1faff or >= 0x20000 and <= 0x3fffd => 2,
            _ => 1,
        };
    }

    [GeneratedRegex(@"\n\s*LINE \d+:[\s\S]*\z")]
    private static partial Regex Pointer();

    [GeneratedRegex(@"\s*[\r\n]\s*")]
    private static partial Regex LineEnds();
}
