using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.EndToEnd.Fixtures;
using Agnes.Testing;

namespace Agnes.EndToEnd.Spine;

/// <summary>What changed in a table is seen from a terminal, and an admin goes back behind it.</summary>
public sealed class HistoryTests
{
    [Fact]
    public async Task Versions_are_listed_compared_and_gone_back_to()
    {
        using var data = new TemporaryFolder();
        Directory.CreateDirectory(data["csv"]);
        await File.WriteAllTextAsync(data["csv", "bills.csv"], "id,amount\n1,10\n2,20\n3,30\n", TestContext.Current.CancellationToken);
        await using var server = Processes.Start([Processes.Program("agnes-server"), "--data-dir", data.Path, "--urls", "http://127.0.0.1:0"], new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SEED_ADMIN_EMAIL"] = "root@example.com",
            ["SEED_ADMIN_PASSWORD"] = "a long password",
        });
        using var laptop = new Laptop(await server.UrlAsync(), await SignInAsync(await server.UrlAsync()));
        (await laptop.RunAsync("admin", "register-table", "bills", "--source-type", "csv", "--source-table", "bills.csv", "--primary-key", "id")).ExitCode.ShouldBe(0);
        await SyncAsync();
        (await laptop.RunAsync("diff", "bills")).Errors.ShouldContain("no earlier version");
        await File.WriteAllTextAsync(data["csv", "bills.csv"], "id,amount\n1,10\n2,-5\n4,40\n", TestContext.Current.CancellationToken);
        await SyncAsync();
        (await laptop.InitAsync()).ExitCode.ShouldBe(0);

        var listed = await laptop.RunAsync("catalog", "--history", "bills");
        listed.Output.Split('\n').Length.ShouldBe(5, listed.Output + listed.Errors);
        listed.Output.ShouldContain("current");
        var diff = await laptop.RunAsync("diff", "bills");
        diff.Output.ShouldContain("1 added, 1 removed, 1 changed", Case.Sensitive, diff.Errors);
        var told = JsonNode.Parse((await laptop.RunAsync("diff", "bills", "--json")).Output)!;
        told["sample"]!.AsArray().Select(row => $"{row!["what"]} {row["row"]!["id"]} {row["row"]!["amount"]}")
            .ShouldBe(["added 4 40", "removed 3 30", "before 2 20", "after 2 -5"]);
        var whole = JsonNode.Parse((await laptop.RunAsync("diff", "bills", "--json", "--key", "")).Output)!;
        ((long)whole["rows_added"]!, (long)whole["rows_removed"]!, whole["rows_changed"]).ShouldBe((2, 2, null));
        (await laptop.RunAsync("diff", "bills", "--max-mb", "0")).Errors.ShouldContain("Allow it: --max-mb");
        (await laptop.RunAsync("diff", "bills", "--key", "nothing")).Errors.ShouldContain("a column 'nothing'");
        (await laptop.RunAsync("diff", "bills", "--from", "7")).ExitCode.ShouldBe(2);
        Directory.EnumerateDirectories(Path.Combine(laptop.Workspace, "user", "duckdb")).ShouldBeEmpty("nothing is left of what was fetched");

        var back = await laptop.RunAsync("admin", "rollback-table", "bills", ((long)told["from"]!).ToString(System.Globalization.CultureInfo.InvariantCulture), "--yes");
        back.ExitCode.ShouldBe(0, back.Errors);
        (await laptop.RunAsync("pull")).ExitCode.ShouldBe(0);
        JsonNode.Parse((await laptop.RunAsync("query", "--format", "json", "SELECT sum(amount) AS s FROM bills")).Output)![0]!["s"]!.ToJsonString().ShouldBe("60");
        (await laptop.RunAsync("catalog", "--history", "bills")).Output.ShouldContain("an admin went back to it");

        async Task SyncAsync() => (await laptop.RunAsync("admin", "sync", "trigger", "bills", "--watch")).ExitCode.ShouldBe(0);
    }

    private static async Task<string> SignInAsync(string url)
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsJsonAsync($"{url}/auth/token", new { email = "root@example.com", password = "a long password" }, TestContext.Current.CancellationToken);
        return (string)(await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!["access_token"]!;
    }
}
