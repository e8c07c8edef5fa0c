using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>One table of one run.</summary>
internal sealed class TableLoad(string root, TableConfig table, ExtractWriter writer, IProgress<ExtractEvent> progress)
{
    private const int MovingRetriesMax = 2;
    private const int ChangesToldMax = 10;
    private readonly List<Input> _inputs = [];
    private ReadLike? _like = ReadLike.Of(writer, table.Name);
    private readonly FileSettings _settings = FileSettings.Of(table.Settings);
    private readonly HashSet<string> _warned = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken cancellation)
    {
        if (!Identifiers.IsStrict(table.Name)) throw new TableException($"'{table.Name}' cannot be the name of a table: use letters, digits and underscores, at most 64, not starting with a digit.");
        writer.Previous.TryGetValue(table.Name, out var previous);
        foreach (var file in FileSet.Resolve(root, table)) _inputs.Add(new Input(file, Earlier(previous, file)));
        if (previous is not null && IsUnchanged(previous))
        {
            foreach (var input in _inputs) RepeatSetAside(input);
            writer.Keep(previous);
            progress.Report(new ExtractEvent("table_done", table.Name, previous.Rows, previous.Bytes, "unchanged"));
            return;
        }
        Scratch.EnsureFree(writer.Folder.Root, _inputs.Where(input => input.Earlier is null).Sum(input => input.File.Stamp.Size) / 2);
        var columns = await UnifyAsync(cancellation);
        while (!await WriteAsync(columns, previous, cancellation)) columns = await UnifyAsync(cancellation);
        await PutAsync(columns, cancellation);
    }

    /// <summary>By which settings a file is read, as it is kept with the file: one that did not change is read again when these did.</summary>
    public static string ReadAs(FileSettings settings, InputFile file) =>
        file.Format.IsDelimited ? settings.ReadAs : file.Format.Kind == FileKind.Parquet && settings.VerifiesChecksums ? "verified" : "";

    private string ReadAs(InputFile file) => ReadAs(_settings, file);

    /// <summary>What was made of the file in an earlier run, when neither the file, nor how it is read, nor the part has changed since.</summary>
    private EarlierPart? Earlier(ExtractTable? previous, InputFile file)
    {
        if (previous?.Files.FirstOrDefault(earlier => earlier.Path == file.Path && earlier.Stamp == file.Stamp && (earlier.ReadAs ?? "") == ReadAs(file)) is not { } source) return null;
        var part = previous.Parts.FirstOrDefault(part => part.Part.Sha256 == source.Sha256);
        if (part is null || !writer.IsWhole(part)) return null;
        return new EarlierPart(part, source.Columns);
    }

    private bool IsUnchanged(ExtractTable previous) =>
        previous.Description == table.Description && previous.Files.Count == _inputs.Count && _inputs.All(input => input.Earlier is not null)
        && _inputs.Select(input => input.File.PartName).SequenceEqual(previous.Parts.Select(part => part.Part.Name));

    /// <summary>Looks into the files that are new or changed, and finds the columns that hold all of them.</summary>
    private async Task<IReadOnlyList<TableColumn>> UnifyAsync(CancellationToken cancellation)
    {
        foreach (var input in _inputs.Where(input => input.Own is null)) await LookIntoAsync(input, cancellation);
        var columns = SchemaUnion.Of(_inputs.Select(input => input.Own!));
        if (columns.Count == 0) throw new TableException("The files have no columns.");
        if (_inputs.Count > 1)
        {
            foreach (var input in _inputs)
                if (SchemaUnion.Drift(columns, input.Own!) is { Length: > 0 } drift) Warn($"{input.File.Path} differs from the table: {drift}");
        }
        return columns;
    }

    /// <returns>False when a file turned out to hold what its sample did not show: the columns must be unified again.</returns>
    private async Task<bool> WriteAsync(IReadOnlyList<TableColumn> columns, ExtractTable? previous, CancellationToken cancellation)
    {
        var (rows, bytes) = (0L, 0L);
        foreach (var input in _inputs)
        {
            if (input.Earlier is not null && previous!.Columns.SequenceEqual(columns))
            {
                RepeatSetAside(input);
                input.Part = Task.FromResult(input.Earlier.Part with { Part = input.Earlier.Part.Part with { Name = input.File.PartName } });
                continue;
            }
            if (input.WrittenAs is null || !input.WrittenAs.SequenceEqual(columns))
            {
                if (!await WriteAsync(input, columns, cancellation)) return false;
            }
            (rows, bytes) = (rows + input.Rows, bytes + input.File.Stamp.Size);
            progress.Report(new ExtractEvent("table_progress", table.Name, rows, bytes, "reading", input.File.Path));
        }
        return true;
    }

    private async Task<bool> WriteAsync(Input input, IReadOnlyList<TableColumn> columns, CancellationToken cancellation)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (input.Reader is null) await LookIntoAsync(input, cancellation); // known from an earlier run, but to be written again
            try
            {
                var written = input.Reader is ParquetReader parquet && await parquet.IsPartAsync(columns, writer.Connection, cancellation)
                    ? await writer.TakePartAsync(input.File.FullPath, input.File.PartName, _inputs.Count == 1, cancellation)
                    : await writer.WritePartAsync(input.Reader!.Select(columns), input.File.PartName, _inputs.Count == 1, cancellation);
                AddRemarks(input.Reader);
                if (FileStamp.TryOf(input.File.FullPath) == input.File.Stamp)
                {
                    if (!written.Columns.Select(column => (column.Name, column.Type)).SequenceEqual(columns.Select(column => (column.Name, column.Type))))
                        throw new TableException($"{input.File.Path}: its columns changed while it was written.");
                    (input.Part, input.Rows, input.WrittenAs) = (written.Storing, written.Rows, columns);
                    return true;
                }
                await written.Storing;
            }
            catch (DuckDBException e)
            {
                if (FileStamp.TryOf(input.File.FullPath) == input.File.Stamp)
                {
                    await LookCloserAsync(input, e, cancellation);
                    return false;
                }
            }
            if (attempt == MovingRetriesMax) throw new TableException($"{input.File.Path} is being changed while it is read; it will be read at the next sync.");
            if (FileStamp.TryOf(input.File.FullPath) is not { } stamp) throw new TableException($"{input.File.Path} vanished while it was read.");
            input.Moved(stamp);
            await LookIntoAsync(input, cancellation);
            if (!SchemaUnion.Of(_inputs.Select(each => each.Own!)).SequenceEqual(columns)) return false;
        }
    }

    /// <summary>A file that does not fit what its sample showed is looked at whole, once; after that, it is broken.</summary>
    private async Task LookCloserAsync(Input input, DuckDBException error, CancellationToken cancellation)
    {
        try
        {
            if (error.ErrorType == DuckDBErrorType.Interrupt) throw error;
            if (input.Reader is CsvReader csv && FileErrors.IsEncoding(error) && await csv.InGuessedEncodingAsync(writer.TempFolder, cancellation) is { } other)
            {
                input.Reader = other;
                AddRemarks(other);
            }
            else if (input.Reader is CsvReader usual && FileErrors.IsLongLine(error) && usual.ExpectLongLines()) return;
            else if (input.Reader!.IsSampled && input.Reader.IsMisfit(error)) await input.Reader.LookAtAllAsync(cancellation);
            else throw error;
        }
        catch (DuckDBException e)
        {
            throw new TableException(FileErrors.Describe(input.File.Path, input.File.FullPath, e));
        }
        input.Own = input.Reader.Columns;
    }

    private async Task LookIntoAsync(Input input, CancellationToken cancellation)
    {
        try
        {
            input.Reader = await SourceReader.OfAsync(input.File, _settings, _like, writer.Connection, writer.TempFolder, cancellation);
        }
        catch (DuckDBException e) when (e.ErrorType != DuckDBErrorType.Interrupt)
        {
            throw new TableException(FileErrors.Describe(input.File.Path, input.File.FullPath, e));
        }
        input.Own = input.Reader.Columns;
        AddRemarks(input.Reader);
    }

    private async Task PutAsync(IReadOnlyList<TableColumn> columns, CancellationToken cancellation)
    {
        var parts = await Task.WhenAll(_inputs.Select(input => input.Part!)).WaitAsync(cancellation);
        // A part that had neighbours before was hashed without it.
        if (parts is [{ Md5: null } only]) parts = [only with { Md5 = await ContentHash.Md5Async(writer.Store.PathOf(only.Part.Sha256), cancellation) }];
        var files = _inputs.Zip(parts, (input, part) => new SourceFile(input.File.Path, input.File.Stamp, part.Part.Sha256, input.Own!, ReadAs(input.File))).ToList();
        var put = new ExtractTable(table.Name, table.Description, "local", writer.Time.GetUtcNow().UtcDateTime, columns, parts, files);
        TellChanges(columns);
        SetAside.Put(writer.Folder, writer.Source, table.Name, _inputs.ToDictionary(input => input.File.PartName, input => input.Reader is null ? null : input.Reader.Divided?.Kept ?? ""));
        writer.Put(put);
        progress.Report(new ExtractEvent("table_done", table.Name, put.Rows, put.Bytes));
    }

    /// <summary>What is read otherwise than before is told, and written down for the next run.</summary>
    private void TellChanges(IReadOnlyList<TableColumn> columns)
    {
        foreach (var csv in _inputs.Select(input => input.Reader).OfType<CsvReader>())
        {
            if (_like is { } before && csv.Like.Deviation(before) is { Length: > 0 } deviation) Warn($"{csv.File.Path} is not written like the table's files before it: {deviation}");
            _like = csv.Like with { Formats = (_like?.Formats ?? new Dictionary<string, string>()).Concat(csv.Like.Formats).GroupBy(format => format.Key).ToDictionary(same => same.Key, same => same.Last().Value) };
        }
        _like?.Write(writer, table.Name);
        if (!writer.Previous.TryGetValue(table.Name, out var previous)) return;
        var types = previous.Columns.ToDictionary(column => column.Name, column => column.Type, StringComparer.OrdinalIgnoreCase);
        var changed = columns.Where(column => types.TryGetValue(column.Name, out var was) && was != column.Type).Select(column => $"{column.Name} {types[column.Name]} → {column.Type}").ToList();
        if (changed.Count > 0) Warn($"columns have another type than before: {string.Join(", ", changed.Take(ChangesToldMax))}{(changed.Count > ChangesToldMax ? $" and {changed.Count - ChangesToldMax} more" : "")}");
    }

    /// <summary>What was set aside in an earlier run is told for as long as it is left out.</summary>
    private void RepeatSetAside(Input input)
    {
        if (_settings.SetsBadRowsAside && SetAside.Count(writer.Folder, writer.Source, table.Name, input.File.PartName) is > 0 and var count) Warn(CsvReader.SetAsideRemark(input.File.Path, count));
    }

    private void AddRemarks(SourceReader reader)
    {
        foreach (var remark in reader.Remarks) Warn(remark);
    }

    private void Warn(string text)
    {
        if (!_warned.Add(text)) return;
        writer.Warn($"{table.Name}: {text}");
        progress.Report(new ExtractEvent("warning", table.Name, Message: text));
    }

    private sealed record EarlierPart(ExtractPart Part, IReadOnlyList<TableColumn> Columns);

    private sealed class Input(InputFile file, EarlierPart? earlier)
    {
        public InputFile File { get; private set; } = file;
        public EarlierPart? Earlier { get; private set; } = earlier;
        public IReadOnlyList<TableColumn>? Own { get; set; } = earlier?.Columns;
        public SourceReader? Reader { get; set; }
        public Task<ExtractPart>? Part { get; set; }
        public long Rows { get; set; }

        /// <summary>The table's columns when the part was written.</summary>
        public IReadOnlyList<TableColumn>? WrittenAs { get; set; }

        public void Moved(FileStamp stamp)
        {
            File = File with { Stamp = stamp };
            (Earlier, Own, Reader) = (null, null, null);
        }
    }
}
