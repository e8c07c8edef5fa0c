using System.Net.Http.Headers;
using System.Text.Json;
using Agnes.Server.Features.Demo;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class DemoTests
{
    [Fact]
    [Long]
    public async Task The_demo_lets_everybody_in_as_its_file_says_and_a_second_start_uses_it_again()
    {
        using var folder = new TemporaryFolder();
        DemoContents first;
        await using (var server = await ServerProcess.StartAsync(folder.Path, "--demo"))
        {
            first = await ReadAsync(folder.Path);
            if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(DemoFile.PathIn(folder.Path)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            first.Url.ShouldBe(server.Client.BaseAddress!.ToString().TrimEnd('/'));
            first.Analysts.Count.ShouldBe(2);
            await server.SignInAsync(first.Admin.Email, first.Admin.Password);
            (await server.SendAsync("GET", "/api/admin/registry")).Json["count"]!.GetValue<int>().ShouldBe(9);
            await CheckAsync(server, first);
            await DescriptionsNameColumnsAsync(server);
            (await server.SendAsync("POST", "/api/admin/metadata/orders", """{"columns":[{"column_name":"status","description":"Ours now"}]}""")).Status.ShouldBe(200);
        }

        var written = File.GetLastWriteTimeUtc(DemoFile.PathIn(folder.Path));
        await using (var server = await ServerProcess.StartAsync(folder.Path, "--demo"))
        {
            await UntilAsync(() => File.GetLastWriteTimeUtc(DemoFile.PathIn(folder.Path)) > written);
            var second = await ReadAsync(folder.Path);
            second.Admin.ShouldBe(first.Admin);
            second.Analysts.Select(a => a.Token).ShouldBe(first.Analysts.Select(a => a.Token));
            second.Url.ShouldNotBe(first.Url);
            await CheckAsync(server, first);
            (await server.SendAsync("GET", "/api/v2/schema/orders")).Json.ToJsonString().ShouldContain("Ours now");
            (await server.SendAsync("GET", "/api/sync/status")).Json["locked"]!.GetValue<bool>().ShouldBeFalse();
        }
    }

    [Fact]
    public void The_greeting_for_a_terminal_has_all_that_is_needed()
    {
        var contents = new DemoContents("http://localhost:8000", new("a@example.com", "pw-a", "tok-a"), [new("b@example.com", "pw-b", "tok-b", ["finance"], ["orders"])]);
        var text = DemoGreeting.Text(contents, "/data/demo.json");
        foreach (var needed in (string[])["http://localhost:8000", "a@example.com", "pw-a", "tok-a", "b@example.com", "pw-b", "agnes init --server-url http://localhost:8000 --token tok-b", "agnes query", "/data/demo.json"])
            text.ShouldContain(needed);
    }

    private static async Task CheckAsync(ServerProcess server, DemoContents contents)
    {
        foreach (var analyst in contents.Analysts)
        {
            server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", analyst.Token);
            var tables = (await server.SendAsync("GET", "/api/sync/manifest")).Json["tables"]!.AsObject();
            tables.Select(table => table.Key).ShouldBe(analyst.Tables, ignoreOrder: true);
            (await server.SendAsync("POST", "/api/query", $$"""{"sql":"select count(*) from {{analyst.Tables[0]}}"}""")).Status.ShouldBe(200);
            (await server.SendAsync("POST", "/api/query", """{"sql":"select count(*) from support_tickets"}""")).Status.ShouldBe(403);
        }
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", contents.Admin.Token);
        (await server.SendAsync("GET", "/api/sync/manifest")).Json["tables"]!.AsObject().Count.ShouldBe(9);
    }

    /// <summary>A description of a column that the sample data does not have would be shown to nobody.</summary>
    private static async Task DescriptionsNameColumnsAsync(ServerProcess server)
    {
        foreach (var table in (string[])["campaigns", "customers", "orders", "order_items", "payments", "products", "support_tickets", "web_leads", "web_sessions"])
        {
            var described = (await server.SendAsync("GET", $"/api/admin/metadata/{table}")).Json["columns"]!.AsArray().Select(column => (string)column!["column_name"]!).ToList();
            var columns = (await server.SendAsync("GET", $"/api/v2/schema/{table}")).Json["columns"]!.AsArray().Select(column => (string)column!["name"]!);
            described.ShouldNotBeEmpty(table);
            described.Except(columns).ShouldBeEmpty(table);
        }
    }

    private static async Task<DemoContents> ReadAsync(string dataDir)
    {
        var path = DemoFile.PathIn(dataDir);
        await UntilAsync(() => File.Exists(path));
        return JsonSerializer.Deserialize(await File.ReadAllTextAsync(path), DemoJson.Default.DemoContents)!;
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 1200; i++)
        {
            if (holds()) return;
            await Task.Delay(50);
        }
        throw new TimeoutException("The demo did not get ready.");
    }
}
