using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>An array of objects, or an object a line. All of the file is looked at for keys: a key that a sample lacks would be dropped without a word.</summary>
internal sealed class JsonReader : SourceReader
{
    private const string Json = "JSON";
    private const int ObjectBytesMax = 64 << 20;
    private readonly string _options;

    private JsonReader(InputFile file, IReadOnlyList<TableColumn> columns, string options) : base(file) => (Columns, _options) = (columns, options);

    public override IReadOnlyList<TableColumn> Columns { get; protected set; }

    public static async Task<JsonReader> OpenAsync(InputFile file, DuckDBConnection connection, CancellationToken cancellation)
    {
        var format = file.Format.Kind == FileKind.NewlineJson ? "newline_delimited" : "auto";
        var options = $"format='{format}', maximum_object_size={ObjectBytesMax}, hive_partitioning=false";
        var from = $"FROM read_json({Statements.ExactPath(file.FullPath)}, {options}, sample_size=-1)";
        var columns = await connection.ColumnsAsync(from, cancellation);
        if (await TextEncoding.IsCutShortAsync(file, cancellation)) throw new TableException($"{file.Path}: it ends before its array does; most likely it was cut short");
        if (columns is [{ Name: "json", Type: Json }]) throw new TableException($"{file.Path}: it has no columns. It must hold an array of objects, or one object a line.");
        if (columns.Where(column => column.Type == Json).ToList() is { Count: > 0 } untyped)
        {
            // JSON is also the type of a key whose values are all null.
            var counts = await connection.QueryAsync($"SELECT {string.Join(", ", untyped.Select(column => $"count({SqlText.Identifier(column.Name)})"))} {from}",
                row => untyped.Select((_, index) => row.GetInt64(index)).ToArray(), cancellation);
            var empty = untyped.Where((_, index) => counts[0][index] == 0).ToHashSet();
            columns = [.. columns.Select(column => empty.Contains(column) ? column with { Type = SchemaUnion.Unknown } : column)];
        }
        return new JsonReader(file, columns, options);
    }

    public override string Select(IReadOnlyList<TableColumn> table) =>
        $"SELECT {SelectList(table, cast: false)} FROM read_json({Statements.ExactPath(File.FullPath)}, {_options}, columns={Types(table)})";
}
