using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Publishing;

/// <param name="Reused">Nothing was read: it is what was published before.</param>
internal sealed record AdoptedTable(IReadOnlyList<TableColumn> Columns, IReadOnlyList<TablePart> Parts, IReadOnlyList<FileStamp> Stamps, string? Md5, string Origin, bool Reused);

/// <summary>Takes the tables of an extract that another program wrote into the store: by file where a view shows whole files, else by copying rows.</summary>
internal sealed class ForeignAdoption(PartStore store, PartStaging staging, DuckDBConnection connection, Share share, string tempFolder, string root, SourceTree tree, TimeProvider time)
{
    // A file changed within the file system's clock tick after it was stamped would keep its time.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(60);

    public async Task<AdoptedTable> AdoptAsync(MetaRow row, ExtractObject found, PublishedTable? before, CancellationToken cancellation)
    {
        var files = found.IsView ? Candidates(row.Name) : [];
        var byFile = TableOrigin.OfFiles(found.Sql, files);
        if (before is not null && AllIntact(before))
        {
            if (files.Count > 0 && before.Origin == byFile) return Reuse(before);
            if (before.Origin == TableOrigin.OfRows(found.Sql, tree) && before.ExtractedAt == row.ExtractedAt) return Reuse(before);
        }
        if (files.Count > 0 && await PlainView.ShowsAllOfAsync(connection, share, tempFolder, root, row.Name, [.. files.Select(file => file.Path)], cancellation)
            && await AdoptFilesAsync(row.Name, files, before, byFile, cancellation) is { } adopted) return adopted;
        return await CopyRowsAsync(row.Name, found, cancellation);
    }

    /// <summary>The flat file of a table wins over the folder of that name.</summary>
    private IReadOnlyList<CandidateFile> Candidates(string table)
    {
        var flat = $"data/{table}.parquet";
        if (tree.Files.TryGetValue(flat, out var stamp)) return [new CandidateFile(flat, $"{table}.parquet", stamp)];
        var folder = $"data/{table}/";
        return [.. tree.ParquetFilesIn(folder).Select(file => new CandidateFile(folder + file.Name, file.Name, file.Stamp))];
    }

    /// <returns>Null when the files do not have the same columns: then the view unifies them, and its rows are copied.</returns>
    private async Task<AdoptedTable?> AdoptFilesAsync(string table, IReadOnlyList<CandidateFile> files, PublishedTable? before, string origin, CancellationToken cancellation)
    {
        var columns = await connection.ColumnsAsync($"{ExtractReader.Alias}.{SqlText.Identifier(table)}", cancellation);
        var parts = new List<TablePart>(files.Count);
        var stamps = new List<FileStamp>(files.Count);
        string? md5 = null;
        var earlier = before is null ? [] : TableOrigin.FilesOf(before);
        foreach (var file in files)
        {
            if (earlier.TryGetValue(file.Path, out var same) && same.Source == file.Stamp && store.IsStamped(same.Part.Sha256, same.Stored) && before!.Columns.SequenceEqual(columns))
            {
                parts.Add(same.Part);
                stamps.Add(same.Stored);
                md5 = before.Md5;
                continue;
            }
            var inPlace = same is not null && same.Source.Inode == file.Stamp.Inode;
            var (stored, hash, own) = await AdoptFileAsync(file, mayLink: !inPlace, files.Count == 1, cancellation);
            if (!own.SequenceEqual(columns)) return null;
            parts.Add(stored.Part);
            stamps.Add(stored.Stamp);
            md5 = hash;
        }
        return new AdoptedTable(columns, parts, stamps, files.Count == 1 ? md5 : null, origin, Reused: false);
    }

    /// <summary>One Parquet file of another program: linked, cloned or copied; then read to its end, since a footer alone proves nothing; then hashed; and still the same after.</summary>
    /// <param name="mayLink">False for a file that was changed in place before: a link would let its writer change our part as well.</param>
    private async Task<(StoredPart Stored, string? Md5, IReadOnlyList<TableColumn> Columns)> AdoptFileAsync(CandidateFile file, bool mayLink, bool md5, CancellationToken cancellation)
    {
        using var opened = OpenedFile.TryOpen(Path.Combine(root, file.Path)) ?? throw new MovingFileException();
        if (opened.Stamp != file.Stamp) throw new MovingFileException();
        await SettleAsync(file.Stamp, cancellation);
        var staged = staging.NewFile();
        if (!(mayLink && opened.TryLinkTo(staged)) && !opened.TryCloneTo(staged))
        {
            Scratch.EnsureFree(staging.Folder, file.Stamp.Size);
            await opened.CopyToAsync(staged, cancellation);
        }
        var hashed = FileStamp.Of(staged);
        if (opened.Stamp != file.Stamp || hashed.Size != file.Stamp.Size) throw new MovingFileException();
        IReadOnlyList<TableColumn> columns;
        long rows;
        string? hash;
        StoredPart stored;
        try
        {
            var select = $"FROM read_parquet({Statements.ExactPath(staged)}, hive_partitioning=false)";
            columns = await connection.ColumnsAsync(select, cancellation);
            if (columns.Count == 0) throw new InvalidDataException($"{file.Path} has no columns");
            rows = (await connection.QueryAsync($"SELECT count(*), bit_xor(hash(f)) {select} AS f", row => row.GetInt64(0), cancellation))[0];
            hash = md5 ? await ContentHash.Md5Async(staged, cancellation) : null;
            var sha256 = await ContentHash.Sha256Async(staged, cancellation);
            if (opened.Stamp != file.Stamp) throw new MovingFileException();
            stored = await store.AddHashedAsync(staged, hashed, sha256, file.Name, rows, cancellation);
        }
        catch (DuckDBException e)
        {
            if (opened.Stamp != file.Stamp) throw new MovingFileException();
            throw new InvalidDataException($"{file.Path} cannot be read: {Wording.Of(e, staging.Folder)}", e);
        }
        if (FileStamp.TryOf(Path.Combine(root, file.Path)) != file.Stamp) throw new MovingFileException();
        return (stored, hash, columns);
    }

    /// <summary>A base table, or a view that computes, filters or unifies: its rows become one part.</summary>
    private async Task<AdoptedTable> CopyRowsAsync(string table, ExtractObject found, CancellationToken cancellation)
    {
        var name = $"{ExtractReader.Alias}.{SqlText.Identifier(table)}";
        var select = $"SELECT {ParquetTypes.SelectList(await connection.ColumnsAsync(name, cancellation))} FROM {name}";
        var staged = staging.NewFile();
        var (rows, columns) = await connection.CopyAsync(select, staged, cancellation);
        var md5 = await ContentHash.Md5Async(staged, cancellation);
        var (part, stamp) = await store.AddAsync(staged, $"{table}.parquet", rows, cancellation);
        if (SourceTree.Scan(root).Digest != tree.Digest) throw new MovingFileException();
        return new AdoptedTable(columns, [part], [stamp], md5, TableOrigin.OfRows(found.Sql, tree), Reused: false);
    }

    private async Task SettleAsync(FileStamp stamp, CancellationToken cancellation)
    {
        var age = time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddTicks(stamp.ModifiedNs / 100);
        if (age < Tick) await Task.Delay(Tick, time, cancellation);
    }

    private bool AllIntact(PublishedTable before) => before.Parts.Zip(before.Stamps).All(pair => store.IsStamped(pair.First.Sha256, pair.Second));

    private static AdoptedTable Reuse(PublishedTable before) => new(before.Columns, before.Parts, before.Stamps, before.Md5, before.Origin!, Reused: true);
}

/// <param name="Path">Relative to the source's folder.</param>
internal sealed record CandidateFile(string Path, string Name, FileStamp Stamp);
