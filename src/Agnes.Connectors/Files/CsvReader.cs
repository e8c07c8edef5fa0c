using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>
/// A delimited file. Its dialect and types come from a sample, which makes the common case one pass; every cell is then held against the type of its column
/// while it is written, and where one does not fit the whole file is looked at. See <see cref="CsvDialect"/> and <see cref="CellType"/>.
/// </summary>
internal sealed class CsvReader : SourceReader
{
    private const int SampleRows = 20_480;
    private const string Sample = "temp.agnes_sample";

    /// <summary>What the engine is made to say where a cell does not fit.</summary>
    private const string Misfit = "agnes: a cell does not fit the type of its column";

    private readonly DuckDBConnection _connection;
    private readonly FileSettings _settings;
    private readonly string _path;
    private readonly string? _encoding;
    private CsvDialect _dialect;
    private IReadOnlyList<ColumnType> _types = [];
    private bool _isWhole;

    private CsvReader(InputFile file, string path, string? encoding, FileSettings settings, DuckDBConnection connection, CsvDialect dialect) : base(file)
    {
        (_path, _encoding, _settings, _connection, _dialect) = (path, encoding, settings, connection, dialect);
    }

    public override IReadOnlyList<TableColumn> Columns { get; protected set; } = [];

    public override bool IsSampled => !_isWhole;

    public override IReadOnlyList<string> Remarks =>
    [
        .. _settings.SkipLines is null && _dialect.SkippedLines > 0 ? [$"{File.Path}: the first {_dialect.SkippedLines} line(s) are not part of the table and were left out"] : (string[])[],
        .. _settings.Header is null && !_dialect.HasHeader ? [$"{File.Path}: no header line was found, so the columns are called {Columns[0].Name} and so on"] : (string[])[],
        .. _encoding is not null && _settings.Encoding is null ? [$"{File.Path}: read as {_encoding}, since it is not UTF-8"] : (string[])[],
        .. _dialect.Renamed.Count > 0 ? [$"{File.Path}: columns of one name were numbered: {string.Join(", ", _dialect.Renamed)}"] : (string[])[],
        .. _types.Zip(Columns).Where(pair => pair.First.Remark is not null).Select(pair => $"{File.Path}, column {pair.Second.Name}: {pair.First.Remark}"),
    ];

    public static async Task<CsvReader> OpenAsync(InputFile file, FileSettings settings, DuckDBConnection connection, string scratch, CancellationToken cancellation)
    {
        var (path, encoding) = await TextEncoding.AsUtf8Async(file, settings.Encoding, scratch, cancellation);
        try
        {
            return await OpenAsync(file, path, encoding, settings, connection, cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsEncoding(e) && encoding is null)
        {
            if (await InGuessedEncodingAsync(file, settings, connection, scratch, cancellation) is { } other) return other;
            throw;
        }
    }

    /// <summary>The same file in the encoding that it most likely has, when its first byte that is not UTF-8 came after the sample.</summary>
    public async Task<CsvReader?> InGuessedEncodingAsync(string scratch, CancellationToken cancellation) =>
        _encoding is null ? await InGuessedEncodingAsync(File, _settings, _connection, scratch, cancellation) : null;

    /// <summary>A line that is longer than the usual buffers came after the sample.</summary>
    /// <returns>False when long lines were expected already.</returns>
    public bool ExpectLongLines()
    {
        if (_dialect.LongLines) return false;
        _dialect = _dialect with { LongLines = true };
        return true;
    }

    public override bool IsMisfit(DuckDBException error) => error.Message.Contains(Misfit, StringComparison.Ordinal);

    public override async Task LookAtAllAsync(CancellationToken cancellation)
    {
        if (_types.Any(type => type.Cells is null))
        {
            // Columns without a value in the sample have no hint yet.
            var whole = await CsvDialect.SniffAsync(_connection, File, _path, _settings, sampleRows: -1, _dialect.LongLines, cancellation);
            if (whole.Columns.Count == _dialect.Columns.Count)
                _dialect = _dialect with { Columns = [.. _dialect.Columns.Select((own, index) => _types[index].Cells is null ? own with { Type = whole.Columns[index].Type } : own)], LongLines = whole.LongLines };
        }
        await FindTypesAsync(isWhole: true, cancellation);
    }

    public override string Select(IReadOnlyList<TableColumn> table)
    {
        List<string> values = [], cells = [];
        foreach (var column in table)
        {
            var name = SqlText.Identifier(column.Name);
            var index = IndexOf(column);
            if (index < 0)
            {
                cells.Add($"CAST(NULL AS {column.Type}) AS {name}");
                continue;
            }
            // What is text in another file is given back as it was written, not as the type of this file would write it.
            var type = column.Type == CellType.Text.Name ? CellType.Text : _types[index].Cells ?? CellType.Set(column.Type);
            values.Add($"{type.ValueOf($"x{index}")} AS v{index}");
            var cell = type.Checked($"x{index}", $"v{index}", Fault(column, type));
            cells.Add(type.Name == column.Type ? $"{cell} AS {name}" : $"CAST({cell} AS {column.Type}) AS {name}");
        }
        return $"SELECT {string.Join(", ", cells)} FROM (SELECT *{string.Concat(values.Select(value => $", {value}"))} FROM {_dialect.Read(_path, _settings)})";
    }

    /// <summary>A type that a person set is not changed by what is found; the cell is the fault.</summary>
    private string Fault(TableColumn column, CellType type) => _settings.TypeOf(column.Name) is null ? Misfit : $"column {column.Name} holds a value that is no {type.Name}, which was set as its type";

    private int IndexOf(TableColumn column)
    {
        for (var index = 0; index < Columns.Count; index++)
            if (string.Equals(Columns[index].Name, column.Name, StringComparison.OrdinalIgnoreCase)) return index;
        return -1;
    }

    private static async Task<CsvReader?> InGuessedEncodingAsync(InputFile file, FileSettings settings, DuckDBConnection connection, string scratch, CancellationToken cancellation)
    {
        if (settings.Encoding is not null || await Charset.GuessAsync(file, cancellation) is not { } guess) return null;
        var (path, _) = await TextEncoding.AsUtf8Async(file, guess, scratch, cancellation);
        return await OpenAsync(file, path, guess, settings, connection, cancellation);
    }

    private static async Task<CsvReader> OpenAsync(InputFile file, string path, string? encoding, FileSettings settings, DuckDBConnection connection, CancellationToken cancellation)
    {
        var dialect = await CsvDialect.SniffAsync(connection, file, path, settings, SampleRows, longLines: false, cancellation);
        var reader = new CsvReader(file, path, encoding, settings, connection, dialect);
        try
        {
            await reader.FindTypesAsync(isWhole: false, cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsLongLine(e) && reader.ExpectLongLines())
        {
            await reader.FindTypesAsync(isWhole: false, cancellation);
        }
        return reader;
    }

    /// <param name="isWhole">All of the file, or a sample of it, which is kept so that it is read once whatever has to be asked of it.</param>
    private async Task FindTypesAsync(bool isWhole, CancellationToken cancellation)
    {
        var relation = _dialect.Read(_path, _settings);
        if (!isWhole)
        {
            await _connection.ExecuteAsync($"CREATE OR REPLACE TEMP TABLE {Sample} AS SELECT * FROM {relation} LIMIT {SampleRows}", cancellation);
            relation = Sample;
        }
        try
        {
            _isWhole = isWhole || await _connection.ScalarAsync<long>($"SELECT count(*) FROM {relation}", cancellation) < SampleRows;
            _types = await new ColumnTypes(_settings).FindAsync(_connection, relation, [.. _dialect.Columns.Select(column => (column.Name, column.Type))], _isWhole, cancellation);
        }
        finally
        {
            if (!isWhole) await _connection.ExecuteAsync($"DROP TABLE {Sample}", CancellationToken.None);
        }
        Columns = [.. _dialect.Columns.Zip(_types, (column, type) => column with { Type = type.Cells?.Name ?? SchemaUnion.Unknown })];
        // A column without a value in the sample, or one that the sample leaves open.
        if (!_isWhole && _types.Any(type => type.Cells is null || type.IsVague)) await LookAtAllAsync(cancellation);
    }
}
