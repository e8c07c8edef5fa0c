using System.Globalization;
using System.Text.Json;
using Agnes.Connectors.Databases;
using Agnes.Engine.Extracts;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Tests.Databases;

/// <summary>Parts that follow from a key are looked for only between the keys that they can have.</summary>
public sealed class KeyPartsTests
{
    private const long Width = 1000;

    [Theory]
    [InlineData("BIGINT", "-9223372036854775807, -2001, -2000, -1001, -1000, -999, -1, 0, 1, 999, 1000, 1001, 1999, 9223372036854775807")]
    [InlineData("UBIGINT", "0, 999, 1000, 18446744073709551615")]
    [InlineData("HUGEINT", "-170141183460469231731687303715884105727, -1000, 0, 170141183460469231731687303715884105727")]
    [InlineData("TINYINT", "-128, 0, 127")]
    public void No_row_of_a_part_lies_beside_its_keys_and_those_of_parts_far_away_do(string type, string keys)
    {
        var plan = PlanOf(type);
        using var engine = new DuckDBConnection("Data Source=:memory:");
        engine.Open();
        engine.ExecuteUnprepared($"CREATE TABLE t AS SELECT unnest([{keys}])::{type} AS id");
        engine.ExecuteUnprepared($"CREATE TABLE placed AS SELECT id, {plan.Partition(Width)} AS place FROM t");
        var rows = Read(engine, "SELECT CAST(id AS VARCHAR), place FROM placed");
        rows.Count.ShouldBe(keys.Split(',').Length);
        foreach (var place in rows.Select(row => row[1]).Distinct())
        {
            var isFar = !long.TryParse(place, CultureInfo.InvariantCulture, out _);
            if (plan.Narrowing(Width, place) is not { } narrow)
            {
                isFar.ShouldBeTrue(place);
                continue;
            }

            var beside = Read(engine, $"SELECT CAST(id AS VARCHAR), place FROM placed WHERE {narrow}");
            beside.Where(row => row[1] == place).Count().ShouldBe(rows.Count(row => row[1] == place), $"{place}: {narrow}");
            beside.ShouldAllBe(row => Int128.Abs(Number(row[1]) - Number(place)) <= 1);
        }
    }

    [Fact]
    public void A_part_of_no_key_is_looked_for_everywhere()
    {
        PlanOf("BIGINT").Narrowing(Width, "null").ShouldBeNull();
        PlanOf("BIGINT").Narrowing(null, "1").ShouldBeNull();
        PlanOf("VARCHAR").Narrowing(Width, "1").ShouldBeNull();
    }

    private static Int128 Number(string text) => Int128.Parse(text, CultureInfo.InvariantCulture);

    private static PullPlan PlanOf(string type)
    {
        var how = JsonElement.Parse("""{"sync_strategy": "incremental", "incremental_column": "at"}""");
        var settings = TableSettings.Of(new TableConfig("t", "t", Settings: how), new DateOnly(2026, 1, 1));
        DatabaseColumn[] columns = [new(new TableColumn("id", type), "id", false), new(new TableColumn("at", "TIMESTAMP"), "at", false)];
        return PullPlan.Of(settings, new DatabaseTable(columns, ["id"], null, null));
    }

    private static List<string[]> Read(DuckDBConnection engine, string sql)
    {
        using var command = new DuckDBCommand(sql, engine);
        using var reader = command.ExecuteReader();
        var rows = new List<string[]>();
        while (reader.Read()) rows.Add([reader.GetString(0), reader.GetString(1)]);
        return rows;
    }
}
