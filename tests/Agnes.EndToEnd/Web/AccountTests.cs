using System.Net;
using System.Net.Http.Headers;
using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

public sealed class AccountTests(DemoServer server, Chromium chromium)
{
    [Fact]
    public async Task A_token_is_made_shown_once_works_and_is_revoked()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("marketing"));
        await window.GoAsync("/tokens");
        var name = $"Laptop {Guid.NewGuid():N}";
        await window.Page.GetByLabel("Name").FillAsync(name);
        await window.Page.GetByLabel("Good for").SelectOptionAsync("30");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Create token" }).ClickAsync();
        var created = window.Page.GetByRole(AriaRole.Region, new() { Name = "Your new token" });
        await Assertions.Expect(created).ToBeFocusedAsync();
        var token = await created.Locator("code").First.InnerTextAsync();
        (await created.Locator("code").Last.InnerTextAsync()).ShouldBe($"agnes init --server-url {await server.UrlAsync()} --token {token}");
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty();
        (await StatusAsync(token)).ShouldBe(HttpStatusCode.OK);

        await window.GoAsync("/tokens");
        (await window.Page.ContentAsync()).ShouldNotContain(token);
        var row = window.Page.Locator("tbody tr", new() { HasText = name });
        await row.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        var question = window.Page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(question).ToContainTextAsync(name);
        await question.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        (await StatusAsync(token)).ShouldBe(HttpStatusCode.OK);
        await row.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await question.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Assertions.Expect(row).ToHaveCountAsync(0);
        (await StatusAsync(token)).ShouldBe(HttpStatusCode.Unauthorized);
        await window.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("Show .* ended") }).ClickAsync();
        await Assertions.Expect(row).ToContainTextAsync("Revoked");
        window.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_wrong_with_a_form_is_said_in_it()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("marketing"));
        await window.GoAsync("/profile");
        await window.Page.GetByLabel("Current password").FillAsync("surely not this");
        await window.Page.GetByLabel("New password").FillAsync("something long enough");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The current password is not right.");
        await Assertions.Expect(window.Page.GetByLabel("New password")).ToHaveValueAsync("something long enough");
    }

    [Fact]
    public async Task The_profile_says_which_group_opens_which_table()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("marketing"));
        await window.GoAsync("/profile");
        var row = window.Page.Locator("tbody tr", new() { HasText = "marketing" });
        (await row.GetByRole(AriaRole.Link).AllInnerTextsAsync()).ShouldBe(["campaigns", "products", "web_leads", "web_sessions"]);
    }

    [Fact]
    public async Task Home_counts_what_one_may_read_and_gives_three_commands()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("marketing"));
        await window.GoAsync("/dashboard");
        await Assertions.Expect(window.Page.Locator(".stats")).ToContainTextAsync("Tables4");
        var commands = await window.Page.Locator(".steps code").AllInnerTextsAsync();
        commands.Count.ShouldBe(3);
        commands[0].ShouldBe($"agnes init --server-url {await server.UrlAsync()} --token YOUR_TOKEN");
        (await window.Page.Locator("[data-running], [aria-labelledby=runs-title]").CountAsync()).ShouldBe(0, "runs are for admins");
    }

    private async Task<HttpStatusCode> StatusAsync(string token)
    {
        using var client = await server.ClientAsync();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await client.GetAsync("/api/catalog/tables");
        return response.StatusCode;
    }
}
