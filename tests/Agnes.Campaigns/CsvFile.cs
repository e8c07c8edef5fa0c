using System.Globalization;
using System.Text;

namespace Agnes.Campaigns;

/// <summary>One generated delimited file: how it is written, and what its columns hold.</summary>
internal sealed class CsvFile
{
    private const int ColumnsMax = 8;

    private static readonly string[] Encodings = ["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "windows-1252", "iso-8859-2", "windows-1251", "macintosh", "shift_jis"];

    /// <summary>Letters that an encoding has, in words: without them nobody could guess it.</summary>
    private static readonly Dictionary<string, string[]> Words = new(StringComparer.Ordinal)
    {
        ["utf"] = ["Zoë", "naïve café", "Straße", "日本語", "Привет", "emoji 🙂", "a\u00a0b", "plain"],
        ["windows-1252"] = ["Zoë", "Müller", "Straße", "café", "“quoted”", "€ 5", "plain"],
        ["iso-8859-2"] = ["Łódź", "Škoda", "žluťoučký", "Győr", "plain"],
        ["windows-1251"] = ["Привет мир", "Москва", "хорошо", "plain"],
        ["macintosh"] = ["Rodríguez", "Chloë", "François", "Núñez", "plain"],
        ["shift_jis"] = ["東京都", "大阪市", "日本語テスト", "plain"],
    };

    private static readonly Func<Random, int, string[], string>[] Kinds =
    [
        (random, _, _) => $"{random.Next(-1000, 100_000)}",
        (random, _, _) => random.Next(100_000).ToString("00000", CultureInfo.InvariantCulture),
        (_, row, _) => row > 30 ? "007" : "94000",
        (random, _, _) => (random.Next(-100_000, 100_000) / 100m).ToString("0.00", CultureInfo.InvariantCulture),
        (random, _, _) => $"{random.NextDouble():R}",
        (random, _, _) => $"{random.NextInt64()}{random.Next(10)}",
        (random, _, _) => $"{random.Next(1, 9)}E{random.Next(1, 9)}",
        (random, _, _) => $"{random.Next(1, 9)}.{random.Next(1, 99)}e{random.Next(-9, 9)}",
        (random, _, _) => $"{random.Next(1900, 2100)}-{random.Next(1, 13):00}-{random.Next(1, 29):00}",
        (random, _, _) => $"{random.Next(1, 13):00}/{random.Next(1, 13):00}/2024",
        (random, _, _) => $"{random.Next(1, 13)}/{random.Next(1, 13)}/{random.Next(10, 30)}",
        (random, _, _) => $"2024-{random.Next(1, 13):00}-{random.Next(1, 29):00} {random.Next(24):00}:{random.Next(60):00}:{random.Next(60):00}",
        (random, _, _) => $"2024-{random.Next(1, 13):00}-{random.Next(1, 29):00}T{random.Next(24):00}:{random.Next(60):00}",
        (random, _, _) => $"{random.Next(24):00}:{random.Next(60):00}",
        (random, _, _) => random.Next(2) == 0 ? "true" : "False",
        (random, _, _) => random.Next(2) == 0 ? "Yes" : "No",
        (random, _, _) => random.Next(4) == 0 ? "NA" : $"{random.Next(100)}",
        (random, _, _) => $"+49 {random.Next(100_000, 999_999)}",
        (random, _, _) => $"{random.Next(100)}%",
        (random, _, _) => $"1,{random.Next(100, 999)}.5",
        (random, _, _) => $" {random.Next(100)} ",
        (random, _, words) => words[random.Next(words.Length)],
        (random, _, words) => $"{words[random.Next(words.Length)]}{(random.Next(3) == 0 ? ",;|\t" : "")}{(random.Next(4) == 0 ? "\"x\"" : "")}{(random.Next(9) == 0 ? "\nline" : "")}",
        (random, _, _) => $"0x{random.Next(255):X2}",
        (random, _, _) => $"{random.Next(1, 9)}_{random.Next(100, 999)}",
    ];

    public required string Name { get; init; }
    public required string Encoding { get; init; }
    public required char Delimiter { get; init; }
    public required bool IsTold { get; init; }
    public required byte[] Bytes { get; init; }

    /// <summary>As people set it, where they do.</summary>
    public string? Settings => !IsTold ? null
        : $$"""{"delimiter":{{System.Text.Json.JsonSerializer.Serialize($"{Delimiter}")}},"quote":"\"","escape":"\"","header":true,"skip_lines":0{{(IsMarked ? "" : $",\"encoding\":\"{Encoding}\"")}}}""";

    /// <summary>Python's name of the encoding.</summary>
    public string PythonEncoding => Encoding switch { "macintosh" => "mac_roman", "utf-16-be" => "utf-16", _ => Encoding };

    public override string ToString() => $"{Name} ({Encoding}, delimiter '{(Delimiter == '\t' ? "\\t" : Delimiter)}', {(IsTold ? "settings told" : "settings left alone")})";

    private bool IsMarked => Encoding is "utf-8-sig" || Encoding.StartsWith("utf-16", StringComparison.Ordinal);

    public static CsvFile Make(int index, Random random)
    {
        var encoding = Encodings[random.Next(Encodings.Length)];
        var delimiter = ",;\t|"[random.Next(4)];
        var lineEnd = random.Next(3) == 0 ? "\r\n" : "\n";
        var quotesAll = random.Next(4) == 0;
        var words = Words[encoding.StartsWith("utf", StringComparison.Ordinal) ? "utf" : encoding];
        var kinds = Enumerable.Range(0, random.Next(2, ColumnsMax + 1)).Select(_ => Kinds[random.Next(Kinds.Length)]).Append(Kinds[21]).ToArray();
        var rows = random.Next(12) == 0 ? 21_000 : random.Next(20, 300);
        var empty = random.Next(3) == 0;
        var text = new StringBuilder().AppendJoin(delimiter, kinds.Select((_, column) => Cell($"col{column}", delimiter, quotesAll))).Append(lineEnd);
        for (var row = 0; row < rows; row++)
        {
            var cells = kinds.Select((kind, column) => Cell(empty && random.Next(10) == 0 && column > 0 ? "" : kind(random, row, words), delimiter, quotesAll));
            text.AppendJoin(delimiter, cells).Append(row == rows - 1 && random.Next(4) == 0 ? "" : lineEnd);
        }

        return new CsvFile { Name = $"t{index}", Encoding = encoding, Delimiter = delimiter, IsTold = random.Next(2) == 0, Bytes = Encode(encoding, text.ToString()) };
    }

    public static string Cell(string value, char delimiter, bool quotesAll) =>
        quotesAll || value.AsSpan().IndexOfAny(delimiter, '"', '\n') >= 0 ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;

    public static byte[] Encode(string encoding, string text)
    {
        System.Text.Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var target = encoding switch
        {
            "utf-8" => new UTF8Encoding(false),
            "utf-8-sig" => new UTF8Encoding(true),
            "utf-16" => new UnicodeEncoding(false, true),
            "utf-16-be" => new UnicodeEncoding(true, true),
            _ => System.Text.Encoding.GetEncoding(encoding, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback),
        };
        return [.. target.GetPreamble(), .. target.GetBytes(text)];
    }
}
