using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Agnes.Protocol;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class PartsTests(Postgres postgres)
{
    [Theory, OnEitherEngine]
    public async Task A_table_of_several_files_travels_in_parts_and_older_clients_get_one_file(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        shop.WriteCsv("visits/2026-01.csv", "id,page\n1,home\n");
        shop.WriteCsv("visits/2026-02.csv", "id,page\n2,about\n3,shop\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits"}""");
        await shop.GrantAsync("visits");
        await shop.SyncAsync();

        var entry = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["visits"]!;
        entry["parts_count"]!.GetValue<int>().ShouldBe(2);
        entry["hash"]!.GetValue<string>().ShouldBe("");
        entry.AsObject().ContainsKey("sha256").ShouldBeFalse();
        var digest = entry["parts_digest"]!.GetValue<string>();
        var answer = await shop.AsAnalystAsync("GET", $"/api/sync/parts/visits/{digest}");
        var list = JsonSerializer.Deserialize(answer.Body, ProtocolJson.Default.PartsList)!;
        PartsList.Digest(list.Parts).ShouldBe(digest);
        list.Parts.Sum(part => part.Rows).ShouldBe(3);
        list.Version.ShouldBe(entry["version"]!.GetValue<long>());
        list.Columns.Select(column => column.Name).ShouldBe(["id", "page"]);
        foreach (var part in list.Parts)
        {
            var bytes = await BytesAsync(shop, $"/api/data/visits/parts/{part.Sha256}");
            Convert.ToHexStringLower(SHA256.HashData(bytes)).ShouldBe(part.Sha256);
            bytes.Length.ShouldBe((int)part.SizeBytes);
        }

        var asked = await shop.AsAnalystAsync("GET", "/api/data/visits/download");
        (asked.Status, asked.Header("Retry-After")).ShouldBe((503, "15"));
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("visits")!.Whole is not null, "the one file was made");
        var whole = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["visits"]!;
        var file = await BytesAsync(shop, "/api/data/visits/download");
        Convert.ToHexStringLower(MD5.HashData(file)).ShouldBe(whole["hash"]!.GetValue<string>());
        whole["size_bytes"]!.GetValue<long>().ShouldBe(file.Length);

        // A new version: parts at once; the one file stays the last one, with its hash, until an hour has passed.
        shop.WriteCsv("visits/2026-03.csv", "id,page\n4,home\n");
        await shop.SyncAsync();
        var next = (await shop.AsAnalystAsync("GET", "/api/sync/manifest")).Json["tables"]!["visits"]!;
        next["parts_count"]!.GetValue<int>().ShouldBe(3);
        next["hash"]!.GetValue<string>().ShouldBe(whole["hash"]!.GetValue<string>());
        (await BytesAsync(shop, "/api/data/visits/download")).ShouldBe(file);
        (await shop.AsAnalystAsync("GET", $"/api/sync/parts/visits/{digest}")).Status.ShouldBe(200);
        shop.Server.Time.Advance(TimeSpan.FromMinutes(61));
        (await shop.AsAnalystAsync("GET", "/api/data/visits/download")).Status.ShouldBe(200);
        await shop.EventuallyAsync(() => shop.Server.State.Snapshot.PublishedTable("visits")!.Whole is not null, "the next file was made");
        (await BytesAsync(shop, "/api/data/visits/download")).ShouldNotBe(file);
    }

    [Fact]
    public async Task What_an_answered_manifest_named_can_be_fetched_for_a_day()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { VersionsKept = 1 } });
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.SyncAsync();
        var first = shop.Server.State.Snapshot.PublishedTable("visits")!.Parts[0].Sha256;
        shop.WriteCsv("visits.csv", "id\n1\n2\n");
        await shop.SyncAsync();
        var second = shop.Server.State.Snapshot.PublishedTable("visits")!.Parts[0].Sha256;
        second.ShouldNotBe(first);

        shop.Server.Time.Advance(TimeSpan.FromHours(23));
        await PurgeAsync(shop);
        (await shop.AsAdminAsync("GET", $"/api/data/visits/parts/{first}")).Status.ShouldBe(200);
        shop.Server.Time.Advance(TimeSpan.FromHours(2));
        await shop.SignInAgainAsync();
        await PurgeAsync(shop);
        (await shop.AsAdminAsync("GET", $"/api/data/visits/parts/{first}")).Status.ShouldBe(404);
        (await shop.AsAdminAsync("GET", $"/api/data/visits/parts/{second}")).Status.ShouldBe(200);
        File.Exists(PathOf(shop, first)).ShouldBeFalse();
        File.Exists(PathOf(shop, second)).ShouldBeTrue();
    }

    private static string PathOf(Shop shop, string sha256) => Path.Combine(shop.DataDir, "parts", sha256[..2], $"{sha256}.parquet");

    private static async Task PurgeAsync(Shop shop) => (await shop.RunAsync(Platform.Publications.PurgeJob.Request("test"))).Status.ShouldBe("ok");

    private static async Task<byte[]> BytesAsync(Shop shop, string path)
    {
        using var client = new HttpClient { BaseAddress = new Uri(shop.Server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", shop.Analyst);
        return await client.GetByteArrayAsync(path);
    }
}
