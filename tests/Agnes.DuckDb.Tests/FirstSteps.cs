using Dapper;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class FirstSteps
{
    [Fact]
    public void Values_go_in_by_name_and_come_out_typed()
    {
        using var connection = new DuckDBConnection("Data Source=:memory:;threads=1");
        connection.Open();
        connection.Execute("create table t(id varchar primary key, n bigint, d decimal(18,2), made timestamp, b blob, g uuid)");
        var at = new DateTime(2024, 2, 29, 12, 30, 15, 123, DateTimeKind.Utc);
        var guid = Guid.NewGuid();
        connection.Execute("insert into t values (@id, @n, @d, @at, @b, @g)", new { id = "ä", n = 5L, d = 12.34m, at, b = new byte[] { 0, 1 }, g = guid }).ShouldBe(1);
        var row = connection.QuerySingle("select * from t where id = @id", new { id = "ä" });
        ((long)row.n).ShouldBe(5);
        ((decimal)row.d).ShouldBe(12.34m);
        ((DateTime)row.made).ShouldBe(at);
        ((byte[])row.b).ShouldBe([0, 1]);
        ((Guid)row.g).ShouldBe(guid);
        connection.ExecuteScalar<long>("select count(*) from range(100000)").ShouldBe(100_000);
        connection.Query<long>("select range from range(100000)").Sum().ShouldBe(4999950000);
        using (var transaction = connection.BeginTransaction())
        {
            connection.Execute("delete from t", transaction: transaction);
        }

        connection.ExecuteScalar<long>("select count(*) from t").ShouldBe(1);
        using (var appender = connection.CreateAppender("t"))
        {
            appender.Append("x").Append(7L).Append(1.5m).Append(at).Append([1]).Append(guid).EndRow();
            appender.Close();
        }

        connection.Query<string>("select id from t order by id").ShouldBe(["x", "ä"]);
        Should.Throw<DuckDBException>(() => connection.Execute("select * from nosuch")).ErrorType.ShouldBe(DuckDBErrorType.Catalog);
    }
}
