using System.Text.Json.Nodes;
using Agnes.EndToEnd.Fixtures;

namespace Agnes.EndToEnd.Spine;

/// <summary>From a token to an answer, with the real server and the real <c>agnes</c>.</summary>
public sealed class AnalystTests(DemoServer demo)
{
    [Fact]
    public async Task An_analyst_sees_pulls_and_queries_what_was_granted_and_nothing_else()
    {
        using var laptop = new Laptop(await demo.UrlAsync(), (await demo.AnalystAsync("finance")).Token);
        var init = await laptop.InitAsync();
        init.ExitCode.ShouldBe(0, init.Output + init.Errors);

        var tables = JsonNode.Parse((await laptop.RunAsync("catalog", "--json")).Output)!["tables"]!.AsArray().Select(table => (string)table!["name"]!).Order(StringComparer.Ordinal);
        tables.ShouldBe(["customers", "order_items", "orders", "payments"]);
        Directory.GetFiles(Path.Combine(laptop.Workspace, "server", "parquet")).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal).ShouldBe(["customers", "order_items", "orders", "payments"]);

        const string sql = "SELECT count(*) AS n, round(sum(total_amount), 2) AS total FROM orders";
        var local = await laptop.RunAsync("query", "--format", "json", sql);
        var remote = await laptop.RunAsync("query", "--remote", "--format", "json", sql);
        local.ExitCode.ShouldBe(0, local.Errors);
        JsonNode.DeepEquals(JsonNode.Parse(local.Output), JsonNode.Parse(remote.Output)).ShouldBeTrue($"{local.Output} {remote.Output}");
        ((long)JsonNode.Parse(local.Output)![0]!["n"]!).ShouldBeGreaterThan(0);
        var profile = await laptop.RunAsync("explore", "orders", "--remote");
        ((long)JsonNode.Parse(profile.Output)!["row_count"]!).ShouldBe((long)JsonNode.Parse(local.Output)![0]!["n"]!, profile.Errors);
    }

    [Fact]
    public async Task A_second_pull_moves_nothing()
    {
        using var laptop = new Laptop(await demo.UrlAsync(), (await demo.AnalystAsync("marketing")).Token);
        (await laptop.InitAsync()).ExitCode.ShouldBe(0);
        var again = JsonNode.Parse((await laptop.RunAsync("pull", "--json")).Output)!;
        ((int)again["tables_updated"]!).ShouldBe(0);
        ((long)again["bytes_downloaded"]!).ShouldBe(0);
    }

    [Theory]
    [InlineData("schema")]
    [InlineData("describe")]
    [InlineData("sample")]
    [InlineData("query --remote SELECT * FROM ")]
    public async Task A_table_of_another_group_is_answered_like_one_that_never_existed(string command)
    {
        using var laptop = new Laptop(await demo.UrlAsync(), (await demo.AnalystAsync("finance")).Token);
        var hidden = await AskAsync(laptop, command, "web_sessions");
        var never = await AskAsync(laptop, command, "never_existed");
        hidden.ExitCode.ShouldNotBe(0);
        hidden.ExitCode.ShouldBe(never.ExitCode);
        Same(hidden.Output + hidden.Errors, "web_sessions").ShouldBe(Same(never.Output + never.Errors, "never_existed"));
    }

    [Theory]
    [InlineData("/api/data/{0}/download")]
    [InlineData("/api/data/{0}/check-access")]
    [InlineData("/api/data/{0}/parts/{1}")]
    [InlineData("/api/sync/parts/{0}/{1}")]
    [InlineData("/api/v2/schema/{0}")]
    [InlineData("/api/v2/sample/{0}")]
    [InlineData("/api/catalog/profile/{0}")]
    [InlineData("/catalog/{0}")]
    public async Task No_address_tells_a_hidden_table_from_one_that_never_existed(string path)
    {
        using var admin = await demo.ClientAsync(await demo.AdminAsync());
        var manifest = JsonNode.Parse(await admin.GetStringAsync("/api/sync/manifest", TestContext.Current.CancellationToken))!["tables"]!;
        var hash = (string)manifest["web_sessions"]!["sha256"]!;
        using var analyst = await demo.ClientAsync(await demo.AnalystAsync("finance"));
        var hidden = await GetAsync(analyst, string.Format(System.Globalization.CultureInfo.InvariantCulture, path, "web_sessions", hash), "web_sessions");
        var never = await GetAsync(analyst, string.Format(System.Globalization.CultureInfo.InvariantCulture, path, "never_existed", hash), "never_existed");
        hidden.ShouldBe(never);
        hidden.ShouldStartWith("4");
    }

    [Fact]
    public async Task A_part_of_another_groups_table_cannot_be_had_through_a_granted_one()
    {
        using var admin = await demo.ClientAsync(await demo.AdminAsync());
        var hash = (string)JsonNode.Parse(await admin.GetStringAsync("/api/sync/manifest", TestContext.Current.CancellationToken))!["tables"]!["web_sessions"]!["sha256"]!;
        using var analyst = await demo.ClientAsync(await demo.AnalystAsync("finance"));
        using var stolen = await analyst.GetAsync($"/api/data/orders/parts/{hash}", TestContext.Current.CancellationToken);
        using var guessed = await analyst.GetAsync($"/api/data/orders/parts/{new string('0', 64)}", TestContext.Current.CancellationToken);
        stolen.StatusCode.ShouldBe(guessed.StatusCode);
        ((int)stolen.StatusCode).ShouldBe(404);
    }

    private static Task<Ended> AskAsync(Laptop laptop, string command, string table)
    {
        if (!command.StartsWith("query", StringComparison.Ordinal)) return laptop.RunAsync(command, table);
        return laptop.RunAsync("query", "--remote", $"SELECT * FROM {table}");
    }

    private static async Task<string> GetAsync(HttpClient client, string path, string name)
    {
        using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
        var headers = string.Join('\n', response.Headers.Concat(response.Content.Headers)
            .Where(header => header.Key is not ("Date" or "x-request-id" or "X-Request-ID" or "Content-Length"))
            .Select(header => $"{header.Key}: {string.Join(',', header.Value)}").Order(StringComparer.Ordinal));
        return $"{(int)response.StatusCode}\n{headers}\n{Same(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), name)}";
    }

    /// <summary>Takes out what may differ: the name sent and the request's id.</summary>
    private static string Same(string text, string name) =>
        System.Text.RegularExpressions.Regex.Replace(text.Replace(name, "NAME", StringComparison.Ordinal), "[0-9a-f]{12}", "ID", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1));
}
