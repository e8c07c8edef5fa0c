using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;

namespace Agnes.Emulators.BigQuery;

/// <summary>What is stored: data sets with their tables, and an engine that holds the rows.</summary>
public sealed class Warehouse : IDisposable
{
    private const long Megabyte = 1 << 20;
    private const long BilledMin = 10 * Megabyte;

    /// <summary>What would hide which columns a query names; the one that drops the columns it does not name stays.</summary>
    private const string Unhelpful = "filter_pushdown,filter_pullup,statistics_propagation,expression_rewriter,"
        + "limit_pushdown,top_n,empty_result_pullup,late_materialization,join_order,common_subexpressions,in_clause,regex_range";

    private readonly DuckDBConnection _engine = new("Data Source=:memory:");
    private readonly ConcurrentDictionary<(string Project, string Dataset), string> _locations = new();
    private readonly ConcurrentDictionary<(string Project, string Dataset, string Name), Table> _tables = new();
    private int _count;

    internal Warehouse()
    {
        _engine.Open();
        Prepare(_engine);
        foreach (var macro in Functions.Macros) _engine.ExecuteUnprepared(macro);
    }

    public IReadOnlyDictionary<(string Project, string Dataset), string> Datasets => _locations;

    public IEnumerable<Table> Tables => _tables.Values;

    public void AddDataset(string project, string dataset, string location = "US") => _locations[(project, dataset)] = location;

    /// <summary>A table with rows.</summary>
    /// <param name="columns">As a CREATE TABLE of BigQuery has them.</param>
    /// <param name="rows">A query of the engine that gives the columns in their order, or null for no rows.</param>
    /// <param name="scale">Sizes are counted as if there were so many times the rows: a large table without its rows.</param>
    public Table AddTable(
        string project, string dataset, string name, string columns, string? rows = null, long scale = 1, string type = "TABLE")
    {
        if (!_locations.ContainsKey((project, dataset)))
        {
            throw new ArgumentException($"There is no data set '{project}.{dataset}'.", nameof(dataset));
        }
        var fields = Field.Parse(columns);
        var physical = $"t{Interlocked.Increment(ref _count)}";
        _engine.ExecuteUnprepared(
            $"CREATE TABLE {physical} ({string.Join(", ", fields.Select(field => $"{Field.Quoted(field.Name)} {field.EngineType}"))})");
        if (rows is not null) _engine.ExecuteUnprepared($"INSERT INTO {physical} {rows}");
        return Put(new Table(project, dataset, name, type, fields) { Physical = physical }, scale);
    }

    /// <param name="query">In BigQuery's SQL.</param>
    /// <param name="isMaterialized">Its rows are stored as they are now.</param>
    public Table AddView(string project, string dataset, string name, string query, bool isMaterialized = false)
    {
        var bridged = Bridge.Translate(query, this, new Bridge.Context(project, null, new Dictionary<string, string>(), []));
        using var connection = Open();
        if (!isMaterialized) return Set(new Table(project, dataset, name, "VIEW", Describe(connection, bridged.Sql)) { Query = query });
        var physical = $"t{Interlocked.Increment(ref _count)}";
        connection.ExecuteUnprepared($"CREATE TABLE {physical} AS {bridged.Sql}");
        var fields = Describe(connection, $"SELECT * FROM {physical}");
        return Put(new Table(project, dataset, name, "MATERIALIZED_VIEW", fields) { Physical = physical, Query = query }, 1);
    }

    /// <summary>Replaces what is known of a table; its rows stay.</summary>
    public Table Set(Table table) => _tables[(table.Project, table.Dataset, table.Name)] = table;

    internal Table? Find(string project, string dataset, string name) => _tables.GetValueOrDefault((project, dataset, name));

    internal IEnumerable<Table> In(string project, string dataset) => _tables.Values
        .Where(table => table.Project == project && table.Dataset == dataset).OrderBy(table => table.Name, StringComparer.Ordinal);

    internal string? LocationOf(string project, string dataset) => _locations.GetValueOrDefault((project, dataset));

    internal DuckDBConnection Open()
    {
        var connection = _engine.Duplicate();
        Prepare(connection);
        return connection;
    }

    /// <summary>Rows of a table from one on, as documented JSON.</summary>
    internal (List<JsonNode> Rows, bool IsLast) Page(Table table, long start, long count, bool int64Timestamp)
    {
        using var connection = Open();
        var sql = string.Create(
            CultureInfo.InvariantCulture, $"SELECT * FROM {table.Physical} WHERE rowid >= {start} ORDER BY rowid LIMIT {count + 1}");
        using var command = new DuckDBCommand(sql, connection);
        using var reader = command.ExecuteReader();
        var rows = new List<JsonNode>();
        while (reader.Read())
        {
            if (rows.Count == count) return (rows, false);
            rows.Add(Cells.Row(reader, table.Fields, int64Timestamp));
        }

        return (rows, true);
    }

    internal static List<Field> Describe(DuckDBConnection connection, string sql)
    {
        using var command = new DuckDBCommand($"SELECT * FROM ({sql}) LIMIT 0", connection);
        using var reader = command.ExecuteReader();
        return [.. reader.Columns.Select(column => Field.From(column.Name, column.LogicalType))];
    }

    /// <summary>
    /// Bytes that a query is counted to read, and to be billed: whole columns that it names, each table at least 10 MB, in whole MB.
    /// </summary>
    internal (long Processed, long Billed) Count(DuckDBConnection connection, string sql)
    {
        var read = new HashSet<(string Table, string Path)>();
        connection.ExecuteUnprepared($"SET disabled_optimizers = '{Unhelpful}'");
        using (var command = new DuckDBCommand($"EXPLAIN (FORMAT JSON) {sql}", connection))
        using (var reader = command.ExecuteReader())
        {
            reader.Read();
            using var plan = JsonDocument.Parse(reader.GetString(1));
            foreach (var node in plan.RootElement.EnumerateArray()) Scans(node, read);
        }

        connection.ExecuteUnprepared("SET disabled_optimizers = ''");
        var (processed, billed) = (0L, 0L);
        foreach (var group in read.GroupBy(one => one.Table))
        {
            var table = _tables.Values.Single(table => table.Physical == group.Key);
            var paths = group.Select(one => one.Path).ToList();
            var bytes = paths.Where(path => !paths.Exists(other => path.StartsWith(other + ".", StringComparison.OrdinalIgnoreCase)))
                .Sum(table.BytesOf);
            processed += bytes;
            if (bytes > 0) billed += Math.Max(BilledMin, (bytes + Megabyte - 1) / Megabyte * Megabyte);
        }

        return (processed, billed);
    }

    public void Dispose() => _engine.Dispose();

    private static void Scans(JsonElement node, HashSet<(string Table, string Path)> read)
    {
        foreach (var child in node.GetProperty("children").EnumerateArray()) Scans(child, read);
        if (!node.GetProperty("extra_info").TryGetProperty("Table", out var table)) return;
        var name = table.GetString()!.Split('.')[^1];
        if (!node.GetProperty("extra_info").TryGetProperty("Projections", out var projections)) return;
        var paths = projections.ValueKind == JsonValueKind.Array
            ? projections.EnumerateArray().Select(path => path.GetString()!) : [projections.GetString()!];
        foreach (var path in paths.Where(path => path.Length > 0)) read.Add((name, path.Replace("\"", "", StringComparison.Ordinal)));
    }

    private Table Put(Table table, long scale)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        var leaves = table.Fields.SelectMany(field => Leaves(field, field.Name, Field.Quoted(field.Name))).ToList();
        var sums = string.Join(", ", leaves.Select(leaf => $"CAST(coalesce(sum({leaf.Size}), 0) AS BIGINT)"));
        using var command = new DuckDBCommand($"SELECT count(*), {sums} FROM {table.Physical}", _engine);
        using var reader = command.ExecuteReader();
        reader.Read();
        for (var i = 0; i < leaves.Count; i++) bytes[leaves[i].Path] = reader.GetInt64(i + 1) * scale;
        return Set(table with { Rows = reader.GetInt64(0) * scale, Bytes = bytes });
    }

    private static IEnumerable<(string Path, string Size)> Leaves(Field field, string path, string expression) =>
        field is { Type: "STRUCT", IsRepeated: false }
        ? field.Fields.SelectMany(part => Leaves(part, $"{path}.{part.Name}", $"{expression}.{Field.Quoted(part.Name)}"))
        : [(path, Size(field, expression))];

    /// <summary>The documented sizes of values; NULL takes nothing.</summary>
    private static string Size(Field field, string expression)
    {
        if (field.IsRepeated)
        {
            return $"coalesce(list_sum(list_transform({expression}, lambda e: {Size(field with { Mode = "NULLABLE" }, "e")})), 0)";
        }
        if (field.Type == "STRUCT")
        {
            return string.Join(" + ", field.Fields.Select(part => Size(part, $"{expression}.{Field.Quoted(part.Name)}")));
        }
        var one = field.Type switch
        {
            "STRING" => $"2 + strlen({expression})",
            "BYTES" => $"2 + octet_length({expression})",
            "JSON" => $"strlen(CAST({expression} AS VARCHAR))",
            "BOOL" => "1",
            "NUMERIC" or "INTERVAL" or "RANGE" => "16",
            "BIGNUMERIC" => "32",
            "GEOGRAPHY" => "40",
            _ => "8",
        };
        return $"CASE WHEN {expression} IS NULL THEN 0 ELSE {one} END";
    }

    private static void Prepare(DuckDBConnection connection)
    {
        connection.ExecuteUnprepared("SET TimeZone = 'UTC'");
        connection.ExecuteUnprepared("SET default_null_order = 'nulls_first_on_asc_last_on_desc'");
        connection.ExecuteUnprepared(string.Create(CultureInfo.InvariantCulture, $"SET threads = {2}"));
    }
}
