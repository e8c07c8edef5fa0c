using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

public sealed class SyncPageTests(DemoServer server, Chromium chromium)
{
    [Fact]
    public async Task A_run_is_started_followed_and_looked_at_without_reloading()
    {
        await using var window = await chromium.OpenAsync(server, await server.AdminAsync());

        // The page holds a stream open, so the network is never idle.
        await window.Page.GotoAsync("/admin/sync");
        var rows = window.Page.GetByRole(AriaRole.Region, new() { Name = "Runs" }).Locator("tbody tr");
        var before = await rows.CountAsync();
        await window.Page.EvaluateAsync("() => { window.sameDocument = true; }");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await Assertions.Expect(window.Page.Locator("#toasts")).ToContainTextAsync("The sync has started.");
        await Assertions.Expect(rows).ToHaveCountAsync(before + 1);
        await Assertions.Expect(rows.First).ToContainTextAsync("Done");
        await rows.First.GetByRole(AriaRole.Link).ClickAsync();
        await window.ArrivesAtAsync("/admin/sync/*");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Tables" })).ToBeVisibleAsync();
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty();
        (await window.Page.EvaluateAsync<bool>("() => window.sameDocument === true")).ShouldBeTrue();
        window.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_that_never_was_is_not_found()
    {
        await using var window = await chromium.OpenAsync(server, await server.AdminAsync());
        (await window.Page.GotoAsync("/admin/sync/no-such-run"))!.Status.ShouldBe(404);
    }

    [Fact]
    public async Task The_list_of_tables_says_where_each_comes_from_and_who_was_granted_it()
    {
        await using var window = await chromium.OpenAsync(server, await server.AdminAsync());
        await window.GoAsync("/admin/tables?q=support");
        var row = window.Page.Locator("tbody tr");
        await Assertions.Expect(row).ToHaveCountAsync(1);
        await Assertions.Expect(row.Locator("td[data-label=Groups]")).ToHaveTextAsync("0");
        await Assertions.Expect(row.Locator("td[data-label=Source]")).ToHaveTextAsync("sample");
    }
}
