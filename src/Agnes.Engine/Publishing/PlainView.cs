using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Publishing;

/// <summary>Whether a view shows exactly the rows of some Parquet files. Asked of the engine's plan, not of the view's text: anything but one bare scan says no.</summary>
internal static class PlainView
{
    private static readonly HashSet<string> Scans = new(StringComparer.Ordinal) { "READ_PARQUET", "PARQUET_SCAN" };
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal) { "Function", "Projections", "Estimated Cardinality" };

    /// <param name="files">Relative to <paramref name="root"/>.</param>
    public static async Task<bool> ShowsAllOfAsync(DuckDBConnection connection, Share share, string tempFolder, string root, string table, IReadOnlyList<string> files, CancellationToken cancellation)
    {
        var name = $"{ExtractReader.Alias}.{SqlText.Identifier(table)}";
        var plan = await connection.QueryAsync($"EXPLAIN (FORMAT json) SELECT * FROM {name}", row => row.GetString(1), cancellation);
        if (!IsBareScan(plan[0])) return false;
        var counted = await connection.ScalarAsync<long>($"SELECT count(*) FROM read_parquet([{string.Join(", ", files.Select(file => Statements.ExactPath(Path.Combine(root, file))))}], union_by_name=true, hive_partitioning=false)", cancellation);
        return counted == await CountWithinAsync(share, tempFolder, root, name, files, cancellation);
    }

    /// <summary>The view's rows when nothing but these files may be opened; -1 when it opens others.</summary>
    private static async Task<long> CountWithinAsync(Share share, string tempFolder, string root, string name, IReadOnlyList<string> files, CancellationToken cancellation)
    {
        var extract = Path.Combine(root, "extract.duckdb");
        var folder = Path.GetDirectoryName(Path.Combine(root, files[0]))!;
        var flat = Path.GetFileName(folder) == "data" && files.Count == 1;
        List<string> allowed = [extract, $"{extract}.wal"];
        if (flat) allowed.Add(Path.Combine(root, files[0]));
        await using var narrow = WorkerDatabase.Open(share with { Threads = 1 }, tempFolder, flat ? [] : [folder], allowed);
        try
        {
            await ExtractReader.AttachAsync(narrow, extract, cancellation);
            return await narrow.ScalarAsync<long>($"SELECT count(*) FROM {name}", cancellation);
        }
        catch (DuckDBException e) when (e.ErrorType == DuckDBErrorType.Permission)
        {
            return -1;
        }
    }

    private static bool IsBareScan(string plan)
    {
        using var document = JsonDocument.Parse(plan);
        if (document.RootElement is not { ValueKind: JsonValueKind.Array } roots || roots.GetArrayLength() != 1) return false;
        var node = roots[0];
        return Scans.Contains(node.GetProperty("name").GetString()!.Trim())
            && node.GetProperty("children").GetArrayLength() == 0
            && node.GetProperty("extra_info").EnumerateObject().All(detail => Harmless.Contains(detail.Name));
    }
}
