using System.Text;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Keboola;

/// <summary>The rows of an exported file, as the engine reads them: cells that are text, or what a Parquet file makes of them.</summary>
internal sealed class ExportedRows
{
    private const int HeaderBytesMax = 4 << 20;

    /// <summary>Also the buffer, since left alone the engine allots sixteen times a line.</summary>
    private const int LineBytesMax = 64 << 20;
    private const int ColumnsToldMax = 10;

    private readonly DuckDBConnection _connection;
    private readonly IReadOnlyList<KeboolaColumn> _columns;
    private readonly IReadOnlyList<string> _slices;
    private readonly bool _isParquet;
    private readonly bool _startsWithHeader;
    private IReadOnlyDictionary<string, string> _stored = new Dictionary<string, string>(StringComparer.Ordinal);
    private bool _hasLongLines;

    private ExportedRows(
        DuckDBConnection connection, IReadOnlyList<KeboolaColumn> columns, IReadOnlyList<string> slices, bool isParquet,
        bool startsWithHeader) =>
        (_connection, _columns, _slices, _isParquet, _startsWithHeader) = (connection, columns, slices, isParquet, startsWithHeader);

    /// <summary>Null until they were counted.</summary>
    public long? Count { get; private set; }

    /// <param name="connection">Is asked by nobody else meanwhile.</param>
    /// <param name="columns">Those that were asked for, in that order.</param>
    /// <exception cref="StorageException">The file has other columns.</exception>
    public static async Task<ExportedRows> OpenAsync(
        DuckDBConnection connection, Downloaded file, IReadOnlyList<KeboolaColumn> columns, bool isParquet, CancellationToken cancellation)
    {
        if (!isParquet)
        {
            var startsWithHeader = await StartsWithHeaderAsync(file, columns, cancellation);
            return new ExportedRows(connection, columns, file.Slices, false, startsWithHeader);
        }

        var rows = new ExportedRows(connection, columns, file.Slices, true, false);
        if (file.Slices.Count == 0) return rows;
        var stored = await connection.ColumnsAsync($"FROM {rows.Parquet}", cancellation);
        rows._stored = stored.ToDictionary(column => column.Name, column => column.Type, StringComparer.Ordinal);
        if (columns.FirstOrDefault(column => !rows._stored.ContainsKey(column.Name)) is { } missing)
        {
            throw new StorageException(
                $"The file that Keboola exported has no column '{missing.Name}': the table was changed while it was exported. "
                + "The next sync exports it anew.");
        }

        return rows;
    }

    /// <summary>A SELECT of the rows with values of the columns' types.</summary>
    public string Select => Selected(_columns);

    /// <summary>A SELECT of some of the columns, with values of their types.</summary>
    public string Selected(IEnumerable<KeboolaColumn> columns) =>
        Selected(columns.Select(column => $"{ValueOf(column)} AS {SqlText.Identifier(column.Name)}"));

    /// <summary>
    /// Reads all rows once, and so finds whether they can be read; then they are counted, and cells that do not mean what they should are
    /// known.
    /// </summary>
    /// <returns>By column, how many there are, and one or two of them.</returns>
    public async Task<IReadOnlyList<(KeboolaColumn Column, long Count, string Examples)>> LookAsync(CancellationToken cancellation)
    {
        var typed = _columns.Where(column => !column.Type.IsText && StoredOf(column) == KeboolaType.Text.Name).ToList();
        var tests = typed.SelectMany(column =>
        {
            var (cell, bad) = (CellOf(column), $"{CellOf(column)} <> '' AND ({ValueOf(column)}) IS NULL");
            var (least, most) = ($"min({cell}) FILTER ({bad})", $"max({cell}) FILTER ({bad})");
            return (string[])[$"count(*) FILTER ({bad})", $"concat_ws(', ', {least}, nullif({most}, {least}))"];
        });
        var found = await ReadingAsync(() => _connection.QueryAsync(
            Selected(tests.Prepend("count(*)")),
            row => (Count: row.GetInt64(0), Bad: typed.Select((column, index) => BadOf(row, column, index)).ToList()),
            cancellation));
        Count = found[0].Count;
        return [.. found[0].Bad.Where(bad => bad.Count > 0)];

        static (KeboolaColumn Column, long Count, string Examples) BadOf(DuckDBDataReader row, KeboolaColumn column, int index) =>
            (column, row.GetInt64(1 + (2 * index)), row.TextOrNull(2 + (2 * index)) ?? "");
    }

    /// <summary>What was found, for people: so many of so many cells are no values.</summary>
    public static string? Told(IReadOnlyList<(KeboolaColumn Column, long Count, string Examples)> misfits) => misfits.Count == 0 ? null
        : "cells that are no values of their column's type are empty now: " + string.Join("; ", misfits.Take(ColumnsToldMax)
            .Select(bad => $"{bad.Column.Name} ({bad.Column.Type.Name}) {bad.Count}, such as {Short(bad.Examples)}"));

    private string Selected(IEnumerable<string> cells)
    {
        var list = string.Join(", ", cells);
        var none = string.Join(", ", _columns.Select((_, index) => $"'' AS x{index}"));
        if (_slices.Count == 0) return $"SELECT {list} FROM (SELECT {none}) WHERE false";
        if (_isParquet) return $"SELECT {list} FROM {Parquet}";
        var first = Csv(_slices.Take(1), _startsWithHeader);
        return _slices.Count == 1 ? $"SELECT {list} FROM {first}"
            : _startsWithHeader ? $"SELECT {list} FROM (FROM {first} UNION ALL FROM {Csv(_slices.Skip(1), false)})"
            : $"SELECT {list} FROM {Csv(_slices, false)}";
    }

    private string CellOf(KeboolaColumn column) =>
        _isParquet && _slices.Count > 0 ? SqlText.Identifier(column.Name) : $"x{_columns.Index().First(one => one.Item == column).Index}";

    private string ValueOf(KeboolaColumn column) => column.Type.ValueOf(CellOf(column), StoredOf(column));

    private string StoredOf(KeboolaColumn column) => _stored.GetValueOrDefault(column.Name) ?? KeboolaType.Text.Name;

    private string Parquet => $"read_parquet([{Paths(_slices)}], union_by_name=true, hive_partitioning=false)";

    /// <summary>
    /// Strict: a line that does not fit is an error, never a guess. What is empty in quotes is a text, what is empty without is none.
    /// </summary>
    private string Csv(IEnumerable<string> files, bool hasHeader)
    {
        var columns = string.Join(", ", _columns.Select((_, index) => $"'x{index}': 'VARCHAR'"));
        var lines = _hasLongLines ? $", max_line_size={LineBytesMax}, buffer_size={LineBytesMax}, parallel=false" : "";
        var header = hasHeader ? "true" : "false";
        return $"read_csv([{Paths(files)}], auto_detect=false, delim=',', quote='\"', escape='\"', header={header}, "
            + $"columns={{{columns}}}, allow_quoted_nulls=false, hive_partitioning=false{lines})";
    }

    private static string Paths(IEnumerable<string> files) => string.Join(", ", files.Select(Statements.ExactPath));

    private async Task<T> ReadingAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (DuckDBException e) when (FileErrors.IsLongLine(e) && !_hasLongLines)
        {
            _hasLongLines = true;
            return await read();
        }
    }

    /// <summary>
    /// Slices come without a header by the service's own word, and with one in the first from some: whatever equals the columns that were
    /// asked for is one. A file of one piece always has one.
    /// </summary>
    private static async Task<bool> StartsWithHeaderAsync(
        Downloaded file, IReadOnlyList<KeboolaColumn> columns, CancellationToken cancellation)
    {
        if (file.Slices.Count == 0) return false;
        var first = await FirstRecordAsync(file.Slices[0], cancellation);
        if (first.SequenceEqual(columns.Select(column => column.Name))) return true;
        if (file.IsSliced) return false;
        throw new StorageException(
            "The file that Keboola exported has other columns than the table: it was changed while it was exported. "
            + "The next sync exports it anew.");
    }

    private static async Task<List<string>> FirstRecordAsync(string file, CancellationToken cancellation)
    {
        var options = new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Options = FileOptions.Asynchronous };
        await using var stream = new FileStream(file, options);
        var bytes = new byte[Math.Min(HeaderBytesMax, stream.Length)];
        var count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, count));
        return FirstRecord(text.TrimStart('\uFEFF'));
    }

    /// <summary>Fields of the first record of a text in CSV, whose quotes are doubled within quotes.</summary>
    internal static List<string> FirstRecord(string text)
    {
        var (fields, field, isQuoted) = (new List<string>(), new StringBuilder(), false);
        for (var i = 0; i < text.Length; i++)
        {
            var one = text[i];
            if (isQuoted)
            {
                if (one != '"') field.Append(one);
                else if (i + 1 < text.Length && text[i + 1] == '"') field.Append(text[++i]);
                else isQuoted = false;
            }
            else if (one == '"') isQuoted = true;
            else if (one is '\n' or '\r') break;
            else if (one == ',')
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else field.Append(one);
        }

        fields.Add(field.ToString());
        return fields;
    }

    private static string Short(string text) => text.Length > 80 ? $"{text[..80]}…" : text;
}
