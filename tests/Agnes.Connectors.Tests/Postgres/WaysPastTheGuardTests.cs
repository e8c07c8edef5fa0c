using Agnes.Engine.Query.Remote;
using Npgsql;

namespace Agnes.Connectors.Tests.Postgres;

/// <summary>Ways that lead past a guard of PostgreSQL, asked as they would come if ours had let them through.</summary>
public sealed class WaysPastTheGuardTests(Shelf shelf) : IClassFixture<Shelf>, IAsyncLifetime
{
    public async ValueTask InitializeAsync()
    {
        await shelf.ExecuteAsync("CREATE TABLE IF NOT EXISTS sales (id int, name text)");
        await shelf.ExecuteAsync("CREATE TABLE IF NOT EXISTS payroll (who text)");
        await shelf.ExecuteAsync("CREATE SCHEMA IF NOT EXISTS other");
        await shelf.ExecuteAsync("CREATE TABLE IF NOT EXISTS other.sales (id int)");
        await shelf.ExecuteAsync("INSERT INTO payroll VALUES ('secret')");
        await shelf.ExecuteAsync($"GRANT ALL ON ALL TABLES IN SCHEMA public, other TO {shelf.Role}"); // the guard alone has to hold
        await shelf.ExecuteAsync($"GRANT USAGE ON SCHEMA other TO {shelf.Role}");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("SELECT * FROM payroll")]
    [InlineData("SELECT * FROM \"payroll\"")]
    [InlineData("SELECT * FROM public.payroll")]
    [InlineData("SELECT * FROM public.sales")]
    [InlineData("SELECT * FROM other.sales")]
    [InlineData("SELECT * FROM t1.public.sales")]
    [InlineData("SELECT * FROM pg_catalog.pg_authid")]
    [InlineData("SELECT * FROM pg_shadow")]
    [InlineData("SELECT * FROM information_schema.tables")]
    [InlineData("SELECT * FROM sales, payroll")]
    [InlineData("SELECT * FROM sales WHERE id IN (SELECT 1 FROM payroll)")]
    [InlineData("SELECT (SELECT who FROM payroll LIMIT 1) FROM sales")]
    [InlineData("WITH x AS (SELECT * FROM payroll) SELECT * FROM x")]
    [InlineData("WITH é AS (SELECT 1 AS a) SELECT * FROM É")]
    [InlineData("WITH payroll AS (SELECT * FROM payroll) SELECT * FROM payroll")]
    [InlineData("SELECT * FROM sales UNION ALL SELECT 1, who FROM payroll")]
    [InlineData("SELECT * FROM (SELECT * FROM payroll) s")]
    [InlineData("SELECT * FROM sales JOIN payroll ON true")]
    [InlineData("SELECT query_to_xml('SELECT * FROM payroll', true, true, '') FROM sales")]
    [InlineData("SELECT table_to_xml('payroll', true, true, '') FROM sales")]
    [InlineData("SELECT pg_read_file('/etc/passwd') FROM sales")]
    [InlineData("SELECT pg_ls_dir('/') FROM sales")]
    [InlineData("SELECT lo_import('/etc/passwd') FROM sales")]
    [InlineData("SELECT dblink('host=127.0.0.1', 'SELECT 1') FROM sales")]
    [InlineData("SELECT set_config('role', 'postgres', false) FROM sales")]
    [InlineData("SELECT current_setting('data_directory') FROM sales")]
    [InlineData("SELECT pg_sleep(10) FROM sales")]
    [InlineData("SELECT pg_terminate_backend(1) FROM sales")]
    [InlineData("SELECT nextval('s') FROM sales")]
    [InlineData("SELECT xpath('//a', '<a/>') FROM sales")]
    [InlineData("SELECT version() FROM sales")]
    [InlineData("SELECT current_user FROM sales")]
    [InlineData("SELECT 'payroll'::regclass FROM sales")]
    [InlineData("SELECT CAST('payroll' AS \"pg_catalog\".\"regclass\") FROM sales")]
    [InlineData("SELECT name::xml FROM sales")]
    [InlineData("SELECT pg_catalog.lower(name) FROM sales")]
    [InlineData("SELECT evil.lower(name) FROM sales")]
    [InlineData("SELECT * FROM generate_series(1, 1000000000)")]
    [InlineData("SELECT unnest([1, 2]) FROM sales")]
    [InlineData("SELECT name ~ '(a+)+$' FROM sales")]
    [InlineData("SELECT regexp_matches(name, '(a+)+$') FROM sales")]
    [InlineData("SELECT repeat(name, 1000000000) FROM sales")]
    [InlineData("SELECT ctid, xmin FROM sales")]
    [InlineData("SELECT tableoid FROM sales")]
    [InlineData("SELECT sales FROM sales")]
    [InlineData("SELECT s.payroll FROM sales s")]
    [InlineData("SELECT COLUMNS('i.*') FROM sales")]
    [InlineData("SELECT id FROM sales FOR UPDATE")]
    [InlineData("SELECT id FROM sales; DROP TABLE sales")]
    [InlineData("DELETE FROM sales")]
    [InlineData("SELECT id FROM sales TABLESAMPLE 10%")]
    [InlineData("SELECT $1 FROM sales")]
    [InlineData("SELECT id FROM sales ORDER BY (SELECT count(*) FROM payroll)")]
    [InlineData("SELECT id FROM sales LIMIT (SELECT count(*) FROM payroll)")]
    [InlineData("SELECT count(*) FILTER (WHERE (SELECT true FROM payroll)) FROM sales")]
    [InlineData("SELECT sum(id) OVER (ORDER BY (SELECT count(*) FROM payroll)) FROM sales")]
    public async Task It_is_refused_before_it_is_sent(string sql)
    {
        var refused = await Should.ThrowAsync<RemoteException>(() => shelf.ThereAsync(sql, "sales"));
        refused.Fault.ShouldBe(RemoteFault.Question);
        refused.Message.ShouldNotContain("secret");
        refused.InnerException.ShouldNotBeOfType<PostgresException>(); // not the database has refused it
    }

    /// <summary>What an asker writes into texts and names comes out again, and does nothing.</summary>
    [Theory]
    [InlineData("SELECT 'x'' UNION SELECT who FROM payroll --' AS a", "x' UNION SELECT who FROM payroll --")]
    [InlineData("SELECT '\\''; SELECT who FROM payroll' AS a", "\\'; SELECT who FROM payroll")]
    [InlineData("SELECT '\\' AS a", "\\")]
    [InlineData("SELECT '$$ /* payroll */ $$' AS a", "$$ /* payroll */ $$")]
    [InlineData("SELECT 1 AS \"a\"\" FROM payroll; --\"", "1")]
    [InlineData("SELECT '{0} {1}' AS a", "{0} {1}")]
    [InlineData("WITH \"payroll; --\" AS (SELECT 2 AS x) SELECT \"payroll; --\".x FROM \"payroll; --\"", "2")]
    [InlineData("SELECT /* FROM payroll */ 3 AS a -- payroll", "3")]
    [InlineData("SELECT U&'\\0061' AS a", null)]
    [InlineData("SELECT E'\\'' AS a", "'")]
    public async Task A_text_stays_a_text(string sql, string? expected)
    {
        if (expected is null)
        {
            (await Should.ThrowAsync<RemoteException>(() => shelf.ThereAsync(sql))).InnerException.ShouldNotBeOfType<PostgresException>();
            return;
        }

        (await shelf.ThereAsync(sql))[1].ShouldBe(expected);
    }

    [Fact]
    public async Task A_role_with_powers_is_refused_unless_that_is_set_and_its_transaction_writes_nothing()
    {
        var stop = TestContext.Current.CancellationToken;
        var powerful = new Dictionary<string, string>(shelf.Options, StringComparer.Ordinal) { ["user"] = "postgres" };
        (await Should.ThrowAsync<RemoteException>(() => shelf.Open(powerful).DescribeAsync("\"public\".\"sales\"", stop))).Message
            .ShouldContain("(superuser, pg_read_server_files");
        powerful["allow_powerful_role"] = "true";
        (await shelf.Open(powerful).DescribeAsync("\"public\".\"sales\"", stop)).Columns.Count.ShouldBe(2);

        await shelf.ExecuteAsync($"GRANT pg_read_server_files TO {shelf.Role}");
        var reading = await Should.ThrowAsync<RemoteException>(() => shelf.Open(shelf.Options).DescribeAsync("\"public\".\"sales\"", stop));
        await shelf.ExecuteAsync($"REVOKE pg_read_server_files FROM {shelf.Role}");
        reading.Message.ShouldContain("pg_read_server_files");
        reading.Message.ShouldContain("allow_powerful_role");

        // A view may call what it likes; it changes nothing all the same.
        await shelf.ExecuteAsync(
            "CREATE OR REPLACE FUNCTION spend() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM payroll; SELECT 1'");
        await shelf.ExecuteAsync("CREATE OR REPLACE VIEW spending AS SELECT spend() AS x");
        await shelf.ExecuteAsync($"GRANT SELECT ON spending TO {shelf.Role}");
        (await Should.ThrowAsync<RemoteException>(() => shelf.ThereAsync("SELECT x FROM spending", "spending")))
            .Message.ShouldNotContain("payroll");
        (await shelf.ScalarAsync("SELECT count(*) FROM payroll")).ShouldNotBe(0L);
    }
}
