using System.Net.Http.Headers;
using System.Security.Cryptography;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class DownloadTests(Postgres postgres, Shops shops)
{
    [Fact]
    public async Task A_download_answers_conditions_and_ranges_as_RFC_9110_says()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var version = shop.Server.State.Snapshot.PublishedTable("orders")!;
        var (tag, size) = ($"\"{version.Parts[0].Sha256}\"", version.Parts[0].SizeBytes);
        var faults = new List<string>();
        var cases = new (string Name, string Method, (string Name, string Value)[] Headers, int Status, (string Name, string Value)[] Expected, long Length)[]
        {
            ("whole", "GET", [], 200, [("ETag", tag), ("Accept-Ranges", "bytes")], size),
            ("head", "HEAD", [], 200, [("ETag", tag), ("Content-Length", $"{size}")], 0),
            ("head ignores ranges", "HEAD", [("Range", "bytes=0-3")], 200, [("Content-Length", $"{size}")], 0),
            ("first bytes", "GET", [("Range", "bytes=0-3")], 206, [("Content-Range", $"bytes 0-3/{size}"), ("ETag", tag)], 4),
            ("last bytes", "GET", [("Range", "bytes=-4")], 206, [("Content-Range", $"bytes {size - 4}-{size - 1}/{size}")], 4),
            ("past the end", "GET", [("Range", $"bytes={size}-")], 416, [("Content-Range", $"bytes */{size}")], 0),
            ("malformed", "GET", [("Range", "bytes=x")], 400, [], -1),
            ("another unit", "GET", [("Range", "rows=0-1")], 200, [], size),
            ("none match", "GET", [("If-None-Match", tag)], 304, [("ETag", tag)], 0),
            ("none match, weak", "GET", [("If-None-Match", "W/" + tag)], 304, [], 0),
            ("none match, listed", "GET", [("If-None-Match", $"\"a\", {tag}")], 304, [], 0),
            ("none match, any", "GET", [("If-None-Match", "*")], 304, [], 0),
            ("none match, head", "HEAD", [("If-None-Match", tag)], 304, [], 0),
            ("none match, other", "GET", [("If-None-Match", "\"a\"")], 200, [], size),
            ("none match before range", "GET", [("If-None-Match", tag), ("Range", "bytes=0-3")], 304, [], 0),
            ("match", "GET", [("If-Match", tag)], 200, [], size),
            ("match, any", "GET", [("If-Match", "*")], 200, [], size),
            ("match, weak", "GET", [("If-Match", "W/" + tag)], 412, [], 0),
            ("match, other", "GET", [("If-Match", "\"a\"")], 412, [], 0),
            ("if range", "GET", [("If-Range", tag), ("Range", "bytes=0-3")], 206, [], 4),
            ("if range, weak", "GET", [("If-Range", "W/" + tag), ("Range", "bytes=0-3")], 200, [], size),
            ("if range, other", "GET", [("If-Range", "\"a\""), ("Range", "bytes=0-3")], 200, [], size),
            ("modified since then", "GET", [("If-Modified-Since", "Thu, 01 Jan 2015 00:00:00 GMT")], 200, [], size),
            ("not modified since then", "GET", [("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")], 304, [], 0),
            ("none match rules over modified", "GET", [("If-None-Match", "\"a\""), ("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")], 200, [], size),
            ("unmodified since then", "GET", [("If-Unmodified-Since", "Thu, 01 Jan 2015 00:00:00 GMT")], 412, [], 0),
        };
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        foreach (var (name, method, headers, status, expected, length) in cases)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/api/data/orders/download");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", shop.Analyst);
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
            foreach (var (header, value) in headers) request.Headers.TryAddWithoutValidation(header, value);
            using var response = await client.SendAsync(request);
            var bytes = await response.Content.ReadAsByteArrayAsync();
            var got = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
            if ((int)response.StatusCode != status) faults.Add($"{name}: {(int)response.StatusCode} instead of {status}");
            if (length >= 0 && bytes.Length != length) faults.Add($"{name}: {bytes.Length} bytes instead of {length}");
            if (got.ContainsKey("Content-Encoding")) faults.Add($"{name}: is encoded");
            faults.AddRange(expected.Where(e => got.GetValueOrDefault(e.Name) != e.Value).Select(e => $"{name}: {e.Name} is {got.GetValueOrDefault(e.Name)} instead of {e.Value}"));
        }
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Several_ranges_come_as_one_body_of_parts()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var answer = await shop.AsAnalystAsync("GET", "/api/data/orders/download", change: request => request.Headers.TryAddWithoutValidation("Range", "bytes=0-3,-4"));
        answer.Status.ShouldBe(206);
        answer.Header("Content-Type")!.ShouldStartWith("multipart/byteranges; boundary=");
        var boundary = answer.Header("Content-Type")!.Split('=')[1];
        var size = shop.Server.State.Snapshot.PublishedTable("orders")!.Bytes;
        answer.Body.ShouldBe(
            $"--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-3/{size}\r\n\r\nPAR1"
            + $"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {size - 4}-{size - 1}/{size}\r\n\r\nPAR1\r\n--{boundary}--\r\n");
        answer.Header("Content-Length").ShouldBe($"{answer.Body.Length}");
    }

    [Fact]
    public async Task The_bytes_have_the_hashes_that_the_manifest_names_by_id_and_by_name()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var entry = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["Orders"]!;
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shop.Analyst);
        foreach (var path in (string[])["/api/data/orders/download", "/api/data/Orders/download", $"/api/data/orders/parts/{entry["sha256"]}"])
        {
            var bytes = await client.GetByteArrayAsync(path);
            Convert.ToHexStringLower(MD5.HashData(bytes)).ShouldBe(entry["hash"]!.GetValue<string>(), path);
            Convert.ToHexStringLower(SHA256.HashData(bytes)).ShouldBe(entry["sha256"]!.GetValue<string>(), path);
        }
    }

    [Fact]
    public async Task A_part_is_given_out_only_for_the_table_that_has_it()
    {
        var shop = await shops.OnAsync(StateEngine.DuckDb, postgres);
        var secret = shop.Server.State.Snapshot.PublishedTable("salaries")!.Parts[0].Sha256;
        (await shop.AsAnalystAsync("GET", $"/api/data/orders/parts/{secret}")).Status.ShouldBe(404);
        (await shop.AsAnalystAsync("GET", $"/api/data/salaries/parts/{secret}")).Status.ShouldBe(403);
        (await shop.AsAdminAsync("GET", $"/api/data/salaries/parts/{secret}")).Status.ShouldBe(200);
        (await shop.AsAnalystAsync("GET", "/api/data/orders/parts/../../../etc/passwd")).Status.ShouldBe(404);
        (await shop.AsAnalystAsync("GET", $"/api/data/orders/parts/{new string('a', 64)}")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_part_that_another_program_changed_in_place_is_an_error_and_no_wrong_answer()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        using (var file = new FileStream(Path.Combine(shop.DataDir, "extracts/erp/data/Orders.parquet"), FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 10;
            file.WriteByte(255);
        }
        if (await IsLinkedAsync(shop))
        {
            (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(503);
            (await shop.AsAnalystAsync("POST", "/api/query", """{"sql":"select count(*) from orders"}""")).Status.ShouldBe(503);
        }
        else
        {
            (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(200);
        }
    }

    private static async Task<bool> IsLinkedAsync(Shop shop)
    {
        var part = shop.Server.State.Snapshot.PublishedTable("orders")!.Parts[0];
        var path = Path.Combine(shop.DataDir, "parts", part.Sha256[..2], $"{part.Sha256}.parquet");
        return (await File.ReadAllBytesAsync(path))[10] == 255;
    }
}
