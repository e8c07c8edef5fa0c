using Dapper;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class DapperTests
{
    [Fact]
    public async Task Dapper_reads_and_writes_all_state_types()
    {
        using var memory = new Memory();
        var db = memory.Connection;
        await db.ExecuteAsync("create table t(id varchar primary key, n bigint, i int, d double, m decimal(18,2), b blob, g uuid, f boolean, made timestamp)");
        var made = new DateTime(2024, 2, 29, 12, 30, 15, DateTimeKind.Utc);
        var rows = new[]
        {
            new Row("a", 1, 2, 1.5, 12.34m, [1, 2], Guid.NewGuid(), true, made),
            new Row("b", null, null, null, null, null, null, null, null),
        };
        (await db.ExecuteAsync("insert into t values (@Id, @N, @I, @D, @M, @B, @G, @F, @Made)", rows)).ShouldBe(2);
        var read = (await db.QueryAsync<Row>("select * from t order by id")).ToList();
        read.ShouldBeEquivalentTo(rows.ToList());
        (await db.QuerySingleAsync<string>("select id from t where n = @n", new { n = 1 })).ShouldBe("a");
        (await db.QuerySingleOrDefaultAsync<string?>("select id from t where n is not distinct from @n", new { n = (long?)null })).ShouldBe("b");
        (await db.ExecuteScalarAsync<int>("select count(*) from t")).ShouldBe(2);
    }

    [Fact]
    public void Dynamic_rows_lists_in_parameters_and_several_results_work()
    {
        using var memory = new Memory();
        var db = memory.Connection;
        db.Execute("create table t as select range as n, 'x' || range as s from range(10)");
        ((long)db.QueryFirst("select n from t order by n desc").n).ShouldBe(9);
        db.Query<string>("select s from t where n in @ids order by n", new { ids = new long[] { 2, 4, 99 } }).ShouldBe(["x2", "x4"]);
        db.Query<string>("select s from t where n in @ids", new { ids = Array.Empty<long>() }).ShouldBeEmpty();
        db.Query<long>("select n from t where n < @limit order by n", new { limit = 3 }, buffered: false).ShouldBe([0L, 1L, 2L]);
        using var grid = db.QueryMultiple("select count(*) from t; select s from t where n = @n", new { n = 3 });
        grid.ReadSingle<long>().ShouldBe(10);
        grid.ReadSingle<string>().ShouldBe("x3");
        var parameters = new DynamicParameters();
        parameters.Add("n", 7);
        db.ExecuteScalar<string>("select s from t where n = @n", parameters).ShouldBe("x7");
        db.ExecuteReader("select 1 as a").Dispose();
    }

    [Fact]
    public async Task Transactions_and_cancellation_go_through_dapper()
    {
        using var memory = new Memory();
        var db = memory.Connection;
        db.Execute("create table t(x int)");
        using (var transaction = db.BeginTransaction())
        {
            db.Execute("insert into t values (@x)", new { x = 1 }, transaction);
            transaction.Rollback();
        }

        db.ExecuteScalar<long>("select count(*) from t").ShouldBe(0);
        using var cancellation = new CancellationTokenSource(50);
        var command = new CommandDefinition("select sum(a.range * b.range) from range(1000000) a, range(1000000) b", cancellationToken: cancellation.Token);
        await Should.ThrowAsync<OperationCanceledException>(() => db.ExecuteScalarAsync(command));
    }

    private sealed record Row(string Id, long? N, int? I, double? D, decimal? M, byte[]? B, Guid? G, bool? F, DateTime? Made)
    {
        private Row() : this("", null, null, null, null, null, null, null, null)
        {
        }
    }
}
