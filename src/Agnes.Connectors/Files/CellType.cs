using Agnes.Protocol;

namespace Agnes.Connectors.Files;

/// <summary>
/// A type that cells of text can be given without losing anything: turned into text again, each is what was written, but for forms that mean the same
/// (<c>1.50</c> and <c>1.5</c>, <c>T</c> or a space before the time, <c>T00:00</c>). The rule is SQL, so that it is proven for every cell in the pass that writes it.
/// </summary>
/// <param name="Name">The engine's name of the type.</param>
/// <param name="Value">From the text to the value; null where it is none. <c>{x}</c> stands for the text.</param>
/// <param name="Faithful">Whether nothing is lost; <c>{v}</c> stands for the value, which is not null.</param>
/// <param name="Usual">A cheaper test for the commonest form, where there is one: what passes it is faithful, what does not is put to the whole test.</param>
internal sealed record CellType(string Name, string Value, string Faithful, string? Usual = null)
{
    /// <summary>Digits that a DOUBLE holds exactly, whatever they are (IEEE 754: 15); longer texts are compared with what comes back.</summary>
    private const int ExactDigits = 15;

    private const string PlainNumber = @"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)";

    /// <summary>A code such as 1E5 is no number; 1.5e-7 is one.</summary>
    private const string Scientific = @"-?[0-9]\.[0-9]{1,16}[eE][+-]?[0-9]{1,3}";

    /// <summary>The commonest form first: to write a value again is cheaper than to match a pattern.</summary>
    private const string AsWritten = "CAST({v} AS VARCHAR) = {x}";

    private const string IsoTime = @"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?";
    private const string IsoDay = "[0-9]{4}-[0-9]{2}-[0-9]{2}";

    public static readonly CellType Text = new("VARCHAR", "{x}", "true");

    /// <summary>By their length: of what the engine takes for a truth value, all but true and false are shorter.</summary>
    public static readonly CellType Boolean = new("BOOLEAN", "TRY_CAST({x} AS BOOLEAN)", "strlen({x}) >= 4");

    public static readonly CellType Integer = new("BIGINT", "TRY_CAST({x} AS BIGINT)", "CAST({v} AS VARCHAR) = {x}");

    /// <summary>Whole numbers beyond 64 bits, in the type that Parquet has for them. By way of HUGEINT: a fraction cast to that decimal takes the engine 11 µs.</summary>
    public static readonly CellType Huge = new("DECIMAL(38,0)", "TRY_CAST(TRY_CAST({x} AS HUGEINT) AS DECIMAL(38,0))", "CAST({v} AS VARCHAR) = {x}");

    public static readonly CellType Double = new("DOUBLE", "TRY_CAST({x} AS DOUBLE)",
        $"(regexp_full_match({{x}}, '{PlainNumber}') AND (strlen({{x}}) <= {ExactDigits} OR {Shortest("{x}")} = {Shortest("CAST({v} AS VARCHAR)")})"
        + $" OR regexp_full_match({{x}}, '{Scientific}') AND isfinite({{v}}))",
        $"strlen({{x}}) <= {ExactDigits} AND regexp_full_match({{x}}, '{PlainNumber}')");

    public static readonly CellType IsoDate = new("DATE", "TRY_CAST({x} AS DATE)", $"regexp_full_match({{x}}, '{IsoDay}')", AsWritten);

    public static readonly CellType IsoTimestamp =
        new("TIMESTAMP", "TRY_CAST({x} AS TIMESTAMP)", $"regexp_full_match({{x}}, '{IsoDay}([ T]{IsoTime})?')", AsWritten);

    public static readonly CellType IsoInstant = new("TIMESTAMP WITH TIME ZONE", "TRY_CAST({x} AS TIMESTAMPTZ)",
        $"regexp_full_match({{x}}, '{IsoDay}[ T]{IsoTime} ?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)')");

    public static readonly CellType TimeOfDay = new("TIME", "TRY_CAST({x} AS TIME)", $"regexp_full_match({{x}}, '{IsoTime}')");

    /// <summary>Decimals with more digits than a DOUBLE keeps.</summary>
    public static CellType Decimal(int scale) => new($"DECIMAL(38,{scale})", $"TRY_CAST({{x}} AS DECIMAL(38,{scale}))",
        $"(regexp_full_match({{x}}, '{PlainNumber}') AND {Shortest("{x}")} = {Shortest("CAST({v} AS VARCHAR)")})");

    /// <param name="format">In the engine's notation, as people set it: <c>%d/%m/%Y</c>.</param>
    /// <param name="shape">What a cell looks like, where the format alone would take more than is meant, such as a year of two digits for one of four.</param>
    /// <summary>Of dates and times in other than ISO form.</summary>
    public string? Format { get; private init; }

    public static CellType Date(string format, string? shape = null) => Formatted("DATE", format, shape);

    public static CellType Timestamp(string format, string? shape = null) => Formatted("TIMESTAMP", format, shape);

    /// <summary>Numbers written with other marks, <c>1.234,50</c>; the marks are where they belong, or it is no number.</summary>
    public CellType WithMarks(string mark, string? thousands)
    {
        var whole = thousands is null ? "[0-9]+" : $"([0-9]{{1,3}}({Escaped(thousands)}[0-9]{{3}})+|[0-9]+)";
        var written = SqlText.Literal($"-?{whole}({Escaped(mark)}[0-9]+)?");
        var plain = thousands is null ? "{x}" : $"replace({{x}}, {SqlText.Literal(thousands)}, '')";
        var number = $"CASE WHEN regexp_full_match({{x}}, {written}) THEN replace({plain}, {SqlText.Literal(mark)}, '.') END";
        string Plain(string rule) => rule.Replace("{x}", number, StringComparison.Ordinal);
        return this with { Value = Plain(Value), Faithful = Plain(Faithful), Usual = Usual is null ? null : Plain(Usual) };
    }

    /// <summary>The type that a person set for a column: a cell either fits, or is an error.</summary>
    public static CellType Set(string type) => type == Text.Name ? Text : new(type, $"TRY_CAST({{x}} AS {type})", "true");

    /// <summary>SQL that is true for a cell that this type keeps whole, false for another, NULL for NULL.</summary>
    public string Test(string text)
    {
        var value = ValueOf(text);
        return $"CASE WHEN {Usually(text, value)} THEN true WHEN {text} IS NOT NULL THEN {value} IS NOT NULL AND coalesce({Of(Faithful, text, value)}, false) END";
    }

    public string ValueOf(string text) => Of(Value, text, "");

    /// <summary>
    /// The value of a cell that is kept whole, NULL for NULL, an error for another. Each branch looks only at cells that those before it left, while the
    /// engine evaluates both sides of an OR for all.
    /// </summary>
    /// <param name="value">The name under which <see cref="ValueOf"/> was computed.</param>
    public string Checked(string text, string value, string error)
    {
        if (this == Text) return value;
        var whole = $"{value} IS NOT NULL AND {Of(Faithful, text, value)}";
        var usual = Usual is null ? whole : Usually(text, value);
        var other = Usual is null ? "" : $" WHEN {whole} THEN {value}";
        return $"CASE WHEN {usual} THEN {value} WHEN {text} IS NULL THEN NULL{other} ELSE error({SqlText.Literal(error)}) END";
    }

    private string Usually(string text, string value) => Usual is null ? "false" : $"{value} IS NOT NULL AND {Of(Usual, text, value)}";

    private static CellType Formatted(string type, string format, string? shape) =>
        new(type, $"CAST(try_strptime({{x}}, {SqlText.Literal(format)}) AS {type})", shape is null ? "true" : $"regexp_full_match({{x}}, '{shape}')") { Format = format };

    private static string Of(string rule, string text, string value) =>
        rule.Replace("{v}", value, StringComparison.Ordinal).Replace("{x}", text, StringComparison.Ordinal);

    /// <summary>Without what adds nothing: zeros at the end of a fraction, and the zero before it.</summary>
    private static string Shortest(string number) =>
        $"regexp_replace(CASE WHEN contains({number}, '.') THEN rtrim(rtrim({number}, '0'), '.') ELSE {number} END, '^(-?)0(\\.)', '\\1\\2')";

    private static string Escaped(string mark) => System.Text.RegularExpressions.Regex.Escape(mark);
}
