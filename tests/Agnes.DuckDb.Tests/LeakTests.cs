using Agnes.Testing;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

/// <summary>Measures the process, so nothing else may run in it.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

[Collection("alone")]
public sealed class LeakTests
{
    private const long GrowthBytesMax = 8L << 20;

    [Fact]
    [Long]
    public void Twenty_five_thousand_queries_and_five_hundred_openings_leave_no_memory_behind()
    {
        using var folder = new TemporaryFolder();
        using var memory = new Memory();
        using var prepared = new DuckDBCommand("select @id::int, 'text longer than twelve bytes', [1, null]", memory.Connection);
        var id = prepared.Parameters.AddWithValue("id", 0);
        Work(folder, memory, prepared, id, share: 10); // pools and caches fill up
        var before = ResidentBytes();
        Work(folder, memory, prepared, id, share: 1);
        (ResidentBytes() - before).ShouldBeLessThan(GrowthBytesMax);
    }

    private static void Work(TemporaryFolder folder, Memory memory, DuckDBCommand prepared, DuckDBParameter id, int share)
    {
        for (var i = 0; i < 20_000 / share; i++)
        {
            id.Value = i % 100;
            using var reader = prepared.ExecuteReader();
            reader.Read().ShouldBeTrue();
            reader.GetInt32(0).ShouldBe(i % 100);
            ((object?[])reader.GetValue(2)).Length.ShouldBe(2);
        }

        var text = new string('x', 3_000); // long, so that a value that is not destroyed shows
        for (var i = 0; i < 4_000 / share; i++) memory.Scalar("select @a || 'x', [@b]", ("a", text), ("b", 1.5m)).ShouldNotBeNull();
        for (var i = 0; i < 600 / share; i++) Should.Throw<DuckDBException>(() => memory.Scalar(i % 2 == 0 ? "select nosuch" : "select error('x')"));
        for (var i = 0; i < 600 / share; i++) memory.Connection.ExecuteUnprepared("select 1; select {'a': [1, 2]}");
        for (var i = 0; i < 450 / share; i++)
        {
            using var connection = memory.Connection.Duplicate();
            using var command = new DuckDBCommand("select 1", connection);
            command.ExecuteScalar().ShouldBe(1);
        }

        for (var i = 0; i < 50 / share; i++)
        {
            using var connection = new DuckDBConnection(i % 2 == 0 ? "Data Source=:memory:;threads=1" : $"Data Source={folder["a.duckdb"]};threads=1");
            connection.Open();
            connection.ExecuteUnprepared("create or replace table t as select range from range(10)");
        }
    }

    private static long ResidentBytes()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true); // gives free pages back, so that only the engine's are left to grow
            GC.WaitForPendingFinalizers();
        }

        return Environment.WorkingSet;
    }
}
