using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>
/// A delimited file. Its dialect and types are sniffed from a sample, which makes the common case one pass; reading is strict, and when a value does not
/// fit the whole file is sniffed. Sniffing alone is never believed where it would hide damage: see <see cref="CsvDialect"/>.
/// </summary>
internal sealed class CsvReader : SourceReader
{
    private const int SampleRows = 20_480;
    private readonly DuckDBConnection _connection;
    private readonly string _path;
    private readonly string _encoding;
    private CsvDialect _dialect;

    private CsvReader(InputFile file, string path, string encoding, DuckDBConnection connection, CsvDialect dialect) : base(file)
    {
        (_path, _encoding, _connection, _dialect, Columns) = (path, encoding, connection, dialect, dialect.Columns);
    }

    public override IReadOnlyList<TableColumn> Columns { get; protected set; }

    public override bool IsSampled => !_dialect.IsWhole;

    public override IReadOnlyList<string> Remarks =>
    [
        .. _dialect.SkippedLines > 0 ? [$"{File.Path}: the first {_dialect.SkippedLines} line(s) are not part of the table and were left out"] : (string[])[],
        .. !_dialect.HasHeader ? [$"{File.Path}: no header line was found, so the columns are called {Columns[0].Name} and so on"] : (string[])[],
        .. _encoding.Length > 0 ? [$"{File.Path}: read as Latin-1, since it is not UTF-8"] : (string[])[],
    ];

    public static async Task<CsvReader> OpenAsync(InputFile file, DuckDBConnection connection, string scratch, CancellationToken cancellation)
    {
        var path = await TextEncoding.FromUtf16Async(file, scratch, cancellation) ?? file.FullPath;
        try
        {
            return await OpenAsync(file, path, "", connection, cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsEncoding(e))
        {
            if (!await TextEncoding.IsLatin1Async(file, cancellation)) throw;
            return await OpenAsync(file, path, "latin-1", connection, cancellation);
        }
    }

    /// <summary>The same file in Latin-1, when its first non-ASCII byte came after the sample.</summary>
    public async Task<CsvReader?> InLatin1Async(CancellationToken cancellation) =>
        _encoding.Length == 0 && await TextEncoding.IsLatin1Async(File, cancellation) ? await OpenAsync(File, _path, "latin-1", _connection, cancellation) : null;

    /// <summary>A line that is longer than the usual buffers came after the sample.</summary>
    /// <returns>False when long lines were expected already.</returns>
    public bool ExpectLongLines()
    {
        if (_dialect.LongLines) return false;
        _dialect = _dialect with { LongLines = true };
        return true;
    }

    public override async Task LookAtAllAsync(CancellationToken cancellation)
    {
        _dialect = await CsvDialect.SniffAsync(_connection, File, _path, _encoding, sampleRows: -1, _dialect.LongLines, cancellation);
        await MarkEmptyAsync(limit: "", cancellation);
    }

    public override string Select(IReadOnlyList<TableColumn> table) => $"SELECT {SelectList(table, cast: false)} FROM {_dialect.Read(_path, _encoding, Types(table), table)}";

    private static async Task<CsvReader> OpenAsync(InputFile file, string path, string encoding, DuckDBConnection connection, CancellationToken cancellation)
    {
        var dialect = await CsvDialect.SniffAsync(connection, file, path, encoding, SampleRows, longLines: false, cancellation);
        var reader = new CsvReader(file, path, encoding, connection, dialect);
        try
        {
            await reader.MarkEmptyAsync($"LIMIT {SampleRows}", cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsLongLine(e) && reader.ExpectLongLines())
        {
            await reader.MarkEmptyAsync($"LIMIT {SampleRows}", cancellation);
        }
        return reader;
    }

    /// <summary>A column without a value was sniffed as text; if that is all there is, any type will do. If it is only a sample, all of the file must be looked at.</summary>
    private async Task MarkEmptyAsync(string limit, CancellationToken cancellation)
    {
        Columns = _dialect.Columns;
        var texts = Columns.Where(column => column.Type == "VARCHAR").ToList();
        var counted = string.Join(", ", texts.Select(column => $", count({SqlText.Identifier(column.Name)})"));
        var names = string.Join(", ", (string[])["1 AS r", .. texts.Select(column => SqlText.Identifier(column.Name))]);
        if (texts.Count == 0 && _dialect.IsWhole) return;
        var all = Columns.Select(column => column with { Type = "VARCHAR" }).ToList();
        var counts = (await _connection.QueryAsync($"SELECT count(*){counted.Replace(", ,", ",", StringComparison.Ordinal)} FROM (SELECT {names} FROM {_dialect.Read(_path, _encoding, Types(all), all)} {limit})",
            row => Enumerable.Range(0, texts.Count + 1).Select(row.GetInt64).ToArray(), cancellation))[0];
        if (limit.Length == 0 || counts[0] < SampleRows) _dialect = _dialect with { IsWhole = true };
        var empty = texts.Where((_, index) => counts[index + 1] == 0).ToHashSet();
        if (empty.Count == 0) return;
        if (_dialect.IsWhole) Columns = [.. Columns.Select(column => empty.Contains(column) ? column with { Type = SchemaUnion.Unknown } : column)];
        else await LookAtAllAsync(cancellation);
    }
}
