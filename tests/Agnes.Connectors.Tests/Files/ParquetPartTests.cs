using System.Security.Cryptography;
using System.Text.Json;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Tests.Files;

/// <summary>A Parquet file that needs no change is a part as it is; one whose pages are not what was written is refused where that was asked for.</summary>
public sealed class ParquetPartTests : IDisposable
{
    /// <summary>From apache/parquet-testing (Apache-2.0): plain-dict-uncompressed-checksum.parquet</summary>
    private const string Sound =
        "UEFSMRUEFRAVEBXS/ZbSDDwVAhUEAAAAAAAAAAAAABUAFQYVBhXH+c+TAhwV0A8VBBUIFQgAAADQDxUEFVAVUBW53ff2BDwVAhUEAAAkAAAAYTY1NWZkMGUt"
        + "OTk0OS00MDU5LWJjYWUtZmQ2YTAwMmE0NjUyFQAVBhUGFcf5z5MCHBXQDxUEFQgVCAAAANAPGRECGRgIAAAAAAAAAAAZGAgAAAAAAAAAABUCGRYAABkRAhkY"
        + "JGE2NTVmZDBlLTk5NDktNDA1OS1iY2FlLWZkNmEwMDJhNDY1MhkYJGE2NTVmZDBlLTk5NDktNDA1OS1iY2FlLWZkNmEwMDJhNDY1MhUCGRYAABkcFj4VNhYA"
        + "AAAZHBbqARU2FgAAABUCGTxIAW0VBAAVBCUAGApsb25nX2ZpZWxkABUMJQAYDGJpbmFyeV9maWVsZAAW0A8ZHBksJj4cFQQZJQQIGRgKbG9uZ19maWVsZBUA"
        + "FtAPFmwWbCY+JggcGAgAAAAAAAAAABgIAAAAAAAAAAAWACgIAAAAAAAAAAAYCAAAAAAAAAAAABksFQQVBBUCABUAFQQVAgAAFowEFRQWoAIVPgAm6gEcFQwZ"
        + "JQQIGRgMYmluYXJ5X2ZpZWxkFQAW0A8WrAEWrAEm6gEmdBwYJGE2NTVmZDBlLTk5NDktNDA1OS1iY2FlLWZkNmEwMDJhNDY1MhgkYTY1NWZkMGUtOTk0OS00"
        + "MDU5LWJjYWUtZmQ2YTAwMmE0NjUyFgAoJGE2NTVmZDBlLTk5NDktNDA1OS1iY2FlLWZkNmEwMDJhNDY1MhgkYTY1NWZkMGUtOTk0OS00MDU5LWJjYWUtZmQ2"
        + "YTAwMmE0NjUyABksFQQVBBUCABUAFQQVAgAAFqAEFRYW3gIVrgEAFpgCFtAPJggWmAIUAAAZHBgRd3JpdGVyLm1vZGVsLm5hbWUYB2V4YW1wbGUAGFNwYXJx"
        + "dWV0LW1yIHZlcnNpb24gMS4xMy4wLVNOQVBTSE9UIChidWlsZCAyNjFmN2QyNjc5NDA3YzgzMzU0NWI1NmY0Yzg1YTRhZThiNWM5ZWQ0KRksHAAAHAAAAA0C"
        + "AABQQVIx";

    /// <summary>From apache/parquet-testing (Apache-2.0): rle-dict-uncompressed-corrupt-checksum.parquet</summary>
    private const string Corrupt =
        "UEFSMRUEFRAVEBXU/ZbSDDwVAhUAAAAAAAAAAAAAABUGFQYVBlwV0A8VABXQDxUQFQAVAAAAANAPFQQVUBVQFdeSh8kIPBUCFQAAACQAAAA2MzI1YzMyYi1m"
        + "NDE3LTQxYWEtOWUwMi05Yjg2MDE1NDJhZmYVBhUGFQZcFdAPFQAV0A8VEBUAFQAAAADQDxkRAhkYCAAAAAAAAAAAGRgIAAAAAAAAAAAVAhkWAAAZEQIZGCQ2"
        + "MzI1YzMyYi1mNDE3LTQxYWEtOWUwMi05Yjg2MDE1NDJhZmYZGCQ2MzI1YzMyYi1mNDE3LTQxYWEtOWUwMi05Yjg2MDE1NDJhZmYVAhkWAAAZHBY+FTQWAAAA"
        + "GRwW6AEVNBYAAAAVAhk8SAFtFQQAFQQlABgKbG9uZ19maWVsZAAVDCUAGAxiaW5hcnlfZmllbGQAFtAPGRwZLCY+HBUEGSUQABkYCmxvbmdfZmllbGQVABbQ"
        + "DxZqFmomPiYIHBgIAAAAAAAAAAAYCAAAAAAAAAAAFgAoCAAAAAAAAAAAGAgAAAAAAAAAAAAZLBUEFQAVAgAVBhUQFQIAABaIBBUUFpwCFT4AJugBHBUMGSUQ"
        + "ABkYDGJpbmFyeV9maWVsZBUAFtAPFqoBFqoBJugBJnIcGCQ2MzI1YzMyYi1mNDE3LTQxYWEtOWUwMi05Yjg2MDE1NDJhZmYYJDYzMjVjMzJiLWY0MTctNDFh"
        + "YS05ZTAyLTliODYwMTU0MmFmZhYAKCQ2MzI1YzMyYi1mNDE3LTQxYWEtOWUwMi05Yjg2MDE1NDJhZmYYJDYzMjVjMzJiLWY0MTctNDFhYS05ZTAyLTliODYw"
        + "MTU0MmFmZgAZLBUEFQAVAgAVBhUQFQIAABacBBUWFtoCFa4BABaUAhbQDyYIFpQCFAAAGRwYEXdyaXRlci5tb2RlbC5uYW1lGAdleGFtcGxlABhTcGFycXVl"
        + "dC1tciB2ZXJzaW9uIDEuMTMuMC1TTkFQU0hPVCAoYnVpbGQgMjYxZjdkMjY3OTQwN2M4MzM1NDViNTZmNGM4NWE0YWU4YjVjOWVkNCkZLBwAABwAAAANAgAA"
        + "UEFSMQ==";

    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task A_file_that_needs_no_change_becomes_a_part_byte_for_byte()
    {
        _shop.Engine("COPY (SELECT range AS a, 'x' || range AS b FROM range(5000)) TO '{csv}/t.parquet' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 2048)");
        (await _shop.RunAsync("t", "t.parquet")).Failed.ShouldBeEmpty();
        var file = Path.Combine(_shop.Data.Csv, "t.parquet");
        var part = _shop.Table("t").Parts.ShouldHaveSingleItem();
        part.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, Workshop.Stop))));
        _shop.Table("t").Md5.ShouldBe(Convert.ToHexStringLower(MD5.HashData(await File.ReadAllBytesAsync(file, Workshop.Stop))));
        part.Rows.ShouldBe(5000);
        _shop.Columns("t").ShouldBe("a BIGINT, b VARCHAR");

        // Its owner goes on writing into it; the part is not his.
        await using (var writing = File.OpenWrite(file)) writing.SetLength(1000);
        _shop.Rows("t", "count(*), sum(a)").ShouldBe("5000|12497500");
        (await _shop.RunAsync("t", "t.parquet")).Failed.ShouldHaveSingleItem().Error.ShouldStartWith("t.parquet");
        _shop.Rows("t", "count(*)").ShouldBe("5000");
    }

    [Fact]
    public async Task Files_that_differ_are_written_anew_and_those_that_do_not_are_kept()
    {
        _shop.Engine("COPY (SELECT 1::BIGINT AS a, 'x' AS b) TO '{csv}/d/1.parquet' (FORMAT parquet, COMPRESSION gzip)".Replace("{csv}/d", "{csv}", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(_shop.Data.Csv, "d"));
        File.Move(Path.Combine(_shop.Data.Csv, "1.parquet"), Path.Combine(_shop.Data.Csv, "d", "1.parquet"));
        _shop.Engine("COPY (SELECT 2::INTEGER AS a) TO '{csv}/d/2.parquet' (FORMAT parquet)");
        (await _shop.RunAsync("t", "d")).Failed.ShouldBeEmpty();
        _shop.Columns("t").ShouldBe("a BIGINT, b VARCHAR");
        _shop.Rows("t").ShouldBe("1|x 2|NULL");
        Sha256("d/1.parquet").ShouldBe(_shop.Table("t").Parts[0].Sha256);
        Sha256("d/2.parquet").ShouldNotBe(_shop.Table("t").Parts[1].Sha256);
    }

    [Fact]
    public async Task Wrong_checksums_of_pages_are_found_where_that_is_asked_for()
    {
        _shop.Write("sound.parquet", Convert.FromBase64String(Sound));
        _shop.Write("corrupt.parquet", Convert.FromBase64String(Corrupt));
        _shop.Engine("COPY (SELECT 1 AS a) TO '{csv}/none.parquet' (FORMAT parquet)");
        var run = await _shop.RunAsync([Verified("sound"), Verified("corrupt"), Verified("none")]);
        var failed = run.Failed.ShouldHaveSingleItem();
        failed.Name.ShouldBe("corrupt");
        failed.Error.ShouldStartWith("corrupt.parquet: column long_field has a page 1 whose checksum is wrong");
        run.Warnings.ShouldHaveSingleItem().ShouldContain("none.parquet: 1 of its 1 pages have no checksum");
        run.Ok.Select(table => table.Name).ShouldBe(["sound", "none"]);
        (await _shop.RunAsync([new TableConfig("corrupt", "corrupt", SourceTable: "corrupt.parquet")])).Failed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_page_of_which_one_bit_flips_is_found()
    {
        var bytes = Convert.FromBase64String(Sound);
        var index = 0;
        // Whatever bit of the first hundred bytes: a page's data, or the header before it.
        List<TableConfig> tables = [];
        for (var at = 4; at < 100; at += 5)
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0x10;
            _shop.Write($"f{index}.parquet", damaged);
            tables.Add(Verified($"f{index++}"));
        }
        var run = await _shop.RunAsync(tables);
        (run.Failed.Count + run.Warnings.Count).ShouldBeGreaterThanOrEqualTo(index - 2); // some bits of a header mean nothing
    }

    private string Sha256(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(_shop.Data.Csv, file))));

    private static TableConfig Verified(string name) => new(name, name, SourceTable: $"{name}.parquet", Settings: JsonElement.Parse("""{"verify_checksums":true}"""));
}
