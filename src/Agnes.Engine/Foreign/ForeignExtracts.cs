using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Foreign;

/// <summary>
/// An extract's views name its files by their full path. In a copy that lies elsewhere, those that show whole files, and nothing but them, are pointed at the files beside the copy;
/// any other view is left, since what it hides could not be judged.
/// </summary>
public static class ForeignExtracts
{
    private const string Alias = "extract";
    private const string ViewStart = " AS SELECT * FROM read_parquet('";
    private const string ViewEnd = "');";

    /// <param name="draft">The copy of <c>extract.duckdb</c>, in a folder of its own.</param>
    /// <param name="data">The folder <c>data</c> that its views are to name.</param>
    /// <returns>The views that were left, by name.</returns>
    /// <exception cref="WorkerFailedException">The file could not be read.</exception>
    public static async Task<IReadOnlyList<string>> RelocateAsync(WorkerProgram program, string scratch, Share share, string draft, string data, CancellationToken cancellation)
    {
        var left = new List<string>();
        await foreach (var line in ForeignTables.RunAsync(program, scratch, new ForeignRequest(draft, share, [], data), cancellation))
        {
            if (line.Table is { } name) left.Add(name);
        }

        return left;
    }

    /// <summary>The child's part.</summary>
    internal static async Task<List<string>> RelocateAsync(DuckDBConnection connection, string file, string data, CancellationToken cancellation)
    {
        await connection.ExecuteAsync($"ATTACH {SqlText.Literal(file)} AS {Alias}", cancellation);
        var views = await connection.QueryAsync(
            $"SELECT view_name, sql FROM duckdb_views() WHERE database_name = '{Alias}' AND schema_name = 'main' AND NOT internal ORDER BY 1", row => (Name: row.GetString(0), Sql: row.GetString(1)), cancellation);
        var left = new List<string>();
        foreach (var (name, sql) in views)
        {
            if (PathOf(name, sql) is { } path && NewPath(name, path, data) is { } moved && await TryReplaceAsync(connection, name, moved, cancellation)) continue;
            left.Add(name);
        }

        await connection.ExecuteAsync($"CHECKPOINT {Alias}", cancellation);
        await connection.ExecuteAsync($"DETACH {Alias}", cancellation);
        return left;
    }

    /// <summary>The one file or pattern that the view shows all of; null for a view of any other form.</summary>
    internal static string? PathOf(string name, string sql)
    {
        foreach (var written in (string[])[name, SqlText.Identifier(name)])
        {
            var start = $"CREATE VIEW {written}{ViewStart}";
            if (!sql.StartsWith(start, StringComparison.Ordinal) || !sql.EndsWith(ViewEnd, StringComparison.Ordinal) || sql.Length < start.Length + ViewEnd.Length) continue;
            var path = sql[start.Length..^ViewEnd.Length];
            return path.Contains('\'', StringComparison.Ordinal) ? null : path;
        }

        return null;
    }

    private static string? NewPath(string name, string path, string data)
    {
        if (path.EndsWith($"/data/{name}.parquet", StringComparison.Ordinal)) return Path.Combine(data, $"{name}.parquet");
        return path.EndsWith($"/data/{name}/*.parquet", StringComparison.Ordinal) ? Path.Combine(data, name, "*.parquet") : null;
    }

    private static async Task<bool> TryReplaceAsync(DuckDBConnection connection, string name, string path, CancellationToken cancellation)
    {
        try
        {
            await connection.ExecuteAsync($"CREATE OR REPLACE VIEW {Alias}.main.{SqlText.Identifier(name)} AS SELECT * FROM read_parquet({SqlText.Literal(path)})", cancellation);
            return true;
        }
        catch (DuckDBException)
        {
            return false; // its files are not there, or cannot be read: the source will say so when it is looked at
        }
    }
}
