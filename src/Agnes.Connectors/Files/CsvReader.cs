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
    /// <summary>Rows from which types are guessed.</summary>
    public const int SampleRows = 20_480;

    private const string Sample = "temp.agnes_sample";

    /// <summary>What the engine is made to say where a cell does not fit.</summary>
    private const string Misfit = "agnes: a cell does not fit the type of its column";

    private static readonly Dictionary<string, string> NoFormats = new(StringComparer.Ordinal);
    private readonly DuckDBConnection _connection;
    private readonly FileSettings _settings;
    private readonly CsvText _text;
    private readonly string _path;
    private readonly string? _encoding;
    private CsvDialect _dialect;
    private IReadOnlyList<ColumnType> _types = [];
    private bool _isWhole;

    /// <summary>The text says nothing about the encoding that the table's files were in before.</summary>
    private bool _isAscii;

    private CsvReader(CsvText text, FileSettings settings, DuckDBConnection connection, CsvDialect dialect) : base(text.File)
    {
        (_text, _path, _encoding, _settings, _connection, _dialect) = (text, text.Divided?.Text ?? text.Path, text.Encoding, settings, connection, dialect);
    }

    public override Divided? Divided => _text.Divided;

    /// <summary>How the file turned out to be written, for the next one; a format that a person set is no finding.</summary>
    public ReadLike Like => new(_dialect.Delimiter, _dialect.HasHeader, _dialect.SkippedLines, _encoding ?? (_isAscii ? _text.Like!.Encoding : null),
        Formats.Where(format => format.Value != _settings.DateFormat && format.Value != _settings.TimestampFormat).ToDictionary(), [.. _dialect.Columns.Select(column => column.Name)], _settings.ReadAs);

    /// <summary>How it is read, for people.</summary>
    public WrittenAs Written => new(
        _dialect.Delimiter, _dialect.Quote, _dialect.Escape, _dialect.HasHeader, _dialect.SkippedLines, _encoding ?? _settings.Encoding ?? "utf-8", Formats.ToDictionary(), [.. _settings.NullTexts.Prepend("")]);

    private IEnumerable<KeyValuePair<string, string>> Formats => _types.Zip(Columns).Where(pair => pair.First.Cells?.Format is not null)
        .DistinctBy(pair => pair.Second.Name).Select(pair => KeyValuePair.Create(pair.Second.Name, pair.First.Cells!.Format!));

    public override IReadOnlyList<TableColumn> Columns { get; protected set; } = [];

    public override bool IsSampled => !_isWhole;

    public override IReadOnlyList<string> Remarks =>
    [
        .. _settings.SkipLines is null && _dialect.SkippedLines > 0 ? [$"{File.Path}: the first {_dialect.SkippedLines} line(s) are not part of the table and were left out"] : (string[])[],
        .. _settings.Header is null && !_dialect.HasHeader ? [$"{File.Path}: no header line was found, so the columns are called {Columns[0].Name} and so on"] : (string[])[],
        .. _encoding is not null && _settings.Encoding is null ? [$"{File.Path}: read as {_encoding}, since it is not UTF-8"] : (string[])[],
        .. _dialect.Renamed.Count > 0 ? [$"{File.Path}: columns of one name were numbered: {string.Join(", ", _dialect.Renamed)}"] : (string[])[],
        .. Divided is { Count: > 0 } divided ? [SetAsideRemark(File.Path, divided.Count)] : (string[])[],
        .. _types.Zip(Columns).Where(pair => pair.First.Remark is not null).Select(pair => $"{File.Path}, column {pair.Second.Name}: {pair.First.Remark}"),
    ];

    public static string SetAsideRemark(string path, long count) => $"{path}: {count} row(s) that are no rows of the table were set aside; agnes admin set-aside shows them";

    public static async Task<CsvReader> OpenAsync(
        InputFile file, FileSettings settings, ReadLike? like, DuckDBConnection connection, string scratch, CancellationToken cancellation)
    {
        var (path, encoding) = await TextEncoding.AsUtf8Async(file, settings.Encoding, scratch, cancellation);
        try
        {
            return await OpenAsync(new CsvText(file, path, encoding) { Like = like }, settings, connection, scratch, cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsEncoding(e) && encoding is null)
        {
            if (await InGuessedEncodingAsync(file, settings, like, connection, scratch, cancellation) is { } other) return other;
            throw;
        }
    }

    /// <summary>The same file in the encoding that it most likely has, when its first byte that is not UTF-8 came after the sample.</summary>
    public async Task<CsvReader?> InGuessedEncodingAsync(string scratch, CancellationToken cancellation) =>
        _encoding is null && !_text.IsChecked ? await InGuessedEncodingAsync(File, _settings, _text.Like, _connection, scratch, cancellation) : null;

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
            var whole = await CsvDialect.SniffAsync(_connection, File, _path, _settings.With(_dialect), sampleRows: -1, _dialect.LongLines, cancellation);
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

    private static async Task<CsvReader?> InGuessedEncodingAsync(
        InputFile file, FileSettings settings, ReadLike? like, DuckDBConnection connection, string scratch, CancellationToken cancellation)
    {
        if (settings.Encoding is null && await Charset.GuessAsync(file, like is not null && like.IsUnder(settings) ? like.Encoding : null, cancellation) is { } guess)
        {
            var (path, _) = await TextEncoding.AsUtf8Async(file, guess, scratch, cancellation);
            return await OpenAsync(new CsvText(file, path, guess) { Like = like }, settings, connection, scratch, cancellation);
        }
        return settings.SetsBadRowsAside ? await OpenAsync(new CsvText(file, file.FullPath, null, IsChecked: true) { Like = like }, settings, connection, scratch, cancellation) : null;
    }

    private static async Task<CsvReader> OpenAsync(CsvText text, FileSettings settings, DuckDBConnection connection, string scratch, CancellationToken cancellation)
    {
        if (!settings.SetsBadRowsAside) return await OpenAsync(text, settings, settings, connection, cancellation);
        if (text.File.Format.Compression == "zst") throw new TableException($"{text.File.Path}: bad rows of a .zst file cannot be set aside; pack it as .gz");
        var rough = await RoughAsync(text, settings, connection, cancellation);
        var told = settings.With(rough);
        var divided = await new BadRows(text.File, rough, scratch).DivideAsync(text.Path, misfits: null, text.IsChecked, cancellation);
        var reader = await OpenAsync(text with { Divided = divided }, settings, told, connection, cancellation);
        if (await reader.MisfitsAsync(cancellation) is not { Count: > 0 } misfits) return reader;
        divided = await new BadRows(text.File, rough, scratch).DivideAsync(text.Path, misfits, text.IsChecked, cancellation);
        return await OpenAsync(text with { Divided = divided }, settings, told, connection, cancellation);
    }

    /// <param name="told">What was set, and what was found out already.</param>
    private static async Task<CsvReader> OpenAsync(CsvText text, FileSettings settings, FileSettings told, DuckDBConnection connection, CancellationToken cancellation)
    {
        var dialect = await AsBeforeAsync(text, told, connection, cancellation)
            ?? await CsvDialect.SniffAsync(connection, text.File, text.Divided?.Text ?? text.Path, told, SampleRows, longLines: false, cancellation);
        var reader = new CsvReader(text, settings, connection, dialect) { _isAscii = text is { Encoding: null, Like.Encoding: not null } && await TextEncoding.IsAsciiAsync(text.File, cancellation) };
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

    /// <summary>The dialect of the table's files before, where this one can be read so: with columns of the table, and no line that does not fit.</summary>
    private static async Task<CsvDialect?> AsBeforeAsync(CsvText text, FileSettings told, DuckDBConnection connection, CancellationToken cancellation)
    {
        if (text.Like is not { } like || !like.IsUnder(told)) return null;
        try
        {
            var dialect = await CsvDialect.SniffAsync(connection, text.File, text.Divided?.Text ?? text.Path, told.With(like), SampleRows, longLines: false, cancellation);
            if (!like.Fits([.. dialect.Columns.Select(column => column.Name)], dialect.HasHeader)) return null;
            return dialect.HasHeader || told.Header is not null || !await StartsWithNamesAsync(text, told, dialect, connection, cancellation) ? dialect : null;
        }
        catch (Exception e) when (e is TableException or DuckDBException { ErrorType: not DuckDBErrorType.Interrupt, IsFatal: false } && !IsOfText(e))
        {
            return null;
        }
    }

    /// <summary>What is wrong with the text itself is so however it is divided.</summary>
    private static bool IsOfText(Exception error) => error is DuckDBException engine && (FileErrors.IsEncoding(engine) || FileErrors.IsMemory(engine));

    /// <summary>Files without a header may get one: a first line that the sniffer takes for names, with no number and no gap among them, is no row.</summary>
    private static async Task<bool> StartsWithNamesAsync(CsvText text, FileSettings told, CsvDialect dialect, DuckDBConnection connection, CancellationToken cancellation)
    {
        var open = told.WithAllButHeader(dialect);
        var free = await CsvDialect.SniffAsync(connection, text.File, text.Divided?.Text ?? text.Path, open, SampleRows, dialect.LongLines, cancellation);
        return free.HasHeader && free.Columns.All(column => column.Name.Any(char.IsLetter));
    }

    private static async Task<CsvDialect> RoughAsync(CsvText text, FileSettings settings, DuckDBConnection connection, CancellationToken cancellation)
    {
        if (text.Like is { } like && like.IsUnder(settings))
        {
            var same = await CsvDialect.RoughAsync(connection, text.File, text.Path, settings.With(like), SampleRows, cancellation);
            if (like.Fits([.. same.Columns.Select(column => column.Name)], same.HasHeader)) return same;
        }
        return await CsvDialect.RoughAsync(connection, text.File, text.Path, settings, SampleRows, cancellation);
    }

    /// <summary>Rows with a cell that is not of the type which a person set for its column, by their number.</summary>
    private async Task<Dictionary<long, string>> MisfitsAsync(CancellationToken cancellation)
    {
        var tests = Columns.Select((column, index) => _settings.TypeOf(column.Name) is { } type && type != CellType.Text
            ? $"WHEN NOT coalesce({type.Test($"x{index}")}, true) THEN {SqlText.Literal(Fault(column, type))}" : "").Where(test => test.Length > 0).ToList();
        if (tests.Count == 0) return [];
        var rows = await _connection.QueryAsync(
            $"SELECT n, why FROM (SELECT n, CASE {string.Join(' ', tests)} END AS why FROM (SELECT row_number() OVER () AS n, * FROM {_dialect.Read(_path, _settings)})) "
            + $"WHERE why IS NOT NULL LIMIT {BadRows.RowsMax + 1}", row => (Number: row.GetInt64(0), Why: row.GetString(1)), cancellation);
        return rows.ToDictionary(row => row.Number, row => row.Why);
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
            _types = await new ColumnTypes(_settings, _text.Like?.Formats ?? NoFormats).FindAsync(_connection, relation, [.. _dialect.Columns.Select(column => (column.Name, column.Type))], _isWhole, cancellation);
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

/// <summary>A delimited text before it is read.</summary>
/// <param name="Path">Where it lies in UTF-8.</param>
/// <param name="Encoding">What it was in, where that is not UTF-8.</param>
/// <param name="IsChecked">Rows that are no UTF-8 are set aside, since the file is in no other encoding.</param>
internal sealed record CsvText(InputFile File, string Path, string? Encoding, bool IsChecked = false, Divided? Divided = null)
{
    /// <summary>How the table's files were written before; null for the first.</summary>
    public ReadLike? Like { get; init; }
}
