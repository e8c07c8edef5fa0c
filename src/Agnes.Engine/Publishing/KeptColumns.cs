using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Publishing;

/// <summary>A table as it is to be published.</summary>
/// <param name="Origin">As <see cref="TablePublication.Origin"/>.</param>
/// <param name="LeftOut">What its source has otherwise; null where the table is as in the source.</param>
internal sealed record KeptTable(
    IReadOnlyList<TableColumn> Columns, IReadOnlyList<TablePart> Parts, IReadOnlyList<FileStamp> Stamps, string? Md5, string? Origin, SchemaDrift? LeftOut = null);

/// <summary>
/// Gives a table whose contract is <c>discard</c> the columns that it had: parts that have others are copied without them, each once. What a source wrote stays as
/// it is, and parts that have nothing to leave out are published as they are.
/// </summary>
/// <param name="partsFolder">Of the store, with its staging area below.</param>
internal sealed class KeptColumns(PartStore store, PartStaging staging, Share share, string tempFolder, string partsFolder) : IAsyncDisposable
{
    // It reads parts, and must not be the connection that opened a foreign file: its views could read the parts of any table.
    private DuckDBConnection? _connection;

    /// <param name="table">As the source has it.</param>
    /// <exception cref="SchemaContractException">The contract forbids it.</exception>
    public async Task<KeptTable> ApplyAsync(PublishedTable? before, KeptTable table, CancellationToken cancellation)
    {
        if (SchemaContract.Drift(before, table.Columns) is not { } drift) return table;
        SchemaContract.Check(before!, drift);
        var earlier = LeftOutOrigin.CopiesOf(before!);
        var (parts, stamps) = (new List<TablePart>(table.Parts.Count), new List<FileStamp>(table.Parts.Count));
        string? md5 = table.Parts.Count == 1 && before!.Parts.Count == 1 ? before.Md5 : null;
        foreach (var part in table.Parts)
        {
            if (earlier.TryGetValue(part.Sha256, out var copy) && store.IsStamped(copy.Part.Sha256, copy.Stored))
            {
                parts.Add(copy.Part with { Name = part.Name });
                stamps.Add(copy.Stored);
                continue;
            }

            var (made, hash) = await CopyAsync(before!, drift, part, table.Parts.Count == 1, cancellation);
            parts.Add(made.Part);
            stamps.Add(made.Stamp);
            md5 = hash;
        }

        if (parts.Count == 1) md5 ??= await ContentHash.Md5Async(store.PathOf(parts[0].Sha256), cancellation);
        return new KeptTable(before!.Columns, parts, stamps, md5, LeftOutOrigin.Of(table.Parts, table.Origin), drift);
    }

    private async Task<(StoredPart Made, string? Md5)> CopyAsync(
        PublishedTable before, SchemaDrift drift, TablePart part, bool md5, CancellationToken cancellation)
    {
        _connection ??= WorkerDatabase.Open(share, tempFolder, [partsFolder]);
        Scratch.EnsureFree(staging.Folder, part.SizeBytes);
        var rows = TableSource.FromParts([store.PathOf(part.Sha256)]);
        await SchemaContract.CheckCellsAsync(_connection, before, drift, rows, cancellation);
        var file = staging.NewFile();
        var (count, columns) = await _connection.CopyAsync($"SELECT {SchemaContract.SelectList(before, drift)} FROM ({rows})", file, cancellation);
        if (count != part.Rows || !SchemaDrift.Between(before.Columns, columns).IsNone)
            throw new InvalidDataException("its columns could not be kept: the copy has others");
        var hash = md5 ? await ContentHash.Md5Async(file, cancellation) : null;
        return (await store.AddAsync(file, part.Name, count, cancellation), hash);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync();
    }
}
