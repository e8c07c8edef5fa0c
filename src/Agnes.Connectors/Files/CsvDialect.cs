using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>How a delimited file is written, and what its columns are called.</summary>
/// <param name="Columns">Their types are what the engine's sniffer makes of a sample: a hint, see <see cref="ColumnTypes"/>.</param>
/// <param name="Renamed">Columns whose name another one had, as <c>Male → Male_2</c>.</param>
/// <param name="LongLines">Lines of more than 2 MB were met.</param>
internal sealed record CsvDialect(
    string Delimiter,
    string Quote,
    string Escape,
    bool HasHeader,
    int SkippedLines,
    IReadOnlyList<TableColumn> Columns,
    IReadOnlyList<string> Renamed,
    bool LongLines)
{
    // Also the buffer, since left alone the engine allots sixteen times a line. Only for files that need it: it doubles the memory of a load.
    private const int LineBytesMax = 64 << 20;
    private const string Delimiters = ",;\t|";

    /// <summary>A call of the reader that yields every cell as text, in columns <c>x0</c>, <c>x1</c> and so on. Strict: a line that does not fit is an error with its number, never a guess.</summary>
    public string Read(string path, FileSettings settings)
    {
        var columns = string.Join(", ", Columns.Select((_, index) => $"'x{index}': 'VARCHAR'"));
        var nulls = settings is { Trim: false, NullTexts.Count: > 0 } ? $", nullstr=[{string.Join(", ", settings.NullTexts.Prepend("").Select(SqlText.Literal))}]" : "";
        var call = Call(path, LongLines, $"auto_detect=false, delim={SqlText.Literal(Delimiter)}, quote={SqlText.Literal(Quote)}, escape={SqlText.Literal(Escape)}, "
            + $"header={(HasHeader ? "true" : "false")}, skip={SkippedLines}, columns={{{columns}}}{nulls}");
        if (!settings.Trim) return call;
        var empty = string.Join(", ", settings.NullTexts.Prepend("").Select(SqlText.Literal));
        return $"(SELECT {string.Join(", ", Columns.Select((_, index) => $"CASE WHEN trim(x{index}) NOT IN ({empty}) THEN trim(x{index}) END AS x{index}"))} FROM {call})";
    }

    /// <exception cref="TableException">The file has no columns.</exception>
    public static async Task<CsvDialect> SniffAsync(DuckDBConnection connection, InputFile file, string path, FileSettings settings, int sampleRows, bool longLines, CancellationToken cancellation)
    {
        try
        {
            return await SniffOnceAsync(connection, file, path, settings, sampleRows, longLines, cancellation);
        }
        catch (DuckDBException e) when (!longLines && FileErrors.IsLongLine(e))
        {
            return await SniffOnceAsync(connection, file, path, settings, sampleRows, longLines: true, cancellation);
        }
    }

    /// <summary>The dialect of a text in which some rows may be bad: what most of its lines say.</summary>
    public static async Task<CsvDialect> RoughAsync(DuckDBConnection connection, InputFile file, string path, FileSettings settings, int sampleRows, CancellationToken cancellation)
    {
        var options = $"sample_size={sampleRows}{Told(settings)}, ignore_errors=true";
        var dialect = await SniffAsync(connection, path, longLines: false, options, cancellation);
        if (settings.Delimiter is null && dialect.Columns is [var only] && only.Name.AsSpan().IndexOfAny(Delimiters) >= 0)
            dialect = await SniffAsync(connection, path, longLines: false, $"{options}, delim={SqlText.Literal(LikelyDelimiter(only.Name).ToString())}", cancellation);
        return settings.Quote is null && dialect.Quote.Length == 0 && file.Format.Kind == FileKind.Csv ? dialect with { Quote = "\"", Escape = "\"" } : dialect;
    }

    private static async Task<CsvDialect> SniffOnceAsync(DuckDBConnection connection, InputFile file, string path, FileSettings settings, int sampleRows, bool longLines, CancellationToken cancellation)
    {
        var options = $"sample_size={sampleRows}{Told(settings)}";
        CsvDialect dialect;
        try
        {
            dialect = await SniffAsync(connection, path, longLines, options, cancellation);
        }
        catch (DuckDBException e) when (!FileErrors.IsEncoding(e) && !FileErrors.IsLongLine(e))
        {
            await FindLineAsync(connection, path, settings, await FirstLineAsync(connection, path, settings, longLines, cancellation), longLines, cancellation);
            throw;
        }
        // A line with too many or too few fields makes the sniffer believe in a table of one column whose name holds the delimiters.
        if (settings.Delimiter is null && dialect.Columns is [var only] && only.Name.AsSpan().IndexOfAny(Delimiters) >= 0)
        {
            await FindLineAsync(connection, path, settings, only.Name, longLines, cancellation);
            dialect = await SniffAsync(connection, path, longLines, $"{options}, delim={SqlText.Literal(LikelyDelimiter(only.Name).ToString())}", cancellation);
        }
        // Commas within numbers fit more lines than the header's own delimiter does, if the header is taken for a line before the table.
        if (settings is { Delimiter: null, SkipLines: null } && dialect.SkippedLines > 0 && await FirstLineAsync(connection, path, settings, longLines, cancellation) is var head
            && LikelyDelimiter(head).ToString() is var likely && likely != dialect.Delimiter && head.Contains(likely, StringComparison.Ordinal)
            && await SniffAsync(connection, path, longLines, $"{options}, delim={SqlText.Literal(likely)}", cancellation) is { SkippedLines: 0, Columns.Count: > 1 } better)
        {
            dialect = better;
        }
        if (settings is { Header: null, SkipLines: null } && !dialect.HasHeader && dialect.SkippedLines > 0) throw new TableException($"{file.Path}, line 1: it has another number of columns than the lines after it");
        if (!dialect.HasHeader && dialect.Columns.Count == 1 && await IsEmptyAsync(connection, dialect, path, cancellation)) throw new TableException($"{file.Path}: it is empty, so it has no columns");
        // Files without a quote in the sample are said to have none; one that comes later must still be understood.
        if (settings.Quote is null && dialect.Quote.Length == 0 && file.Format.Kind == FileKind.Csv) dialect = dialect with { Quote = "\"", Escape = "\"" };
        return await NamedAsync(connection, dialect, file, path, settings, cancellation);
    }

    private static async Task<CsvDialect> SniffAsync(DuckDBConnection connection, string path, bool longLines, string options, CancellationToken cancellation)
    {
        var call = Call(path, longLines, options).Replace("read_csv(", "sniff_csv(", StringComparison.Ordinal);
        var found = await connection.QueryAsync(
            $"SELECT Delimiter, Quote, Escape, HasHeader, SkipRows, list_transform(Columns, c -> c.name)::JSON::VARCHAR, list_transform(Columns, c -> c.type)::JSON::VARCHAR FROM {call}",
            row => new CsvDialect(Mark(row.GetString(0)), Mark(row.GetString(1)), Mark(row.GetString(2)), row.GetBoolean(3), (int)row.GetInt64(4),
                [.. Texts(row.GetString(5)).Zip(Texts(row.GetString(6)), (name, type) => new TableColumn(name, type))], [], longLines),
            cancellation);
        return found[0];
    }

    /// <summary>What a person set is not sniffed.</summary>
    private static string Told(FileSettings settings)
    {
        List<string> told = [];
        if (settings.Delimiter is { } delimiter) told.Add($"delim={SqlText.Literal(delimiter)}");
        if (settings.Quote is { } quote) told.Add($"quote={SqlText.Literal(quote)}");
        if (settings.Escape is { } escape) told.Add($"escape={SqlText.Literal(escape)}");
        if (settings.Header is { } header) told.Add($"header={(header ? "true" : "false")}");
        if (settings.SkipLines is { } skip) told.Add($"skip={skip}");
        if (settings.NullTexts.Count > 0) told.Add($"nullstr=[{string.Join(", ", settings.NullTexts.Prepend("").Select(SqlText.Literal))}]");
        return string.Concat(told.Select(option => $", {option}"));
    }

    /// <summary>Reads all of the file as text with the delimiter that its first line suggests: the error, if there is one, has the number of the line.</summary>
    private static async Task FindLineAsync(DuckDBConnection connection, string path, FileSettings settings, string firstLine, bool longLines, CancellationToken cancellation)
    {
        var delimiter = settings.Delimiter ?? (firstLine.AsSpan().IndexOfAny(Delimiters) < 0 ? null : LikelyDelimiter(firstLine).ToString());
        if (delimiter is null) return;
        var columns = Enumerable.Range(0, Fields(firstLine, delimiter[0])).Select(index => new TableColumn($"c{index}", "VARCHAR")).ToList();
        var dialect = new CsvDialect(delimiter, settings.Quote ?? "\"", settings.Escape ?? "\"", HasHeader: false, settings.SkipLines ?? 0, columns, [], longLines);
        await connection.ScalarAsync<long>($"SELECT count(x0) FROM {dialect.Read(path, FileSettings.None)}", cancellation);
    }

    private static async Task<string> FirstLineAsync(DuckDBConnection connection, string path, FileSettings settings, bool longLines, CancellationToken cancellation)
    {
        // A delimiter that no text holds makes each line one value.
        var whole = new CsvDialect("\u0001", "", "", HasHeader: false, settings.SkipLines ?? 0, [new TableColumn("line", "VARCHAR")], [], longLines);
        var lines = await connection.QueryAsync($"SELECT x0 FROM {whole.Read(path, FileSettings.None)} LIMIT 1", row => row.TextOrNull(0) ?? "", cancellation);
        return lines.Count == 0 ? "" : lines[0];
    }

    private static async Task<bool> IsEmptyAsync(DuckDBConnection connection, CsvDialect dialect, string path, CancellationToken cancellation) =>
        await connection.ScalarAsync<long>($"SELECT count(*) FROM (SELECT 1 FROM {dialect.Read(path, FileSettings.None)} LIMIT 1)", cancellation) == 0;

    /// <summary>Names as the header has them. One that another column had first gets a number by its position, so that it is the same from run to run.</summary>
    private static async Task<CsvDialect> NamedAsync(DuckDBConnection connection, CsvDialect dialect, InputFile file, string path, FileSettings settings, CancellationToken cancellation)
    {
        if (!dialect.HasHeader) return dialect;
        var raw = dialect with { HasHeader = false };
        var header = (await connection.QueryAsync($"SELECT * FROM {raw.Read(path, FileSettings.None)} LIMIT 1", row => Enumerable.Range(0, dialect.Columns.Count).Select(row.TextOrNull).ToList(), cancellation))[0];
        var written = header.Where(name => !string.IsNullOrWhiteSpace(name)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        List<string> renamed = [];
        var columns = dialect.Columns.Select((column, index) =>
        {
            var name = string.IsNullOrWhiteSpace(header[index]) ? column.Name : header[index]!;
            if (taken.Add(name)) return column with { Name = name };
            if (settings.FailsOnDuplicateNames) throw new TableException($"{file.Path}, line {dialect.SkippedLines + 1}: two columns are called '{name}' (case does not count)");
            var number = 2;
            while (written.Contains($"{name}_{number}") || !taken.Add($"{name}_{number}")) number++;
            renamed.Add($"{name} → {name}_{number}");
            return column with { Name = $"{name}_{number}" };
        }).ToList();
        return dialect with { Columns = columns, Renamed = renamed };
    }

    private static string Call(string path, bool longLines, string options) =>
        $"read_csv({Statements.ExactPath(path)}, {options}, strict_mode=true, comment=''{(longLines ? $", max_line_size={LineBytesMax}, buffer_size={LineBytesMax}" : "")})";

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
}
