using System.Globalization;
using System.Text;
using UtfUnknown;

namespace Agnes.Connectors.Files;

/// <summary>
/// Guesses the encoding of a text that is not UTF-8, by a detector of character sets and by what its words look like in each encoding: the detector needs
/// paragraphs, and a table often has no more than a few names.
/// </summary>
internal static class Charset
{
    private const int SampleBytesMax = 256 << 10;

    /// <summary>Sure enough to overrule what words look like; it is for encodings of several bytes a letter, which leave no room for chance.</summary>
    private const float Sure = 0.9f;

    private const double CommonestBonus = 0.3;
    private const char FirstGreek = '\u0370';

    /// <summary>What follows an apostrophe in English: it’s, don’t. The same byte is a letter in Mac OS Roman.</summary>
    private static readonly string[] Contractions = ["s", "t", "d", "m", "re", "ve", "ll"];

    private const int ContractionLettersMax = 2;
    private const int LetterScore = 2;
    private static readonly string[] Western = ["windows-1252", "macintosh"];

    /// <summary>The detector often names one where it is the other, or neither; looked at where Western ones make no words.</summary>
    private static readonly string[] Central = ["windows-1250", "iso-8859-2"];

    private const double Words = 1;

    /// <summary>What the table's files were in before is likelier than what another looks a little better in; a few names say little.</summary>
    private const double UsualBonus = 0.5;

    /// <param name="usual">What the table's files were in before; null where that is UTF-8, or not known.</param>
    /// <returns>A name that .NET knows; null where the text is damaged UTF-8, or nothing is likely.</returns>
    public static async Task<string?> GuessAsync(InputFile file, string? usual, CancellationToken cancellation)
    {
        if (await TextEncoding.BeyondAsciiAsync(file, SampleBytesMax, cancellation) is not { Length: > 0 } lines) return null;
        var detected = CharsetDetector.DetectFromBytes(lines).Details?.Where(detail => TextEncoding.Named(detail.EncodingName) is not null).ToList() ?? [];
        if (detected is [{ Confidence: > Sure } sure, ..] && !TextEncoding.Named(sure.EncodingName)!.IsSingleByte && Decode(sure.EncodingName, lines) is not null) return Plain(sure.EncodingName);
        var areWords = Western.Any(name => Decode(name, lines) is { } text && Score(text) >= Words);
        var candidates = Western.Concat(detected.Select(detail => Plain(detail.EncodingName))).Concat(areWords ? [] : Central).Concat(usual is null ? [] : [usual]).Distinct(StringComparer.OrdinalIgnoreCase);
        var best = candidates.Select(name => (Name: name, Text: Decode(name, lines))).Where(each => each.Text is not null)
            .Select(each => (each.Name, Score: Score(each.Text!) + Bonus(each.Name, each.Text!, detected) + (each.Name == usual ? UsualBonus : 0))).OrderByDescending(each => each.Score).FirstOrDefault();
        return best.Name;
    }

    /// <summary>Letters of another script look as good in windows-1252 as in their own; there the detector knows better. Between Latin encodings the commonest is likeliest.</summary>
    private static double Bonus(string name, string text, List<DetectionDetail> detected)
    {
        if (name == Western[0]) return CommonestBonus;
        var letters = text.Where(character => character >= 0x80 && char.IsLetter(character)).ToList();
        if (letters.Count(character => character >= FirstGreek) * 2 <= letters.Count) return 0;
        return detected.Where(detail => Plain(detail.EncodingName) == name).Select(detail => detail.Confidence).DefaultIfEmpty(0).Max();
    }

    /// <summary>Windows' own superset of Latin-1: a text that is called ISO-8859-1 is nearly always that.</summary>
    private static string Plain(string name) => name.ToLowerInvariant() is "iso-8859-1" or "ascii" ? "windows-1252" : name.ToLowerInvariant();

    private static string? Decode(string name, byte[] lines)
    {
        try
        {
            return Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback).GetString(lines);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>How much the characters beyond ASCII look like parts of words and punctuation, on average.</summary>
    private static double Score(string text)
    {
        var (sum, count) = (0.0, 0);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] < 0x80) continue;
            count++;
            sum += IsContraction(text, index) ? LetterScore : Score(text[index], index > 0 ? text[index - 1] : '\n', index + 1 < text.Length ? text[index + 1] : '\n');
        }
        return count == 0 ? 0 : sum / count;
    }

    private static bool IsContraction(string text, int at)
    {
        if (text[at] != '’' || at == 0 || !char.IsLetter(text[at - 1])) return false;
        var end = at + 1;
        while (end < text.Length && end - at - 1 <= ContractionLettersMax && char.IsLetter(text[end])) end++;
        return Contractions.Contains(text[(at + 1)..end], StringComparer.Ordinal);
    }

    private static int Score(char character, char before, char after)
    {
        var inside = char.IsLetter(before) && char.IsLetter(after);
        var alone = !char.IsLetter(before) && !char.IsLetter(after);
        return char.GetUnicodeCategory(character) switch
        {
            UnicodeCategory.Control or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => -6,
            UnicodeCategory.LowercaseLetter or UnicodeCategory.UppercaseLetter when alone => 0,
            UnicodeCategory.LowercaseLetter => char.IsUpper(after) || char.IsDigit(before) ? -1 : LetterScore,
            UnicodeCategory.UppercaseLetter => char.IsLower(before) ? -3 : 1,
            UnicodeCategory.OtherLetter => 1,
            UnicodeCategory.InitialQuotePunctuation => char.IsLetter(before) ? -2 : 1,
            UnicodeCategory.FinalQuotePunctuation => inside && character != '’' ? -3 : 1,
            // ©koda and £ód¼ are Škoda and Łódź in another encoding; Brand® and 20 °C are what they look like.
            UnicodeCategory.OtherSymbol => char.IsLetter(after) && character != '°' ? -3 : 0,
            UnicodeCategory.OtherNumber => char.IsLetter(after) || character > '¹' && char.IsLetter(before) ? -3 : 0,
            UnicodeCategory.CurrencySymbol => inside || char.IsLower(after) ? -3 : char.IsDigit(before) || char.IsDigit(after) || char.IsWhiteSpace(after) ? 1 : 0,
            _ => inside ? -3 : 0,
        };
    }
}
