using System.Globalization;
using System.Text;

namespace Agnes.Campaigns;

/// <summary>Generated files of the kinds in which values changed without a word when 615 public files were tried: what a newsroom and a shop put on the web.</summary>
internal static class FoundFile
{
    /// <summary>More than a reader takes for its sample.</summary>
    private const int BeyondSample = 20_480;

    /// <summary>So much plain text comes before the one odd byte.</summary>
    private const int PlainBytes = 9 << 10;

    private static readonly string[] WesternNames = ["Zoë Müller", "Renée O’Brien", "“Buddy” Straße", "José – Núñez", "Chloë’s café", "plain", "Ann Smith"];
    private static readonly string[] MacNames = ["Rodríguez", "Chloë", "François", "Don’t “know”", "Núñez", "plain", "Ann Smith"];
    private static readonly (string Encoding, string Word)[] OddWords = [("windows-1252", "café"), ("windows-1252", "it’s"), ("windows-1252", "Müller"), ("macintosh", "Chloë"), ("macintosh", "café")];

    private static readonly (string Name, Func<string, Random, CsvFile> Make)[] Kinds =
    [
        ("windows-1252 names", (name, random) => Of(name, random, "windows-1252", Rows(random), row => WesternNames[row < WesternNames.Length ? row : random.Next(WesternNames.Length)])),
        ("Mac Roman names", (name, random) => Of(name, random, "macintosh", Rows(random), row => MacNames[row < MacNames.Length ? row : random.Next(MacNames.Length)])),
        ("one odd byte", OneOddByte),
        ("dates of two digits", (name, random) => Of(name, random, "utf-8", Rows(random), _ => $"{random.Next(1, 13)}/{random.Next(1, random.Next(2) == 0 ? 13 : 29)}/{random.Next(10, 30)}")),
        ("zeros after the sample", (name, random) => Of(name, random, "utf-8", BeyondSample + random.Next(1, 3000),
            row => row < BeyondSample ? $"{random.Next(10_000, 99_999)}" : random.Next(0, 10_000).ToString("00000", CultureInfo.InvariantCulture))),
        ("codes with an E", (name, random) => Of(name, random, "utf-8", Rows(random), _ => random.Next(3) == 0 ? $"{random.Next(1000)}" : $"{random.Next(1, 99)}E{random.Next(0, 12)}")),
        ("yes and no", (name, random) => Of(name, random, "utf-8", Rows(random), Answers(random))),
    ];

    public static CsvFile Make(int index, Random random)
    {
        var (kind, make) = Kinds[index % Kinds.Length];
        return make($"{kind.Replace(' ', '_').Replace('-', '_')}_{index}", random);
    }

    private static CsvFile OneOddByte(string name, Random random)
    {
        var (encoding, word) = OddWords[random.Next(OddWords.Length)];
        var rows = PlainBytes + random.Next(20_000); // each is longer than a byte
        var odd = random.Next(PlainBytes, rows);
        return Of(name, random, encoding, rows, row => row == odd ? word : "plain words");
    }

    private static Func<int, string> Answers(Random random)
    {
        string[] words = random.Next(3) switch { 0 => ["Yes", "No"], 1 => ["yes", "no", ""], _ => ["Y", "N"] };
        return _ => words[random.Next(words.Length)];
    }

    private static int Rows(Random random) => random.Next(40, 2000);

    private static CsvFile Of(string name, Random random, string encoding, int rows, Func<int, string> cell)
    {
        var delimiter = ",,;\t"[random.Next(4)];
        var lineEnd = random.Next(2) == 0 ? "\r\n" : "\n";
        var text = new StringBuilder($"id{delimiter}value{delimiter}amount{lineEnd}");
        for (var row = 0; row < rows; row++) text.Append(CultureInfo.InvariantCulture, $"{row}{delimiter}{CsvFile.Cell(cell(row), delimiter, quotesAll: false)}{delimiter}{random.Next(100)}.{random.Next(10)}{lineEnd}");
        return new CsvFile { Name = name, Encoding = encoding, Delimiter = delimiter, IsTold = false, Bytes = CsvFile.Encode(encoding, text.ToString()) };
    }
}
