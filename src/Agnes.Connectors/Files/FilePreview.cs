using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>
/// Shows what the files of a table would become: read as a sync reads them, but that large ones are judged by their sample. Everything in the answer is bounded, since
/// the files are not ours.
/// </summary>
internal sealed class FilePreview(string root, TableConfig table, DuckDBConnection connection, string scratch)
{
    private const int RowsShown = 20;
    private const int FilesMax = 10;
    private const int ColumnsMax = 1000;

    /// <summary>Files of so many bytes in all are looked at whole, so that nothing comes after the sample.</summary>
    private const long WholeBytesMax = 64L << 20;

    private const int AnswerCharactersMax = 1 << 20;
    private const int CellCharactersMin = 16;
    private const int CellCharactersMax = 200;
    private const int NameCharactersMax = 255;
    private const int RemarksMax = 20;
    private const int RemarkCharactersMax = 500;

    private readonly FileSettings _settings = FileSettings.Of(table.Settings);

    /// <exception cref="TableException">A file cannot be read.</exception>
    public async Task<TablePreview> RunAsync(CancellationToken cancellation)
    {
        var files = FileSet.Resolve(root, table);
        var looked = files.Take(FilesMax).ToList();
        var isWhole = looked.Sum(file => file.Stamp.Size) <= WholeBytesMax;
        var readers = new List<SourceReader>();
        foreach (var file in looked) readers.Add(await OpenAsync(file, isWhole, cancellation));
        var columns = SchemaUnion.Of(readers.Select(reader => reader.Columns));
        if (columns.Count == 0) throw new TableException("The files have no columns.");

        var (first, previewed, lookedAt) = (new List<IReadOnlyList<string?>>(), new List<PreviewedFile>(), 0L);
        foreach (var reader in readers)
        {
            var rows = await OfAsync(reader.File, () => CountAsync(reader, cancellation));
            lookedAt += reader is ParquetReader ? 0 : rows ?? CsvReader.SampleRows;
            previewed.Add(new PreviewedFile(Cut(reader.File.Path, RemarkCharactersMax), rows, Written(reader)));
            if (first.Count < RowsShown) first.AddRange(await OfAsync(reader.File, () => FirstAsync(reader, columns, RowsShown - first.Count, cancellation)));
        }

        var isCounted = looked.Count == files.Count && previewed.TrueForAll(file => file.Rows is not null);
        var drifts = readers.Count == 1 ? [] : readers.Select(reader => (reader.File.Path, Drift: SchemaUnion.Drift(columns, reader.Columns))).Where(each => each.Drift.Length > 0)
            .Select(each => $"{each.Path} differs from the table: {each.Drift}");
        return new TablePreview(
            [.. columns.Take(ColumnsMax).Select(column => new TableColumn(Cut(column.Name, NameCharactersMax), Cut(column.Type, NameCharactersMax)))],
            columns.Count, isCounted ? previewed.Sum(file => file.Rows!.Value) : null, files.Sum(file => file.Stamp.Size), Math.Max(lookedAt, first.Count), first, previewed, files.Count,
            [.. readers.SelectMany(reader => reader.Remarks).Concat(drifts).Distinct(StringComparer.Ordinal).Take(RemarksMax).Select(remark => Cut(remark, RemarkCharactersMax))]);
    }

    private async Task<SourceReader> OpenAsync(InputFile file, bool isWhole, CancellationToken cancellation)
    {
        var reader = await OfAsync(file, () => SourceReader.OfAsync(file, _settings, like: null, connection, scratch, cancellation));
        return isWhole && reader is CsvReader { IsSampled: true } csv ? await OfAsync(file, () => WholeAsync(csv, cancellation)) : reader;
    }

    /// <summary>What a sync would meet while it writes: bytes that are no text, and long lines.</summary>
    private async Task<SourceReader> WholeAsync(CsvReader reader, CancellationToken cancellation)
    {
        try
        {
            await reader.LookAtAllAsync(cancellation);
            return reader;
        }
        catch (DuckDBException e) when (FileErrors.IsLongLine(e) && reader.ExpectLongLines())
        {
            return await WholeAsync(reader, cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsEncoding(e))
        {
            if (await reader.InGuessedEncodingAsync(scratch, cancellation) is not { } other) throw;
            return other.IsSampled ? await WholeAsync(other, cancellation) : other;
        }
    }

    /// <summary>Files of JSON were read whole already, and Parquet says it in its footer.</summary>
    private async Task<long?> CountAsync(SourceReader reader, CancellationToken cancellation) => reader is CsvReader { IsSampled: true }
        ? null
        : await connection.ScalarAsync<long>($"SELECT count(*) FROM ({reader.Select(SchemaUnion.Of([reader.Columns]))})", cancellation);

    private async Task<List<IReadOnlyList<string?>>> FirstAsync(SourceReader reader, IReadOnlyList<TableColumn> columns, int rows, CancellationToken cancellation)
    {
        var shown = columns.Take(ColumnsMax).ToList();
        var characters = Math.Clamp(AnswerCharactersMax / RowsShown / shown.Count, CellCharactersMin, CellCharactersMax);
        var cells = shown.Select((column, index) => (Text: $"CAST({SqlText.Identifier(column.Name)} AS VARCHAR)", Name: $"c{index}"))
            .Select(cell => $"CASE WHEN length({cell.Text}) > {characters} THEN left({cell.Text}, {characters}) || '…' ELSE {cell.Text} END AS {cell.Name}");
        return await connection.QueryAsync<IReadOnlyList<string?>>($"SELECT {string.Join(", ", cells)} FROM ({reader.Select(columns)}) LIMIT {rows}",
            row => [.. Enumerable.Range(0, shown.Count).Select(row.TextOrNull)], cancellation);
    }

    /// <summary>How a file is written says something only of delimited ones. A format for each column of a wide table would be more than anybody reads.</summary>
    private static WrittenAs? Written(SourceReader reader) => (reader as CsvReader)?.Written is { } written
        ? written with { DateFormats = written.DateFormats.Take(RemarksMax).ToDictionary(format => Cut(format.Key, NameCharactersMax), format => format.Value) }
        : null;

    private static async Task<T> OfAsync<T>(InputFile file, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (DuckDBException e) when (FileErrors.IsMemory(e))
        {
            throw new TableException($"{file.Path}: looking at it needs more memory than is spared for that. It can be registered all the same: a sync has twice as much");
        }
        catch (DuckDBException e) when (e is { ErrorType: not DuckDBErrorType.Interrupt, IsFatal: false })
        {
            throw new TableException(FileErrors.Describe(file.Path, file.FullPath, e));
        }
    }

    private static string Cut(string text, int characters) => text.Length <= characters ? text : text[..characters] + "…";
}
