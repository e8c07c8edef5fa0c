using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.Emulators.Keboola;
using Agnes.EndToEnd.Fixtures;
using Agnes.Testing;

namespace Agnes.EndToEnd.Spine;

/// <summary>A Keboola project's tables are found and registered from a terminal, and what a file says of their columns goes to the server and on to the project.</summary>
public sealed class KeboolaTests
{
    [Fact]
    public async Task Tables_are_discovered_registered_described_and_their_descriptions_pushed()
    {
        await using var keboola = await KeboolaServer.StartAsync();
        keboola.Add("in.c-crm.orders", 12, "id", "total");
        keboola.Add("out.c-report.revenue", 3, "month");
        using var data = new TemporaryFolder();
        await using var server = Processes.Start([Processes.Program("agnes-server"), "--data-dir", data.Path, "--urls", "http://127.0.0.1:0"], new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["SEED_ADMIN_EMAIL"] = "root@example.com",
            ["SEED_ADMIN_PASSWORD"] = "a long password",
            ["AGNES_ALLOWED_PRIVATE_HOSTS"] = "127.0.0.1",
            ["AGNES_MEMORY"] = "512MiB",
            ["KBC_STACK_URL"] = keboola.Address,
            ["KBC_STORAGE_TOKEN"] = KeboolaServer.Token,
        });
        using var laptop = new Laptop(await server.UrlAsync(), await SignInAsync(await server.UrlAsync()));
        laptop.Environment["KEBOOLA_STACK_URL"] = keboola.Address;
        laptop.Environment["KEBOOLA_STORAGE_TOKEN"] = KeboolaServer.Token;

        var found = JsonNode.Parse((await laptop.RunAsync("admin", "discover-and-register", "--dry-run", "--json")).Output)!;
        JsonNode.DeepEquals(found, JsonNode.Parse("""[{"id":"in.c-crm.orders","name":"orders","bucket":"in.c-crm","rows":12},{"id":"out.c-report.revenue","name":"revenue","bucket":"out.c-report","rows":3}]""")).ShouldBeTrue(found.ToJsonString());
        var listed = JsonNode.Parse((await laptop.RunAsync("admin", "connection", "discover", "keboola", "--json")).Output)!.AsArray();
        listed.Select(table => ((string?)table!["id"], (int?)table["row_count"]))
            .ShouldBe([("in.c-crm.orders", 12), ("out.c-report.revenue", 3)]);
        var bucket = (await laptop.RunAsync("admin", "connection", "discover", "keboola", "--bucket", "in.c-crm")).Output;
        bucket.ShouldContain("in.c-crm.orders");
        bucket.ShouldNotContain("revenue");
        (await laptop.RunAsync("admin", "connection", "discover", "jira")).ExitCode.ShouldBe(1);
        (await laptop.RunAsync("admin", "connection", "check", "keboola")).Output.ShouldBe("'keboola' answers, and may read 2 tables there.\n");
        (await laptop.RunAsync("admin", "connection", "check", "nowhere")).ExitCode.ShouldBe(1);

        (await laptop.RunAsync("admin", "discover-and-register")).Output.ShouldStartWith("2 registered, 0 skipped, 0 failed.");
        (await laptop.RunAsync("admin", "discover-and-register")).Output.ShouldStartWith("0 registered, 2 skipped, 0 failed.");

        var plan = await laptop.RunAsync("admin", "sync", "trigger", "--dry-run", "orders", "--json");
        plan.ExitCode.ShouldBe(0, plan.Errors);
        var planned = JsonNode.Parse(plan.Output)![0]!;
        ((string?)planned["connection"], (string?)planned["how"], (int?)planned["rows"]).ShouldBe(("keboola", "full", 12));
        keboola.Jobs.All.ShouldBeEmpty("nothing was exported");
        (await laptop.RunAsync("admin", "sync", "trigger", "--dry-run", "nothing")).ExitCode.ShouldBe(1);

        (await laptop.RunAsync("admin", "update-table", "orders", "--schema-contract", "freeze")).Output.ShouldBe("Updated orders: schema_contract.\n");
        var tables = JsonNode.Parse((await laptop.RunAsync("admin", "list-tables", "--json")).Output)!;
        ((tables as JsonArray ?? tables["tables"]!.AsArray()).Single(table => (string?)table!["id"] == "orders")!["schema_contract"])?.GetValue<string>().ShouldBe("freeze");
        (await laptop.RunAsync("admin", "update-table", "orders", "--schema-contract", "thaw")).Errors.ShouldContain("must be one of evolve, freeze, discard");

        Directory.CreateDirectory(laptop.Workspace);
        await File.WriteAllTextAsync(Path.Combine(laptop.Workspace, "proposal.json"), """{"tables":{"orders":{"columns":{"total":{"basetype":"NUMERIC","description":"Gross, in EUR"}}}}}""", TestContext.Current.CancellationToken);
        (await laptop.RunAsync("admin", "metadata-apply", "proposal.json", "--dry-run")).Output.ShouldBe("orders:\n  total  NUMERIC  Gross, in EUR  (high)\n");
        (await laptop.RunAsync("admin", "metadata-show", "orders")).Output.ShouldBe("(none)\n");
        (await laptop.RunAsync("admin", "metadata-apply", "proposal.json", "--push-to-source")).Output.ShouldBe("orders: 1 column written.\norders: 1 column given to the source.\n");
        keboola.Metadata.Select(entry => (entry.Table, entry.Value)).ShouldBe([("in.c-crm.orders", "NUMERIC"), ("in.c-crm.orders", "Gross, in EUR")]);
        var shown = JsonNode.Parse((await laptop.RunAsync("admin", "metadata-show", "orders", "--json")).Output)!["columns"]![0]!;
        ((string?)shown["description"], (string?)shown["confidence"], (string?)shown["source"]).ShouldBe(("Gross, in EUR", "high", "ai_enrichment"));

        laptop.Environment["KEBOOLA_STORAGE_TOKEN"] = "a-token-that-is-wrong";
        var refused = await laptop.RunAsync("admin", "discover-and-register", "--dry-run");
        (refused.ExitCode, refused.Errors.Contains("does not take the token", StringComparison.Ordinal), refused.Errors.Contains("a-token-that-is-wrong", StringComparison.Ordinal)).ShouldBe((1, true, false), refused.Errors);
        server.Said.ShouldNotContain(KeboolaServer.Token);
    }

    private static async Task<string> SignInAsync(string url)
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsJsonAsync($"{url}/auth/token", new { email = "root@example.com", password = "a long password" }, TestContext.Current.CancellationToken);
        return (string)(await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!["access_token"]!;
    }
}
