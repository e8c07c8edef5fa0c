using Agnes.Engine.Query;

namespace Agnes.Engine.Tests.Query;

public sealed class JsonRowsTests(Bench bench) : IClassFixture<Bench>
{
    [Theory]
    // numbers
    [InlineData("1::TINYINT", "1")]
    [InlineData("(-32768)::SMALLINT", "-32768")]
    [InlineData("2147483647", "2147483647")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("255::UTINYINT", "255")]
    [InlineData("65535::USMALLINT", "65535")]
    [InlineData("4294967295::UINTEGER", "4294967295")]
    [InlineData("18446744073709551615::UBIGINT", "18446744073709551615")]
    [InlineData("sum(7)", "7")]
    [InlineData("9223372036854775807::HUGEINT", "9223372036854775807")]
    [InlineData("9223372036854775808::HUGEINT", "\"9223372036854775808\"")]
    [InlineData("(-170141183460469231731687303715884105728)::HUGEINT", "\"-170141183460469231731687303715884105728\"")]
    [InlineData("340282366920938463463374607431768211455::UHUGEINT", "\"340282366920938463463374607431768211455\"")]
    [InlineData("1.0::DOUBLE", "1.0")]
    [InlineData("0.1::DOUBLE", "0.1")]
    [InlineData("1e300::DOUBLE", "1E+300")]
    [InlineData("0.25::FLOAT", "0.25")]
    [InlineData("'nan'::DOUBLE", "null")]
    [InlineData("'inf'::DOUBLE", "null")]
    [InlineData("'-inf'::FLOAT", "null")]
    [InlineData("true", "true")]
    [InlineData("NULL", "null")]
    [InlineData("NULL::INTEGER", "null")]
    // decimals stay as they were written
    [InlineData("1.50::DECIMAL(4, 2)", "\"1.50\"")]
    [InlineData("-0.05::DECIMAL(9, 2)", "\"-0.05\"")]
    [InlineData("123456789012.345::DECIMAL(18, 3)", "\"123456789012.345\"")]
    [InlineData("-12345678901234567890123456.789::DECIMAL(38, 3)", "\"-12345678901234567890123456.789\"")]
    [InlineData("7::DECIMAL(4, 0)", "\"7\"")]
    // times
    [InlineData("DATE '2026-02-28'", "\"2026-02-28\"")]
    [InlineData("DATE '0001-01-01'", "\"0001-01-01\"")]
    [InlineData("DATE '9999-12-31'", "\"9999-12-31\"")]
    [InlineData("DATE '12026-01-02'", "\"12026-01-02\"")]
    [InlineData("'infinity'::DATE", "\"infinity\"")]
    [InlineData("TIMESTAMP '2026-01-02 03:04:05'", "\"2026-01-02 03:04:05\"")]
    [InlineData("TIMESTAMP '2026-01-02 03:04:05.5'", "\"2026-01-02 03:04:05.500000\"")]
    [InlineData("TIMESTAMP '1969-12-31 23:59:59.999999'", "\"1969-12-31 23:59:59.999999\"")]
    [InlineData("TIMESTAMP_S '2026-01-02 03:04:05'", "\"2026-01-02 03:04:05\"")]
    [InlineData("TIMESTAMP_MS '2026-01-02 03:04:05.25'", "\"2026-01-02 03:04:05.250000\"")]
    [InlineData("TIMESTAMP_NS '2026-01-02 03:04:05.000000001'", "\"2026-01-02 03:04:05.000000001\"")]
    [InlineData("TIMESTAMPTZ '2026-01-02 03:04:05+02'", "\"2026-01-02 01:04:05+00:00\"")]
    [InlineData("'-infinity'::TIMESTAMP", "\"-infinity\"")]
    [InlineData("TIME '23:59:59.25'", "\"23:59:59.250000\"")]
    [InlineData("'12:00:00+05:30'::TIMETZ", "\"12:00:00+05:30\"")]
    [InlineData("INTERVAL '1 year 2 months -3 days 04:05:06'", "\"1 year 2 months -3 days 04:05:06\"")]
    [InlineData("INTERVAL 0 DAYS", "\"00:00:00\"")]
    // texts
    [InlineData("'short'", "\"short\"")]
    [InlineData("'longer than twelve bytes'", "\"longer than twelve bytes\"")]
    [InlineData("''", "\"\"")]
    [InlineData("'a\"b\\c'", "\"a\\\"b\\\\c\"")]
    [InlineData("E'a\\nb\\tc\\x01'", "\"a\\nb\\tc\\u0001\"")]
    [InlineData("'žluťoučký 🦆'", "\"žluťoučký 🦆\"")]
    [InlineData("'\\xAAab'::BLOB", "\"\\\\xAAab\"")]
    [InlineData("'0101'::BIT", "\"0101\"")]
    [InlineData("'00112233-4455-6677-8899-aabbccddeeff'::UUID", "\"00112233-4455-6677-8899-aabbccddeeff\"")]
    [InlineData("'b'::ENUM('a', 'b')", "\"b\"")]
    [InlineData("'{\"a\": 1}'::JSON", "\"{\\\"a\\\": 1}\"")]
    // nested: JSON in a text
    [InlineData("[1, NULL, 3]", "\"[1,null,3]\"")]
    [InlineData("[]", "\"[]\"")]
    [InlineData("['nan'::DOUBLE]", "\"[null]\"")]
    [InlineData("{'a': 1, 'b': {'c': 'x\"y'}}", "\"{\\\"a\\\":1,\\\"b\\\":{\\\"c\\\":\\\"x\\\\\\\"y\\\"}}\"")]
    [InlineData("row(1, 'a')", "\"[1,\\\"a\\\"]\"")]
    [InlineData("MAP {'k': DATE '2026-01-01'}", "\"{\\\"k\\\":\\\"2026-01-01\\\"}\"")]
    [InlineData("MAP {1: 2}", "\"{\\\"1\\\":2}\"")]
    [InlineData("[1, 2, 3]::INTEGER[3]", "\"[1,2,3]\"")]
    [InlineData("union_value(a := 5)", "\"5\"")]
    [InlineData("[[1], [2, 3]]", "\"[[1],[2,3]]\"")]
    [InlineData("NULL::INTEGER[]", "null")]
    public async Task A_value_is_written_as_the_wire_wants_it(string expression, string expected)
    {
        var (outcome, body) = await bench.RunAsync($"SELECT {expression} AS v");

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        body.ShouldBe($$"""{"columns":["v"],"rows":[[{{expected}}]],"row_count":1,"truncated":false}""");
    }

    [Fact]
    public async Task Every_second_value_of_many_chunks_is_null()
    {
        var (outcome, body) = await bench.RunAsync("SELECT CASE WHEN i % 2 = 0 THEN i END AS a, CASE WHEN i % 2 = 1 THEN [i, i + 1] END AS b FROM range(10000) t(i)", limit: 10_000);

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        using var json = System.Text.Json.JsonDocument.Parse(body);
        var rows = json.RootElement.GetProperty("rows");
        rows.GetArrayLength().ShouldBe(10_000);
        rows[9998][0].GetInt64().ShouldBe(9998);
        rows[9998][1].ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        rows[9999][1].GetString().ShouldBe("[9999,10000]");
    }

    [Fact]
    public async Task A_type_without_a_form_says_how_to_go_on()
    {
        var (outcome, body) = await bench.RunAsync("SELECT 1::VARIANT AS v");

        outcome.Status.ShouldBe(StatementStatus.EngineError);
        outcome.Message!.ShouldContain("VARIANT");
        outcome.Message!.ShouldContain("::VARCHAR");
        body.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sample_is_objects_with_nested_values_as_json()
    {
        var table = bench.Table("nested", "SELECT 1 AS id, [1, NULL] AS list, {'a': 'nan'::DOUBLE} AS s, DATE '2026-01-01' AS day UNION ALL SELECT 2, NULL, NULL, NULL");
        using var stream = new MemoryStream();
        var output = System.IO.Pipelines.PipeWriter.Create(stream);

        var outcome = await bench.Runner.SampleAsync(Bench.LeaseOf("guest"), table, 1, output, StatementLimits.Default, CancellationToken.None);
        await output.CompleteAsync();

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        System.Text.Encoding.UTF8.GetString(stream.ToArray()).ShouldBe("""[{"id":1,"list":[1,null],"s":{"a":null},"day":"2026-01-01"}]""");
    }

    [Fact]
    public async Task A_result_beyond_the_allowed_size_is_refused_without_a_byte()
    {
        var (outcome, body) = await bench.RunAsync("SELECT repeat('x', 1000) FROM range(1000)", limits: StatementLimits.Default with { ResultBytes = 100_000 }, caller: "guest");

        outcome.Status.ShouldBe(StatementStatus.TooLarge);
        outcome.BodyStarted.ShouldBeFalse();
        body.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failure_after_the_first_rows_leaves_no_half_body()
    {
        var (outcome, body) = await bench.RunAsync("SELECT CASE WHEN i = 5000 THEN error('late') ELSE i::VARCHAR END FROM range(10000) t(i)", limit: 100_000);

        outcome.Status.ShouldBe(StatementStatus.EngineError);
        outcome.Message!.ShouldContain("late");
        body.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_large_result_arrives_whole()
    {
        var (outcome, body) = await bench.RunAsync("SELECT i, repeat('x', 100) FROM range(200000) t(i)", limit: 200_000);

        outcome.Status.ShouldBe(StatementStatus.Ok, outcome.Message);
        outcome.Bytes.ShouldBe(body.Length);
        using var json = System.Text.Json.JsonDocument.Parse(body);
        json.RootElement.GetProperty("rows").GetArrayLength().ShouldBe(200_000);
    }
}
