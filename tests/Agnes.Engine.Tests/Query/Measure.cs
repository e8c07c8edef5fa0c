using System.Diagnostics;
using System.IO.Pipelines;
using Agnes.Engine.Query;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Query;

/// <summary>Times of one statement through the runner, beside the same statement on an engine in this process: <c>Agnes.Engine.Tests measure</c>.</summary>
internal static class Measure
{
    private const int Rounds = 9;

    public static async Task<int> RunAsync()
    {
        await using var bench = new Bench();
        var numbers = bench.Table("numbers", "SELECT i AS id, i % 100 AS k, random() AS x FROM range(10000000) t(i)");
        var many = Enumerable.Range(0, 20).Select(i => bench.Table($"t{i}", "SELECT i AS id FROM range(100) t(i)")).ToList();
        var scope = Scope.Of([bench.Orders, numbers, .. many]);
        bench.Pool.Warm();
        await CompareAsync(bench, scope, "SELECT 1", "", 400);
        await CompareAsync(bench, scope, "SELECT id FROM orders WHERE id = 5", Views([bench.Orders]), 200);
        await CompareAsync(bench, scope, "SELECT k, count(*), sum(x), avg(x) FROM numbers GROUP BY k ORDER BY k", Views([numbers]), 5);
        await ThroughputAsync(bench, scope);
        foreach (var count in new[] { 1, 5, 20 })
            await CompareColdAsync(bench, many[..count], string.Join(" UNION ALL ", many[..count].Select(table => $"SELECT max(id) FROM {table.Name}")));
        return 0;
    }

    private static async Task CompareAsync(Bench bench, Scope scope, string sql, string views, int times)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:;threads=2");
        connection.Open();
        if (views.Length > 0) connection.ExecuteUnprepared("SET parquet_metadata_cache=true;" + views);
        for (var i = 0; i < 20; i++) await OnceAsync(bench, scope, sql);
        var ours = new List<double>();
        var bare = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < times; i++) ours.Add(await OnceAsync(bench, scope, sql));
            for (var i = 0; i < times; i++) bare.Add(Bare(connection, sql));
        }
        Report(sql, ours, bare);
    }

    private static async Task CompareColdAsync(Bench bench, List<ScopedTable> tables, string sql)
    {
        var ours = new List<double>();
        var bare = new List<double>();
        for (var round = 0; round < Rounds * 3; round++)
        {
            var version = round + 2;
            var scope = Scope.Of(tables.Select(table => table with { Version = version }));
            ours.Add(await OnceAsync(bench, scope, sql));
            var started = Stopwatch.GetTimestamp();
            using var connection = new DuckDBConnection("Data Source=:memory:;threads=2");
            connection.Open();
            connection.ExecuteUnprepared(Views(tables));
            Bare(connection, sql);
            bare.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        Report($"cold, {tables.Count} tables", ours, bare);
    }

    private static async Task<double> OnceAsync(Bench bench, Scope scope, string sql)
    {
        var output = PipeWriter.Create(Stream.Null);
        var started = Stopwatch.GetTimestamp();
        var outcome = await bench.Runner.RunAsync(Bench.LeaseOf("measure"), scope, sql, 1000, output, StatementLimits.Default, CancellationToken.None);
        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        await output.CompleteAsync();
        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        return elapsed;
    }

    private static async Task ThroughputAsync(Bench bench, Scope scope)
    {
        const int rows = 1_000_000;
        for (var round = 0; round < 3; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var outcome = await bench.Runner.RunAsync(Bench.LeaseOf("measure"), scope, "SELECT id, k, x, 'customer ' || k AS c, DATE '2026-01-01' + k::INT AS d FROM numbers", rows, PipeWriter.Create(Stream.Null), StatementLimits.Default, CancellationToken.None);
            var elapsed = Stopwatch.GetElapsedTime(started);
            Console.WriteLine($"{outcome.Rows} rows, {outcome.Bytes >> 20} MiB of JSON in {elapsed.TotalMilliseconds:0} ms: {outcome.Bytes / elapsed.TotalSeconds / (1 << 20):0} MiB/s, {outcome.Status} {outcome.Message}");
        }
    }

    private static double Bare(DuckDBConnection connection, string sql)
    {
        var started = Stopwatch.GetTimestamp();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        while (reader.Read()) _ = reader.GetValue(0);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static string Views(IEnumerable<ScopedTable> tables) =>
        string.Concat(tables.Select(table => $"CREATE VIEW {table.Name} AS {Protocol.TableSource.FromParts(table.Paths)};"));

    private static void Report(string name, List<double> ours, List<double> bare) => Console.WriteLine(
        $"{name}: ours median {Median(ours):0.000} min {ours.Min():0.000} ms; engine in process median {Median(bare):0.000} min {bare.Min():0.000} ms; added {Median(ours) - Median(bare):0.000}, at the minimum {ours.Min() - bare.Min():0.000} ms, ratio {Median(ours) / Median(bare):0.00}");

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
