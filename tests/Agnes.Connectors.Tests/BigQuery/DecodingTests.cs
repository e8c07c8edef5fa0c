using System.Globalization;
using System.Text;
using Agnes.Connectors.BigQuery;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Tests.BigQuery;

public sealed class DecodingTests
{
    [Fact]
    public async Task Every_type_comes_as_what_it_is()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Warehouse.AddTable(Cloud.Data, "sales", "everything", EveryType.Columns, EveryType.Rows);
        var answer = await cloud.Client().RunAsync(Cloud.Statement("SELECT * FROM `data-project.sales.everything` ORDER BY i"), Cloud.Stop);
        answer.Rows.Columns.Select(column => $"{column.Name} {column.EngineType}").ShouldBe(
        [
            "i BIGINT", "f DOUBLE", "n DECIMAL(38,9)", "big VARCHAR", "yes BOOLEAN", "s VARCHAR", "b BLOB", "d DATE", "tm TIME",
                "dt TIMESTAMP", "t TIMESTAMP WITH TIME ZONE",
            "j JSON", "g VARCHAR", "iv VARCHAR", "r VARCHAR", "l BIGINT[]",
            """st STRUCT("a" BIGINT, "b" STRUCT("c" VARCHAR, "d" DECIMAL(38,9))[], "e" TIMESTAMP WITH TIME ZONE, """
                + "\"x\" VARCHAR, \"f\" DOUBLE, \"j\" JSON)",
        ]);
        var rows = (await Cloud.ReadAsync(answer)).Split('\n');
        rows[0].ShouldBe(
            """
            1 | double:1.5 | decimal:12345000000/9 | 1234567890123456789012345678901234567890.5 | bool:True |
             é "quoted" \ line | bytes:AB00 | date:2026-01-02 | time:11045500000 |
             datetime:1767323045123456 | timestamp:1767323045678000 | {"a":[1,null]} | POINT(1 2) | 1-2 3 4:5:6 |
             [2026-01-01, 2026-02-01) | [1,2] |
             {"a":9223372036854775807,"b":[{"c":"x\u0022y","d":"0.000000001"}],"e":"2026-01-02 03:04:05.000001\u002B00","x":"/w==",
            "f":"NaN","j":{"k":1}}
            """.ReplaceLineEndings(""));
        rows[1].ShouldBe("2 | null | null | null | null | null | null | null | null | null | null | null | null | null | null | [] | null");
        rows[2].ShouldBe(
            """
            3 | double:-Infinity | decimal:-99999999999999999999999999999999999999/9 | -0.1 | bool:False |  |
             bytes: | date:0001-01-01 | time:0 |
             datetime:253402300799999999 | timestamp:-62135596800000000 | null | POINT EMPTY | 0-0 0 0:0:0 | [UNBOUNDED, 2026-02-01) | [] |
             {"a":-1,"b":[],"e":null,"x":null,"f":2,"j":null}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public async Task What_is_nested_is_cast_by_the_engine_without_loss()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Warehouse.AddTable(Cloud.Data, "sales", "everything", EveryType.Columns, EveryType.Rows);
        var answer = await cloud.Client()
            .RunAsync(Cloud.Statement("SELECT st FROM `data-project.sales.everything` ORDER BY i LIMIT 1"), Cloud.Stop);
        var json = (await Cloud.ReadAsync(answer)).TrimEnd('\n');
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.ExecuteUnprepared("SET TimeZone = 'UTC'");
        using var command = new DuckDBCommand(
            $"SELECT v.a, v.b[1].c, v.b[1].d::VARCHAR, v.e::VARCHAR, hex(from_base64(v.x)), isnan(v.f), v.j::VARCHAR FROM (SELECT "
                + $"$json::JSON::{answer.Rows.Columns[0].EngineType} AS v)", connection);
        command.Parameters.Add(new DuckDBParameter("json", json));
        using var reader = command.ExecuteReader();
        reader.Read().ShouldBeTrue();
        string.Join(
            '|', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)))
            .ShouldBe("9223372036854775807|x\"y|0.000000001|2026-01-02 03:04:05.000001+00|FF|True|{\"k\":1}");
    }

    [Theory]
    [InlineData("INTEGER", "\"1.5\"")]
    [InlineData("INTEGER", "\"9223372036854775808\"")]
    [InlineData("INTEGER", "{\"f\":[]}")]
    [InlineData("FLOAT", "\"one\"")]
    [InlineData("BOOLEAN", "\"yes\"")]
    [InlineData("NUMERIC", "\"1.0000000001\"")]
    [InlineData("NUMERIC", "\"1e5\"")]
    [InlineData("NUMERIC", "\"1.2.3\"")]
    [InlineData("NUMERIC", "\"-\"")]
    [InlineData("NUMERIC", "\"999999999999999999999999999999999999999\"")]
    [InlineData("BYTES", "\"%%%\"")]
    [InlineData("DATE", "\"2026-02-30\"")]
    [InlineData("DATE", "\"20260101\"")]
    [InlineData("TIME", "\"24:00:00\"")]
    [InlineData("TIME", "\"10:00:00.1234567\"")]
    [InlineData("DATETIME", "\"2026-01-01\"")]
    [InlineData("TIMESTAMP", "\"1.4E9\"")]
    [InlineData("STRING", "[]")]
    public void A_value_that_is_none_of_its_type_is_an_error_that_names_the_column(string type, string value)
    {
        var columns = BigQueryField.From(new SchemaMessage([new FieldMessage("amount", type, "NULLABLE", null, null)]));
        using var decoder = new RowDecoder(columns, new TextRows());
        var failure = Should.Throw<BigQueryException>(() => decoder.Row(Encoding.UTF8.GetBytes($"{{\"f\":[{{\"v\":{value}}}]}}")));
        failure.Message.ShouldContain("'amount'");
    }

    [Theory]
    [InlineData("{\"f\":[]}")]
    [InlineData("{\"f\":[{\"v\":\"1\"},{\"v\":\"2\"}]}")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"f\":[{\"w\":\"1\"}]}")]
    public void A_row_of_other_columns_is_an_error(string row)
    {
        var columns = BigQueryField.From(new SchemaMessage([new FieldMessage("amount", "INTEGER", "NULLABLE", null, null)]));
        using var decoder = new RowDecoder(columns, new TextRows());
        Should.Throw<BigQueryException>(() => decoder.Row(Encoding.UTF8.GetBytes(row)));
    }
}
