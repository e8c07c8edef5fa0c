using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Extracts;

/// <summary>Reads the tables of an extract that is attached under <see cref="Alias"/>.</summary>
internal static class ExtractReader
{
    public const string Alias = "extract";

    public static Task AttachAsync(DuckDBConnection connection, string file, CancellationToken cancellation) =>
        connection.ExecuteAsync($"ATTACH {SqlText.Literal(file)} AS {Alias} (READ_ONLY)", cancellation);

    /// <summary>Names of all tables and views in the extract, case-insensitive, with the text that made each.</summary>
    public static async Task<IReadOnlyDictionary<string, ExtractObject>> ObjectsAsync(DuckDBConnection connection, CancellationToken cancellation)
    {
        var rows = await connection.QueryAsync(
            $"""
            SELECT table_name AS name, sql, false AS is_view FROM duckdb_tables() WHERE database_name = '{Alias}' AND schema_name = 'main'
            UNION ALL
            SELECT view_name, sql, true FROM duckdb_views() WHERE database_name = '{Alias}' AND schema_name = 'main' AND NOT internal
            """,
            row => new ExtractObject(row.GetString(0), row.TextOrNull(1) ?? "", row.GetBoolean(2)), cancellation);
        return rows.ToDictionary(found => found.Name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary><c>_meta</c> of any extract, columns that are missing read as NULL. Ordered by name.</summary>
    public static async Task<IReadOnlyList<MetaRow>> MetaAsync(DuckDBConnection connection, CancellationToken cancellation)
    {
        var columns = (await connection.ColumnsAsync($"{Alias}._meta", cancellation)).Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (!columns.Contains("table_name")) throw new InvalidDataException("_meta has no column table_name");
        string Column(string name, string type) => columns.Contains(name) ? $"TRY_CAST({name} AS {type})" : $"CAST(NULL AS {type})";
        return await connection.QueryAsync(
            $"SELECT CAST(table_name AS VARCHAR), {Column("description", "VARCHAR")}, {Column("extracted_at", "TIMESTAMP")}, {Column("query_mode", "VARCHAR")} FROM {Alias}._meta ORDER BY 1, 3 DESC",
            row => new MetaRow(row.TextOrNull(0) ?? "", row.TextOrNull(1), row.IsDBNull(2) ? null : DateTime.SpecifyKind(row.GetDateTime(2), DateTimeKind.Utc), row.TextOrNull(3) ?? "local"),
            cancellation);
    }

    /// <summary>The tables of a source's extract, where it is one of ours that can be read; else none. Nothing is written.</summary>
    public static async Task<IReadOnlyDictionary<string, ExtractTable>> OwnTablesAsync(
        DataFolder folder, string source, Share share, string tempFolder, CancellationToken cancellation)
    {
        var none = new Dictionary<string, ExtractTable>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(folder.ExtractFile(source))) return none;
        await using var connection = WorkerDatabase.Open(share, tempFolder, [folder.Source(source)]);
        try
        {
            await AttachAsync(connection, folder.ExtractFile(source), cancellation);
            return await TablesAsync(connection, cancellation);
        }
        catch (Exception e) when (e is DuckDBException or InvalidDataException && !cancellation.IsCancellationRequested)
        {
            return none; // a run would begin anew as well
        }
    }

    /// <summary>All tables of an extract of ours, by name, case-insensitive.</summary>
    public static async Task<Dictionary<string, ExtractTable>> TablesAsync(DuckDBConnection connection, CancellationToken cancellation)
    {
        var key = await ColumnOrNullAsync(connection, "_parts", "key", cancellation);
        var parts = (await connection.QueryAsync(
            $"SELECT table_name, name, sha256, size_bytes, rows, md5, modified_ns, {key} FROM {Alias}._parts ORDER BY table_name, ordinal",
            row => (Table: row.GetString(0), Part: new ExtractPart(new TablePart(row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4)), row.TextOrNull(5), row.GetInt64(6), row.TextOrNull(7))),
            cancellation)).ToLookup(part => part.Table, part => part.Part, StringComparer.OrdinalIgnoreCase);
        var readAs = await ColumnOrNullAsync(connection, "_files", "read_as", cancellation);
        var files = (await connection.QueryAsync(
            $"SELECT table_name, path, size_bytes, modified_ns, inode, sha256, columns, {readAs} FROM {Alias}._files ORDER BY table_name, path",
            row => (Table: row.GetString(0), File: new SourceFile(
                row.GetString(1), new FileStamp(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)), row.GetString(5), ColumnsJson.Read(row.GetString(6)), row.TextOrNull(7))),
            cancellation)).ToLookup(file => file.Table, file => file.File, StringComparer.OrdinalIgnoreCase);
        var cursor = await ColumnOrNullAsync(connection, "_columns", "cursor", cancellation);
        var columns = (await connection.QueryAsync(
            $"SELECT table_name, columns, {cursor} FROM {Alias}._columns", row => (Table: row.GetString(0), Columns: ColumnsJson.Read(row.GetString(1)), Cursor: row.TextOrNull(2)), cancellation))
            .ToDictionary(table => table.Table, StringComparer.OrdinalIgnoreCase);
        var tables = new Dictionary<string, ExtractTable>(StringComparer.OrdinalIgnoreCase);
        foreach (var meta in await MetaAsync(connection, cancellation))
        {
            if (!columns.TryGetValue(meta.Name, out var own)) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"_columns lacks {meta.Name}"));
            tables[meta.Name] = new ExtractTable(meta.Name, meta.Description, meta.QueryMode, meta.ExtractedAt ?? DateTime.UnixEpoch, own.Columns, [.. parts[meta.Name]], [.. files[meta.Name]])
            {
                Cursor = own.Cursor,
            };
        }
        return tables;
    }

    /// <summary>A column that extracts of older versions lack.</summary>
    private static async Task<string> ColumnOrNullAsync(DuckDBConnection connection, string table, string column, CancellationToken cancellation) =>
        (await connection.ColumnsAsync($"{Alias}.{table}", cancellation)).Any(one => one.Name == column) ? column : "NULL";
}

/// <param name="Sql">The normalised text of its creation.</param>
internal sealed record ExtractObject(string Name, string Sql, bool IsView);

internal sealed record MetaRow(string Name, string? Description, DateTime? ExtractedAt, string QueryMode);

/// <summary>Columns as a text, for tables of ours that keep them.</summary>
internal static class ColumnsJson
{
    public static string Write(IReadOnlyList<TableColumn> columns) => JsonSerializer.Serialize([.. columns], ColumnsJsonContext.Default.ListTableColumn);

    public static IReadOnlyList<TableColumn> Read(string json) => JsonSerializer.Deserialize(json, ColumnsJsonContext.Default.ListTableColumn) ?? [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<TableColumn>))]
internal sealed partial class ColumnsJsonContext : JsonSerializerContext;
