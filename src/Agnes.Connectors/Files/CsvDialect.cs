using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>How a delimited file is written, and what its columns are.</summary>
/// <param name="LongLines">Lines of more than 2 MB were met.</param>
/// <param name="IsWhole">The types were found by looking at the whole file, not at a sample.</param>
internal sealed record CsvDialect(
    string Delimiter,
    string Quote,
    string Escape,
    bool HasHeader,
    int SkippedLines,
    string? DateFormat,
    string? TimestampFormat,
    IReadOnlyList<TableColumn> Columns,
    bool LongLines,
    bool IsWhole)
{
    // Also the buffer, since left alone the engine allots sixteen times a line. Only for files that need it: it doubles the memory of a load.
    private const int LineBytesMax = 64 << 20;
    private const string Delimiters = ",;\t|";
    private static readonly string[] DatesAndTimes = ["DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"];

    /// <summary>A call of the reader. Strict: a line that does not fit is an error with its number, never a guess.</summary>
    public string Read(string path, string encoding, string types, IReadOnlyList<TableColumn> table)
    {
        var formats = table.Any(column => DatesAndTimes.Contains(column.Type))
            ? $"{(DateFormat is null ? "" : $", dateformat={SqlText.Literal(DateFormat)}")}{(TimestampFormat is null ? "" : $", timestampformat={SqlText.Literal(TimestampFormat)}")}"
            : "";
        return Call(path, encoding, LongLines, $"auto_detect=false, delim={SqlText.Literal(Delimiter)}, quote={SqlText.Literal(Quote)}, escape={SqlText.Literal(Escape)}, header={(HasHeader ? "true" : "false")}, skip={SkippedLines}, columns={types}{formats}");
    }

    /// <exception cref="TableException">The file has no columns, or two of one name.</exception>
    public static async Task<CsvDialect> SniffAsync(DuckDBConnection connection, InputFile file, string path, string encoding, int sampleRows, bool longLines, CancellationToken cancellation)
    {
        try
        {
            return await SniffOnceAsync(connection, file, path, encoding, sampleRows, longLines, cancellation);
        }
        catch (DuckDBException e) when (!longLines && FileErrors.IsLongLine(e))
        {
            return await SniffOnceAsync(connection, file, path, encoding, sampleRows, longLines: true, cancellation);
        }
    }

    private static async Task<CsvDialect> SniffOnceAsync(DuckDBConnection connection, InputFile file, string path, string encoding, int sampleRows, bool longLines, CancellationToken cancellation)
    {
        CsvDialect dialect;
        try
        {
            dialect = await SniffAsync(connection, path, encoding, longLines, $"sample_size={sampleRows}", cancellation);
        }
        catch (DuckDBException e) when (!FileErrors.IsEncoding(e) && !FileErrors.IsLongLine(e))
        {
            await FindLineAsync(connection, path, encoding, await FirstLineAsync(connection, path, encoding, longLines, cancellation), longLines, cancellation);
            throw;
        }
        // A line with too many or too few fields makes the sniffer believe in a table of one column whose name holds the delimiters.
        if (dialect.Columns is [var only] && only.Name.AsSpan().IndexOfAny(Delimiters) >= 0)
        {
            await FindLineAsync(connection, path, encoding, only.Name, longLines, cancellation);
            dialect = await SniffAsync(connection, path, encoding, longLines, $"sample_size={sampleRows}, delim={SqlText.Literal(LikelyDelimiter(only.Name).ToString())}", cancellation);
        }
        dialect = dialect with { IsWhole = sampleRows < 0 };
        if (!dialect.HasHeader && dialect.SkippedLines > 0) throw new TableException($"{file.Path}, line 1: it has another number of columns than the lines after it");
        if (!dialect.HasHeader && dialect.Columns.Count == 1 && await IsEmptyAsync(connection, dialect, path, encoding, cancellation)) throw new TableException($"{file.Path}: it is empty, so it has no columns");
        // Files without a quote in the sample are said to have none; one that comes later must still be understood.
        if (dialect.Quote.Length == 0 && file.Format.Kind == FileKind.Csv) dialect = dialect with { Quote = "\"", Escape = "\"" };
        await RefuseDuplicatesAsync(connection, dialect, file, path, encoding, cancellation);
        return dialect;
    }

    private static async Task<CsvDialect> SniffAsync(DuckDBConnection connection, string path, string encoding, bool longLines, string options, CancellationToken cancellation)
    {
        var call = Call(path, encoding, longLines, options).Replace("read_csv(", "sniff_csv(", StringComparison.Ordinal);
        var found = await connection.QueryAsync(
            $"SELECT Delimiter, Quote, Escape, HasHeader, SkipRows, DateFormat, TimestampFormat, list_transform(Columns, c -> c.name)::JSON::VARCHAR, list_transform(Columns, c -> c.type)::JSON::VARCHAR FROM {call}",
            row => new CsvDialect(Mark(row.GetString(0)), Mark(row.GetString(1)), Mark(row.GetString(2)), row.GetBoolean(3), (int)row.GetInt64(4), Format(row.TextOrNull(5)), Format(row.TextOrNull(6)),
                [.. Texts(row.GetString(7)).Zip(Texts(row.GetString(8)), (name, type) => new TableColumn(name, type))], longLines, IsWhole: false),
            cancellation);
        return found[0];
    }

    /// <summary>Reads all of the file as text with the delimiter that its first line suggests: the error, if there is one, has the number of the line.</summary>
    private static async Task FindLineAsync(DuckDBConnection connection, string path, string encoding, string firstLine, bool longLines, CancellationToken cancellation)
    {
        if (firstLine.AsSpan().IndexOfAny(Delimiters) < 0) return;
        var delimiter = LikelyDelimiter(firstLine);
        var columns = Enumerable.Range(0, Fields(firstLine, delimiter)).Select(index => new TableColumn($"c{index}", "VARCHAR")).ToList();
        var dialect = new CsvDialect(delimiter.ToString(), "\"", "\"", HasHeader: false, 0, null, null, columns, longLines, IsWhole: true);
        var types = $"{{{string.Join(", ", columns.Select(column => $"'{column.Name}': 'VARCHAR'"))}}}";
        await connection.ScalarAsync<long>($"SELECT count(c0) FROM {dialect.Read(path, encoding, types, columns)}", cancellation);
    }

    private static async Task<string> FirstLineAsync(DuckDBConnection connection, string path, string encoding, bool longLines, CancellationToken cancellation)
    {
        // A delimiter that no text holds makes each line one value.
        var whole = new CsvDialect("\u0001", "", "", HasHeader: false, 0, null, null, [], longLines, IsWhole: true);
        var lines = await connection.QueryAsync($"SELECT line FROM {whole.Read(path, encoding, "{'line': 'VARCHAR'}", [])} LIMIT 1", row => row.TextOrNull(0) ?? "", cancellation);
        return lines.Count == 0 ? "" : lines[0];
    }

    private static async Task<bool> IsEmptyAsync(DuckDBConnection connection, CsvDialect dialect, string path, string encoding, CancellationToken cancellation) =>
        await connection.ScalarAsync<long>($"SELECT count(*) FROM (SELECT 1 FROM {dialect.Read(path, encoding, $"{{{SqlText.Literal(dialect.Columns[0].Name)}: 'VARCHAR'}}", [])} LIMIT 1)", cancellation) == 0;

    /// <summary>The engine renames the second of two equal headers; which of the two is meant, nobody could tell later.</summary>
    private static async Task RefuseDuplicatesAsync(DuckDBConnection connection, CsvDialect dialect, InputFile file, string path, string encoding, CancellationToken cancellation)
    {
        if (!dialect.HasHeader) return;
        var raw = dialect with { HasHeader = false };
        var types = $"{{{string.Join(", ", dialect.Columns.Select((_, index) => $"'c{index}': 'VARCHAR'"))}}}";
        var header = (await connection.QueryAsync($"SELECT * FROM {raw.Read(path, encoding, types, [])} LIMIT 1", row => Enumerable.Range(0, dialect.Columns.Count).Select(row.TextOrNull).ToList(), cancellation))[0];
        var twice = header.Where(name => !string.IsNullOrEmpty(name)).GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(names => names.Count() > 1);
        if (twice is not null) throw new TableException($"{file.Path}, line {dialect.SkippedLines + 1}: two columns are called '{twice.Key}' (case does not count)");
    }

    private static string Call(string path, string encoding, bool longLines, string options) =>
        $"read_csv({Statements.ExactPath(path)}, {options}, strict_mode=true, comment=''{(longLines ? $", max_line_size={LineBytesMax}, buffer_size={LineBytesMax}" : "")}{(encoding.Length > 0 ? $", encoding={SqlText.Literal(encoding)}" : "")})";

    private static char LikelyDelimiter(string line) => Delimiters.MaxBy(delimiter => line.Count(character => character == delimiter));

    private static int Fields(string line, char delimiter)
    {
        var (fields, quoted) = (1, false);
        foreach (var character in line)
        {
            if (character == '"') quoted = !quoted;
            else if (character == delimiter && !quoted) fields++;
        }
        return fields;
    }

    private static IEnumerable<string> Texts(string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(text => text.GetString()!)];
    }

    private static string Mark(string text) => text == "(empty)" ? "" : text;

    private static string? Format(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
