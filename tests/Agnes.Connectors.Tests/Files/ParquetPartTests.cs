using System.IO.Compression;
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

    /// <summary>From apache/parquet-testing (Apache-2.0), packed with gzip: datapage_v1-corrupt-checksum.parquet, in which the checksums of some pages are wrong.</summary>
    private const string CorruptVersion1 =
        "H4sIAAAAAAACA+3c91MTWxQH8N1AMKhY2ZVg1KASgwZMCKQoFqxggUiw14QERenNrgEbNhQVK2pUVOyoqCCWKGLvBTuComLHDir6Ns57zzjjP8D4nd0ze+eec3bn"
        + "M/fXM6vyDpBQBGUwkj8jPyU5j8OjDEJmz4ayIQiCZFlZs22qcWyr16hpV6t2nbr16ttTdAMHrmNDXqPGTfhOTZs1dxa0ELq0bCVydWstlrhLPTxlcoWyTVuvdu07"
        + "dPTu1LlL127dfXx79OzV289f1SdAHdi3X/8BAwcNHjJ02PARGm2QTh88clTI6DGhYeERkVHRMbFx8WPHjZ8wcdLkKVMNCYnTps+YOStp9py58+YnL1iYsmjxktSl"
        + "y5avWLkqbfWatcZ16zekb9y0OWPL1m3bd+zclbl7z96sffsPZOcczD10+MhR07HjeSfyT546febsufMXLl66fOXqtes3Cm7eun3n7r37hQ+Kih8+Knn85Gnps+cv"
        + "Xr56/abs7bv3Hz5++lxe8eXrt8rvP+CHH3744Ycffvjhhx9++OGHH3744Yf/r/Q74vzhhx9++OGHH3744Ycffvjhhx9++OGHv6r7LWYDUwsL0ux+mw388b3y29cv"
        + "FeWfP3388P7d27I3r1+9fPH8WenTJ49LHj0sLnpQeP/e3Tu3b90suHH92tUrly9dvHD+3Nkzp0+dzD+Rd/yY6eiRw4dyD+ZkH9i/L2vvnt2Zu3bu2L5t65aMzZs2"
        + "pm9Yv864ds3qtFUrVyxftjR1yeJFKQsXJM+fN3fO7KRZM2dMn5aYYJg6ZfKkiRPGjxsbHxcbEx0VGREeFjpmdMiokcF6XZBWM2L4sKFDBg8aOKB/v76B6oA+Kn+/"
        + "3r169vD16d6ta5fOnbw7dmjfzqttG6VCLvP0kLpLxK3dXEWtWroIWwicmzdr6sRv0rgRr6Ej16EBTdnXr1e3Tu1adjVrVLflVLNhW1uxSPjhhx9++OGHH3744Ycf"
        + "fvjhhx9++OGHH3744Ycffvjhhx9++OGHH3744Ycffvjhr4p+y/8GZuVUWlnOBmKmE3744Ycffvjhhx9++OGHH3744Ycffvjhhx9++OGHH3744Ycffvjhhx9++OGH"
        + "H374q57fYjYwPSsjydZyNhBnDD/88MMPP/zwww8//PDDDz/88MMPP/zw/53+XJw//PDDDz/88MMPP/zwww8//PDDDz/8VdrPdSJJrpAgzEGxuAKSJP60JaI5VLaR"
        + "pAmCNhnJn0uDuUREl5tY/2Uyi63+zzCNXj5kGGXNrJwJB1Lz71NL0AYVl8cVCTg8psbZhuAyScq8S5eZWOYQcHx5FMFc1sw7sxLZlJguTWBTAkLAfOtXk/b3JiZn"
        + "0VbCtHnQyYnmNroogc1UCjjmhT1BCNWRmuioOH2sa1g0P14fHRMSEc6XuEmkbmJXtZ+3Su3jH8gXauNCQnV8sUQplUn0Yp1GLJPLpTKxXKEIFmt0SlmQp7s4WKsI"
        + "clfKdHKdC1fEIwjmJiqYUHkHSP4BbFpj7c2hAAA=";

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
        using (var packed = new GZipStream(new MemoryStream(Convert.FromBase64String(CorruptVersion1)), CompressionMode.Decompress))
        using (var file = File.Create(Path.Combine(_shop.Data.Csv, "corrupt1.parquet"))) packed.CopyTo(file);
        _shop.Engine("COPY (SELECT 1 AS a) TO '{csv}/none.parquet' (FORMAT parquet)");
        var run = await _shop.RunAsync([Verified("sound"), Verified("corrupt"), Verified("corrupt1"), Verified("none")]);
        run.Failed.Select(failed => failed.Name).ShouldBe(["corrupt", "corrupt1"]);
        run.Failed[0].Error.ShouldStartWith("corrupt.parquet: column long_field has a page 1 whose checksum is wrong");
        run.Failed[1].Error.ShouldStartWith("corrupt1.parquet: column a has a page 1 whose checksum is wrong");
        run.Warnings.ShouldHaveSingleItem().ShouldContain("none.parquet: 1 of its 1 pages have no checksum");
        run.Ok.Select(table => table.Name).ShouldBe(["sound", "none"]);
        (await _shop.RunAsync([.. ((string[])["corrupt", "corrupt1"]).Select(name => new TableConfig(name, name, SourceTable: $"{name}.parquet"))])).Failed.ShouldBeEmpty();
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
