using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>An array of objects, or an object a line. All of the file is looked at for keys: a key that a sample lacks would be dropped without a word.</summary>
internal sealed class JsonReader : SourceReader
{
    private const string Json = "JSON";
    private const string Huge = "HUGEINT";

    // Each thread has two buffers of that size, so that the larger one is for files that need it.
    private const int ObjectBytesUsual = 16 << 20;
    private const int ObjectBytesMax = 64 << 20;
    private readonly string _options;

    private JsonReader(InputFile file, IReadOnlyList<TableColumn> columns, string options) : base(file) => (Columns, _options) = (columns, options);

    public override IReadOnlyList<TableColumn> Columns { get; protected set; }

    public static async Task<JsonReader> OpenAsync(InputFile file, DuckDBConnection connection, CancellationToken cancellation)
    {
        try
        {
            return await OpenAsync(file, connection, ObjectBytesUsual, cancellation);
        }
        catch (DuckDBException e) when (e.Message.Contains("maximum_object_size", StringComparison.Ordinal))
        {
            return await OpenAsync(file, connection, ObjectBytesMax, cancellation);
        }
    }

    private static async Task<JsonReader> OpenAsync(InputFile file, DuckDBConnection connection, int objectBytesMax, CancellationToken cancellation)
    {
        var (isArray, isCutShort) = await TextEncoding.ArrayAsync(file, cancellation);
        string Options(string format) => $"format='{(file.Format.Kind == FileKind.NewlineJson ? "newline_delimited" : format)}', maximum_object_size={objectBytesMax}, hive_partitioning=false";
        // With the types told, the engine takes an array for one object unless it is told better; while it looks for them, being told costs twice the memory.
        var options = Options(isArray ? "array" : "auto");
        var from = $"FROM read_json({Statements.ExactPath(file.FullPath)}, {Options("auto")}, sample_size=-1)";
        var columns = await connection.ColumnsAsync(from, cancellation);
        if (isCutShort) throw new TableException($"{file.Path}: it ends before its array does; most likely it was cut short");
        if (columns is [{ Name: "json", Type: Json }]) throw new TableException($"{file.Path}: it has no columns. It must hold an array of objects, or one object a line.");
        if (columns.Where(column => column.Type is Json or Huge).ToList() is { Count: > 0 } vague)
        {
            var questions = string.Join(", ", vague.Select(column => Question(column)));
            var answers = (await connection.QueryAsync($"SELECT {questions} {from}", row => vague.Select((_, index) => row.TextOrNull(index)).ToArray(), cancellation))[0];
            var types = vague.Zip(answers).ToDictionary(pair => pair.First.Name, pair => pair.Second ?? pair.First.Type, StringComparer.Ordinal);
            columns = [.. columns.Select(column => column with { Type = types.GetValueOrDefault(column.Name, column.Type) })];
        }
        return new JsonReader(file, columns, options);
    }

    /// <summary>
    /// JSON is what the engine also calls a key whose values are all null, and one with texts beside numbers; HUGEINT is what it makes of any whole
    /// numbers with a negative one among them. One more look says what they need to be.
    /// </summary>
    private static string Question(TableColumn column)
    {
        var name = SqlText.Identifier(column.Name);
        return column.Type == Huge
            ? $"CASE WHEN max({name}) <= {long.MaxValue} AND min({name}) >= {long.MinValue} THEN 'BIGINT' END"
            : $"CASE WHEN count({name}) = 0 THEN '{SchemaUnion.Unknown}' WHEN count(*) FILTER (json_type({name}) IN ('OBJECT', 'ARRAY')) = 0 THEN 'VARCHAR' END";
    }

    public override string Select(IReadOnlyList<TableColumn> table) =>
        $"SELECT {SelectList(table, cast: false)} FROM read_json({Statements.ExactPath(File.FullPath)}, {_options}, columns={Types(table)})";
}
