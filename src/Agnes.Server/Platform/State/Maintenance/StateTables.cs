using System.Data;
using System.Data.Common;
using Agnes.Protocol;
using Dapper;
using DuckDB.NET.Data;

namespace Agnes.Server.Platform.State.Maintenance;

/// <summary>Looks at every table of a state as it is, whatever feature owns it.</summary>
internal static class StateTables
{
    /// <summary>What a backup says of itself; not part of a state.</summary>
    public const string BackupInfo = "backup_info";

    /// <summary>In the order of their names.</summary>
    public static async Task<IReadOnlyList<string>> NamesAsync(DbConnection connection, CancellationToken cancellation, string? catalog = null)
    {
        // DuckDB lists the tables of all attached files, PostgreSQL those of this database.
        var sql = connection is DuckDBConnection
            ? "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND database_name = coalesce(@catalog, current_database()) ORDER BY table_name"
            : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name";
        return [.. (await connection.QueryAsync<string>(new(sql, new { catalog }, cancellationToken: cancellation))).Where(name => name != BackupInfo)];
    }

    public static async Task<IReadOnlyList<string>> ColumnsAsync(DbConnection connection, string table, CancellationToken cancellation)
    {
        await using var reader = await connection.ExecuteReaderAsync(new($"SELECT * FROM {SqlText.Identifier(table)} LIMIT 0", cancellationToken: cancellation));
        return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
    }

    /// <summary>In one transaction if the connection has one.</summary>
    public static async Task<SortedDictionary<string, long>> CountAsync(DbConnection connection, CancellationToken cancellation, DbTransaction? transaction = null)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in await NamesAsync(connection, cancellation))
        {
            counts[table] = await connection.ExecuteScalarAsync<long>(new($"SELECT count(*) FROM {SqlText.Identifier(table)}", null, transaction, cancellationToken: cancellation));
        }
        return counts;
    }

    /// <summary>Reads every column of every row, which finds damaged blocks, and compares the number of rows with that of distinct keys.</summary>
    /// <param name="keyedOnly">Leaves out what is only ever added to, which can be long.</param>
    /// <returns>What is wrong, in words.</returns>
    public static async Task<IReadOnlyList<string>> CheckAsync(DuckDBConnection connection, bool keyedOnly, CancellationToken cancellation)
    {
        const string KeysSql =
            """
            SELECT table_name, array_to_string(list_transform(constraint_column_names, c -> '"' || c || '"'), ', ') AS columns
            FROM duckdb_constraints()
            WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND database_name = current_database()
            """;
        var keys = (await connection.QueryAsync<(string Table, string Columns)>(new(KeysSql, cancellationToken: cancellation))).ToLookup(key => key.Table, key => key.Columns);
        var problems = new List<string>();
        foreach (var table in await NamesAsync(connection, cancellation))
        {
            if (keyedOnly && !keys.Contains(table)) continue;
            try
            {
                await CheckAsync(connection, table, [.. keys[table]], problems, cancellation);
            }
            catch (DuckDBException error)
            {
                problems.Add($"the table {table} cannot be read: {error.Message}");
                if (error.IsFatal) break;
            }
        }
        return problems;
    }

    private static async Task CheckAsync(DuckDBConnection connection, string table, IReadOnlyList<string> keys, List<string> problems, CancellationToken cancellation)
    {
        var from = SqlText.Identifier(table);
        var rows = await connection.ExecuteScalarAsync<long>(new($"SELECT count(hash(t)) FROM {from} AS t", cancellationToken: cancellation));
        foreach (var key in keys)
        {
            var distinct = await connection.ExecuteScalarAsync<long>(new($"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {from})", cancellationToken: cancellation));
            if (distinct != rows) problems.Add($"the table {table} has {rows} rows but {distinct} keys ({key})");
        }
    }
}
