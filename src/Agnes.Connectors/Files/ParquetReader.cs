using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

internal sealed class ParquetReader : SourceReader
{
    /// <summary>The first page of each is in memory then, and of a thousand they would be more than a child has.</summary>
    private const int ColumnsAtOnce = 50;

    private readonly string _from;
    private IReadOnlyList<string> _remarks;

    private ParquetReader(InputFile file, string from, IReadOnlyList<TableColumn> columns, IReadOnlyList<string> remarks) : base(file) => (_from, Columns, _remarks) = (from, columns, remarks);

    public override IReadOnlyList<TableColumn> Columns { get; protected set; }

    public override IReadOnlyList<string> Remarks => _remarks;

    public static async Task<ParquetReader> OpenAsync(InputFile file, FileSettings settings, DuckDBConnection connection, CancellationToken cancellation)
    {
        var from = $"FROM read_parquet({Statements.ExactPath(file.FullPath)}, hive_partitioning=false)";
        var columns = await connection.ColumnsAsync(from, cancellation);
        return new ParquetReader(file, from, columns, settings.VerifiesChecksums ? await RemarksAsync(file, connection, cancellation) : []);
    }

    /// <summary>Columns, types and values are the table's own, so that the file can be a part as it is. Its first rows are decoded, or an encoding that the engine lacks would be met by a query first.</summary>
    public async Task<bool> IsPartAsync(IReadOnlyList<TableColumn> table, DuckDBConnection connection, CancellationToken cancellation)
    {
        if (Columns.Count == 0 || !Columns.SequenceEqual(table) || !ParquetTypes.Storable(Columns).SequenceEqual(Columns) || !StartsAsParquet()) return false;
        try
        {
            foreach (var some in Columns.Chunk(ColumnsAtOnce))
                await connection.QueryAsync($"SELECT hash({string.Join(", ", some.Select(column => SqlText.Identifier(column.Name)))}) {_from} LIMIT 1", _ => 0, cancellation);
        }
        catch (DuckDBException e) when (FileErrors.IsMemory(e))
        {
            _remarks = [.. _remarks, $"{File.Path}: its pages are so large that queries may lack the memory for them; write it with row groups of about 100,000 rows"];
        }
        return true;
    }

    /// <summary>The engine looks at the file's end only; other readers want both marks.</summary>
    private bool StartsAsParquet()
    {
        using var file = System.IO.File.OpenHandle(File.FullPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> mark = stackalloc byte[4];
        return RandomAccess.Read(file, mark, 0) == mark.Length && mark.SequenceEqual("PAR1"u8);
    }

    public override string Select(IReadOnlyList<TableColumn> table) => $"SELECT {SelectList(table, cast: true)} {_from}";

    private static async Task<IReadOnlyList<string>> RemarksAsync(InputFile file, DuckDBConnection connection, CancellationToken cancellation)
    {
        var (pages, tested) = await new PageChecksums(file).VerifyAsync(connection, cancellation);
        return tested == pages ? [] : [$"{file.Path}: {pages - tested} of its {pages} pages have no checksum, so verify_checksums could not check them"];
    }
}
