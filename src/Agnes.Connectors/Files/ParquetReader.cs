using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

internal sealed class ParquetReader : SourceReader
{
    private readonly string _from;

    private ParquetReader(InputFile file, string from, IReadOnlyList<TableColumn> columns) : base(file) => (_from, Columns) = (from, columns);

    public override IReadOnlyList<TableColumn> Columns { get; protected set; }

    public static async Task<ParquetReader> OpenAsync(InputFile file, DuckDBConnection connection, CancellationToken cancellation)
    {
        var from = $"FROM read_parquet({Statements.ExactPath(file.FullPath)}, hive_partitioning=false)";
        return new ParquetReader(file, from, await connection.ColumnsAsync(from, cancellation));
    }

    public override string Select(IReadOnlyList<TableColumn> table) => $"SELECT {SelectList(table, cast: true)} {_from}";
}
