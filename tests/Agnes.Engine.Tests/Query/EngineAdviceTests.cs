using Agnes.Engine.Publishing;
using Agnes.Engine.Query;
using Agnes.Sql;

namespace Agnes.Engine.Tests.Query;

/// <summary>What the engine advises its host is not told to people who cannot follow it; what happened is.</summary>
public sealed class EngineAdviceTests
{
    private const string OutOfMemory =
        "Out of Memory Error: failed to allocate data of size 64.0 MiB (953.6 MiB/953.6 MiB used)\n\nPossible solutions:\n* Reducing the number of threads (SET threads=X)\n"
        + "* Disabling insertion-order preservation (SET preserve_insertion_order=false)\n* Increasing the memory limit (SET memory_limit='...GB')\n\n"
        + "See also https://duckdb.org/docs/stable/guides/performance/how_to_tune_workloads";

    [Theory]
    [InlineData(OutOfMemory, "Out of Memory Error: failed to allocate data of size 64.0 MiB (953.6 MiB/953.6 MiB used)")]
    [InlineData(
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used).\nThis limit was set by the 'max_temp_directory_size' setting.\n"
        + "By default, this setting utilizes the available disk space on the drive where the 'temp_directory' is located.\n"
        + "You can adjust this setting, by using (for example) PRAGMA max_temp_directory_size='10GiB'",
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used).\n"
        + "By default, this setting utilizes the available disk space on the drive where the 'temp_directory' is located.")]
    [InlineData(
        "Catalog Error: Scalar Function with name \"st_area\" is not in the catalog, but it exists in the spatial extension. Please try installing and loading the spatial extension: INSTALL spatial; LOAD spatial;",
        "Catalog Error: Scalar Function with name \"st_area\" is not in the catalog, but it exists in the spatial extension.")]
    [InlineData("Parser Error: syntax error at or near \"FORM\"\n\nLINE 1: SELECT a FORM SET memory_limit\n                 ^", "Parser Error: syntax error at or near \"FORM\"\n\nLINE 1: SELECT a FORM SET memory_limit\n                 ^")]
    [InlineData("Binder Error: column SET of orders", "Binder Error: column SET of orders")]
    public void Only_what_happened_is_told(string message, string expected)
    {
        EngineAdvice.Without(message).ShouldBe(expected);
        EngineMessages.Clean(message).ShouldBe(expected);
    }

    [Fact]
    public void Nobody_is_shown_a_statement_that_they_did_not_write()
    {
        const string Message = "Conversion Error: no number\n\nLINE 1: COPY (SELECT x::INT FROM t) TO '/w/.spill-12/out/result.parquet'...\n         ^";
        EngineAdvice.Without(Message, "SELECT x::INT FROM t").ShouldBe("Conversion Error: no number");
        EngineAdvice.Without("Parser Error: x\n\nLINE 1: ...INT FROM t WHERE", "SELECT x::INT FROM t WHERE y").ShouldEndWith("LINE 1: ...INT FROM t WHERE");
    }

    [Theory]
    [InlineData("Invalid Input: codec LZ4 of pt/hadoop_lz4.parquet", "Invalid Input: codec LZ4 of pt/hadoop_lz4.parquet")]
    [InlineData("Invalid Input: s3 at https:/example.com/a/b is no file", "Invalid Input: s3 at https:/example.com/a/b is no file")]
    [InlineData("IO Error: cannot open \"/srv/data/x/y.parquet\": gone", "IO Error: cannot open \"…\": gone")]
    [InlineData("IO Error: //srv/data/x is gone", "IO Error: /… is gone")]
    public void Only_paths_of_this_machine_are_taken_out(string message, string expected) => Wording.Of(message).ShouldBe(expected);
}
