using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.Tests.Postgres;

/// <summary>
/// Every type of PostgreSQL arrives as a type of the engine that holds all of its values, or as the text that PostgreSQL writes.
/// </summary>
public sealed class PostgresTypesTests(Shelf shelf) : IClassFixture<Shelf>
{
    /// <summary>Type, an example, the engine's type, and what the engine makes of the example as a text.</summary>
    internal static readonly (string Type, string Value, string Engine, string Text)[] Cases =
    [
        ("boolean", "true", "BOOLEAN", "true"),
        ("smallint", "-32768", "SMALLINT", "-32768"),
        ("integer", "-2147483648", "INTEGER", "-2147483648"),
        ("bigint", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
        ("real", "1.1", "FLOAT", "1.1"),
        ("double precision", "'-Infinity'", "DOUBLE", "-inf"),
        ("numeric(38,10)", "1234567890123456789012345678.0123456789", "DECIMAL(38,10)", "1234567890123456789012345678.0123456789"),
        ("numeric(5,0)", "-99999", "DECIMAL(5,0)", "-99999"),
        ("numeric", "0.1234567890123456789012345678901234567890123", "VARCHAR", "0.1234567890123456789012345678901234567890123"),
        ("numeric(60,2)", "1e50", "VARCHAR", "100000000000000000000000000000000000000000000000000.00"),
        ("numeric(3,-2)", "12345", "VARCHAR", "12300"),
        ("cents", "12.50", "DECIMAL(12,2)", "12.50"),
        ("text", "'žluťoučký \U0001F600'", "VARCHAR", "žluťoučký \U0001F600"),
        ("varchar(5)", "'ab'", "VARCHAR", "ab"),
        ("char(4)", "'ab'", "VARCHAR", "ab"),
        ("\"char\"", "'x'", "VARCHAR", "x"),
        ("name", "'n'", "VARCHAR", "n"),
        ("date", "'infinity'", "DATE", "infinity"),
        ("date", "'0044-03-15 BC'", "DATE", "0044-03-15 (BC)"),
        ("timestamp", "'-infinity'", "TIMESTAMP", "-infinity"),
        ("timestamp(3)", "'1999-12-31 23:59:59.999'", "TIMESTAMP", "1999-12-31 23:59:59.999"),
        ("timestamptz", "'2026-03-01 12:00:00.000001+02'", "TIMESTAMP WITH TIME ZONE", "2026-03-01 10:00:00.000001+00"),
        ("time", "'23:59:59.999999'", "TIME", "23:59:59.999999"),
        ("timetz", "'10:00+02'", "VARCHAR", "10:00:00+02"),
        ("interval", "'1 year 2 days 03:04:05.6'", "VARCHAR", "1 year 2 days 03:04:05.6"),
        ("uuid", "'00112233-4455-6677-8899-aabbccddeeff'", "UUID", "00112233-4455-6677-8899-aabbccddeeff"),
        ("bytea", "'\\x00ff41'", "BLOB", "\\x00\\xFFA"),
        ("json", "'{\"a\": [1, null]}'", "JSON", "{\"a\": [1, null]}"),
        ("jsonb", "'{\"b\": 1}'", "JSON", "{\"b\": 1}"),
        ("int[]", "'{1,NULL,3}'", "JSON", "[1,null,3]"),
        ("text[]", "'{\"a,b\",c}'", "JSON", "[\"a,b\",\"c\"]"),
        ("mood", "'glad'", "VARCHAR", "glad"),
        ("pair", "'(1,x)'", "VARCHAR", "(1,x)"),
        ("inet", "'10.0.0.1/8'", "VARCHAR", "10.0.0.1/8"),
        ("int4range", "'[1,5)'", "VARCHAR", "[1,5)"),
        ("money", "12.34", "VARCHAR", "$12.34"),
        ("xml", "'<a/>'", "VARCHAR", "<a/>"),
        ("bit varying(5)", "B'101'", "VARCHAR", "101"),
        ("point", "'(1,2)'", "VARCHAR", "(1,2)"),
        ("oid", "42", "VARCHAR", "42"),
    ];

    [Fact]
    public async Task Each_type_has_a_place_that_loses_nothing()
    {
        await shelf.ExecuteAsync("CREATE TYPE mood AS ENUM ('sad', 'glad')");
        await shelf.ExecuteAsync("CREATE DOMAIN cents AS numeric(12,2) CHECK (VALUE >= 0)");
        await shelf.ExecuteAsync("CREATE TYPE pair AS (a int, b text)");
        await shelf.ExecuteAsync($"CREATE TABLE everything ({string.Join(", ", Cases.Select((one, at) => $"c{at} {one.Type}"))})");
        var values = string.Join(", ", Cases.Select(one => one.Value));
        await shelf.ExecuteAsync($"INSERT INTO everything VALUES ({values}), ({string.Join(", ", Cases.Select(_ => "NULL"))})");
        await shelf.ExecuteAsync($"GRANT SELECT ON everything TO {shelf.Role}");

        var described = (await shelf.Tables.DescribeAsync("\"public\".\"everything\"", TestContext.Current.CancellationToken)).Columns;
        described.Select(column => column.Type).ShouldBe(Cases.Select(one => one.Engine));
        await shelf.MirrorAsync("everything");
        var rows = shelf.Here("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM everything");
        rows[1].ShouldBe(string.Join(" | ", Cases.Select(one => one.Text)));
        rows[2].ShouldBe(string.Join(" | ", Cases.Select(_ => "NULL")));
        // What is a text by our choice is compared and sorted as one.
        (await shelf.ThereAsync("SELECT count(*) AS n FROM everything WHERE c31 = 'glad' AND c8 LIKE '0.1%'", "everything"))[1].ShouldBe(
            "1");
    }

    [Fact]
    public async Task What_has_no_form_here_is_said_and_not_changed()
    {
        await shelf.ExecuteAsync("CREATE TABLE odd AS SELECT 'NaN'::numeric(10,2)::numeric(10,2) AS price");
        await shelf.ExecuteAsync("ALTER TABLE odd ALTER price TYPE numeric(10,2)");
        await shelf.ExecuteAsync($"GRANT SELECT ON odd TO {shelf.Role}");
        var refused = await Should.ThrowAsync<RemoteException>(() => shelf.ThereAsync("SELECT price FROM odd", "odd"));
        (refused.Fault, refused.Message.Contains("does not fit", StringComparison.Ordinal))
            .ShouldBe((RemoteFault.Question, true), refused.Message);
    }

    [Fact]
    public async Task Its_tables_are_listed_by_pages_with_columns_and_what_may_not_be_read_is_not()
    {
        var stop = TestContext.Current.CancellationToken;
        await shelf.ExecuteAsync("CREATE SCHEMA list");
        await shelf.ExecuteAsync($"GRANT USAGE ON SCHEMA list TO {shelf.Role}");
        for (var i = 0; i < 5; i++) await shelf.ExecuteAsync($"CREATE TABLE list.t{i} (a int, b text)");
        await shelf.ExecuteAsync($"REVOKE SELECT ON list.t3 FROM {shelf.Role}");
        var first = await shelf.Tables.ListAsync(new RemoteListing(null, "list", null, 3), stop);
        first.Select(table => $"{table.Bucket}.{table.Table}").ShouldBe(["list.t0", "list.t1", "list.t2"]);
        first[0].Description.Columns.Select(column => $"{column.Name} {column.Type}").ShouldBe(["a INTEGER", "b VARCHAR"]);
        (await shelf.Tables.ListAsync(new RemoteListing("list", "list", "t2", 9), stop)).Single().Table.ShouldBe("t4");
    }
}
