using System.Text.Json;
using System.Text.RegularExpressions;

namespace Agnes.Connectors.Files;

/// <summary>What a person set for the files of one table; everything else is found out. As JSON, as <c>agnes admin register-table --setting</c> makes it.</summary>
internal sealed partial record FileSettings
{
    private const int TextsMax = 20;
    private const int TextCharactersMax = 64;
    private const int ColumnsMax = 2000;

    private const string RulesVersion = "2";

    public static readonly FileSettings None = new();

    public const string Known = "delimiter, quote, escape, encoding, header, skip_lines, null_texts, decimal, thousands, date_format, timestamp_format, types, text_columns, trim, duplicate_names, bad_rows, verify_checksums";

    public string? Delimiter { get; private init; }
    public string? Quote { get; private init; }
    public string? Escape { get; private init; }
    public string? Encoding { get; private init; }
    public bool? Header { get; private init; }
    public int? SkipLines { get; private init; }
    public IReadOnlyList<string> NullTexts { get; private init; } = [];
    public string? DecimalMark { get; private init; }
    public string? Thousands { get; private init; }
    public string? DateFormat { get; private init; }
    public string? TimestampFormat { get; private init; }
    public IReadOnlyDictionary<string, string> Types { get; private init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
    public IReadOnlyList<string> TextColumns { get; private init; } = [];
    public bool Trim { get; private init; }
    public bool FailsOnDuplicateNames { get; private init; }

    /// <summary>Rows that are no rows of the table are left out, kept beside it and told; else they fail it.</summary>
    public bool SetsBadRowsAside { get; private init; }

    /// <summary>Pages of Parquet files are held against the checksums in them.</summary>
    public bool VerifiesChecksums { get; private init; }

    /// <summary>The number of the rules by which cells become values, to be raised with them, and what was set.</summary>
    public string ReadAs { get; private init; } = RulesVersion;

    /// <summary>Cells mean something else than they would by themselves, so that what the sniffer made of them says little.</summary>
    public bool ChangesCells => NullTexts.Count > 0 || DecimalMark is not null || DateFormat is not null || TimestampFormat is not null || Trim;

    /// <summary>With the marks of a dialect that was found already.</summary>
    public FileSettings With(CsvDialect dialect) =>
        this with { Delimiter = dialect.Delimiter, Quote = dialect.Quote, Escape = dialect.Escape, Header = dialect.HasHeader, SkipLines = dialect.SkippedLines };

    public FileSettings WithAllButHeader(CsvDialect dialect) => With(dialect) with { Header = Header };

    /// <summary>With what was found of the table's files before, where nothing is set.</summary>
    public FileSettings With(ReadLike like) => this with { Delimiter = Delimiter ?? like.Delimiter, Header = Header ?? like.Header, SkipLines = SkipLines ?? like.SkippedLines };

    /// <summary>The type that was set for a column, or null.</summary>
    public CellType? TypeOf(string column) =>
        TextColumns.Contains(column, StringComparer.OrdinalIgnoreCase) || TextColumns is ["*"] ? CellType.Text
        : !Types.TryGetValue(column, out var type) ? null
        : type == "DATE" && DateFormat is not null ? CellType.Date(DateFormat)
        : type == "TIMESTAMP" && TimestampFormat is not null ? CellType.Timestamp(TimestampFormat)
        : DecimalMark is not null && IsNumber(type) ? CellType.Set(type).WithMarks(DecimalMark, Thousands)
        : CellType.Set(type);

    /// <exception cref="TableException">A setting that there is not, or a value that it cannot have.</exception>
    public static FileSettings Of(JsonElement? json)
    {
        if (json is not { } given || given.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return None;
        if (given.ValueKind != JsonValueKind.Object) throw new TableException("The settings of its files must be an object.");
        var settings = None;
        foreach (var setting in given.EnumerateObject()) settings = settings.With(setting.Name, setting.Value);
        settings = settings with { ReadAs = $"{RulesVersion} {given.GetRawText()}" };
        if (settings.Thousands is not null && settings.DecimalMark is null) settings = settings with { DecimalMark = settings.Thousands == "." ? "," : "." };
        if (settings.DecimalMark is not null && settings.DecimalMark == settings.Thousands) throw Wrong("thousands", "another mark than decimal");
        return settings;
    }

    private FileSettings With(string name, JsonElement value) => name switch
    {
        "delimiter" => this with { Delimiter = Mark(name, value, empty: false) },
        "quote" => this with { Quote = Mark(name, value, empty: true) },
        "escape" => this with { Escape = Mark(name, value, empty: true) },
        "encoding" => this with { Encoding = TextEncoding.Named(Text(name, value)) is null ? throw Wrong(name, "a name of an encoding, such as utf-8, windows-1252 or macintosh") : Text(name, value) },
        "header" => this with { Header = Flag(name, value) },
        "skip_lines" => this with { SkipLines = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var lines) && lines is >= 0 and <= 10_000 ? lines : throw Wrong(name, "a number from 0 to 10000") },
        "null_texts" => this with { NullTexts = Texts(name, value) },
        "decimal" => this with { DecimalMark = OneOf(name, value, ".", ",") },
        "thousands" => this with { Thousands = OneOf(name, value, ".", ",", " ", "'", "_") },
        "date_format" => this with { DateFormat = Format(name, value) },
        "timestamp_format" => this with { TimestampFormat = Format(name, value) },
        "types" => this with { Types = TypesOf(name, value) },
        "text_columns" => this with { TextColumns = Texts(name, value, ColumnsMax, 255) },
        "trim" => this with { Trim = Flag(name, value) },
        "duplicate_names" => this with { FailsOnDuplicateNames = OneOf(name, value, "number", "fail") == "fail" },
        "verify_checksums" => this with { VerifiesChecksums = Flag(name, value) },
        "bad_rows" => this with { SetsBadRowsAside = OneOf(name, value, "fail", "set_aside") == "set_aside" },
        _ => throw new TableException($"'{name}' is no setting of files. There are {Known}."),
    };

    private static string Text(string name, JsonElement value) => value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= TextCharactersMax } text ? text : throw Wrong(name, "a text");

    private static string Mark(string name, JsonElement value, bool empty) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } mark && (mark.Length == 1 || empty && mark.Length == 0) && mark is not ("\n" or "\r" or "\0") ? mark : throw Wrong(name, "one character");

    private static bool Flag(string name, JsonElement value) => value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => throw Wrong(name, "true or false") };

    private static string OneOf(string name, JsonElement value, params string[] known) =>
        value.ValueKind == JsonValueKind.String && known.Contains(value.GetString(), StringComparer.Ordinal) ? value.GetString()! : throw Wrong(name, $"one of {string.Join(", ", known.Select(one => $"'{one}'"))}");

    private static string Format(string name, JsonElement value) => Text(name, value) is var format && format.Contains('%') ? format : throw Wrong(name, "a format such as %d/%m/%Y");

    private static List<string> Texts(string name, JsonElement value, int countMax = TextsMax, int charactersMax = TextCharactersMax)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > countMax) throw Wrong(name, $"a list of at most {countMax} texts");
        return [.. value.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String && one.GetString()!.Length <= charactersMax ? one.GetString()! : throw Wrong(name, "a list of texts"))];
    }

    private static Dictionary<string, string> TypesOf(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() > ColumnsMax) throw Wrong(name, "an object of columns and their types");
        return value.EnumerateObject().ToDictionary(column => column.Name, column => column.Value.ValueKind == JsonValueKind.String ? KnownType(name, column.Value.GetString()!) : throw Wrong(name, "an object of columns and their types"), StringComparer.OrdinalIgnoreCase);
    }

    private static string KnownType(string name, string type)
    {
        var plain = type.Trim().ToUpperInvariant();
        if (plain is "TEXT" or "STRING") return "VARCHAR";
        if (plain is "INT") return "INTEGER";
        if (plain is "TIMESTAMPTZ") return "TIMESTAMP WITH TIME ZONE";
        if (plain is "VARCHAR" or "BOOLEAN" or "TIME" or "DATE" or "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE" || IsNumber(plain)) return plain;
        throw Wrong(name, $"VARCHAR, BOOLEAN, INTEGER, BIGINT, DOUBLE, DECIMAL(p,s), DATE, TIME, TIMESTAMP or TIMESTAMPTZ; '{type}' is not among them");
    }

    private static bool IsNumber(string type) =>
        type is "INTEGER" or "BIGINT" or "DOUBLE" || DecimalType().Match(type) is { Success: true } match && int.Parse(match.Groups[1].ValueSpan) is >= 1 and <= 38 and var digits && int.Parse(match.Groups[2].ValueSpan) <= digits;

    private static TableException Wrong(string name, string right) => new($"{name} must be {right}.");

    [GeneratedRegex(@"^DECIMAL\(([0-9]{1,2}),\s*([0-9]{1,2})\)$")]
    private static partial Regex DecimalType();
}
