using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Query;

public sealed class FunctionListTests
{
    [Fact]
    public void Every_function_of_the_engine_has_been_decided_on()
    {
        // After an upgrade of the engine: read what the new ones do, then list each in functions.txt or in functions-refused.txt.
        var decided = FunctionList.Values.Concat(FunctionList.Tables).Concat(Refused()).ToHashSet(StringComparer.Ordinal);

        Engine().Where(name => !decided.Contains(name.ToLowerInvariant())).ShouldBeEmpty();
    }

    [Fact]
    public void Every_allowed_function_exists()
    {
        var engine = Engine().Select(name => name.ToLowerInvariant()).ToHashSet(StringComparer.Ordinal);

        FunctionList.Values.Concat(FunctionList.Tables).Where(name => name != "unnest" && !engine.Contains(name)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("getenv")]
    [InlineData("current_setting")]
    [InlineData("read_text")]
    [InlineData("read_blob")]
    [InlineData("read_csv")]
    [InlineData("read_parquet")]
    [InlineData("parquet_scan")]
    [InlineData("glob")]
    [InlineData("query")]
    [InlineData("query_table")]
    [InlineData("sniff_csv")]
    [InlineData("getvariable")]
    [InlineData("nextval")]
    [InlineData("currval")]
    [InlineData("txid_current")]
    [InlineData("current_schemas")]
    [InlineData("in_search_path")]
    [InlineData("write_log")]
    [InlineData("json_execute_serialized_sql")]
    [InlineData("json_serialize_plan")]
    [InlineData("which_secret")]
    [InlineData("histogram_values")]
    public void Dangerous_functions_are_on_neither_list(string name)
    {
        FunctionList.Values.ShouldNotContain(name);
        FunctionList.Tables.ShouldNotContain(name);
    }

    [Fact]
    public void Nothing_that_begins_like_a_catalog_function_is_listed() =>
        FunctionList.Values.Concat(FunctionList.Tables)
            .Where(name => name.StartsWith("duckdb_") || name.StartsWith("pragma_") || name.StartsWith("read_") || name.StartsWith("parquet_") || name.StartsWith("has_") || name.StartsWith("__") || name.StartsWith("current_"))
            .ShouldBe(["current_date", "current_localtime", "current_localtimestamp"], ignoreOrder: true);

    /// <summary>Two names mean a harmless value in a SELECT list, and something else as a pragma or in a FROM clause.</summary>
    [Fact]
    public void No_name_is_both_allowed_and_refused() => FunctionList.Values.Intersect(Refused().Except(["histogram", "version"])).ShouldBeEmpty();

    private static string[] Refused()
    {
        using var reader = new StreamReader(typeof(FunctionListTests).Assembly.GetManifestResourceStream("functions-refused.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    internal static List<string> Engine()
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY 1";
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0).ToLowerInvariant());
        return names;
    }
}
