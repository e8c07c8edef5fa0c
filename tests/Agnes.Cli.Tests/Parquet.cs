using System.Collections.Concurrent;
using DuckDB.NET.Data;

namespace Agnes.Cli.Tests;

/// <summary>Real Parquet files, made once for each statement.</summary>
internal static class Parquet
{
    private static readonly ConcurrentDictionary<string, Lazy<byte[]>> Made = new(StringComparer.Ordinal);

    public static byte[] Of(string select) => Made.GetOrAdd(select, static sql => new Lazy<byte[]>(() => Make(sql))).Value;

    /// <summary>One column <c>n</c> with that value.</summary>
    public static byte[] Number(long value) => Of($"SELECT CAST({value} AS BIGINT) AS n");

    /// <summary>At least so many bytes, that do not compress.</summary>
    public static byte[] Large(int megabytes, int seed) =>
        Of($"SELECT hash(i * 7919 + {seed}) AS h, CAST({seed} AS BIGINT) AS n FROM range({megabytes} * 131072) t(i)");

    private static byte[] Make(string select)
    {
        using var folder = new Testing.TemporaryFolder();
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.ExecuteUnprepared($"COPY ({select}) TO '{folder["made.parquet"]}' (FORMAT parquet, COMPRESSION uncompressed)");
        return File.ReadAllBytes(folder["made.parquet"]);
    }
}
