using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

public sealed class ShellTests(DemoServer server, Chromium chromium)
{
    [Fact]
    public async Task Links_swap_the_content_without_loading_everything_again_and_back_works()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog?sort=-rows");
        await window.Page.EvaluateAsync("() => { window.sameDocument = true; }");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "orders", Exact = true }).ClickAsync();
        await window.ArrivesAtAsync("/catalog/orders");
        await Assertions.Expect(window.Page).ToHaveTitleAsync("orders · Agnes");
        await Assertions.Expect(window.Page.Locator("main")).ToBeFocusedAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Navigation, new() { Name = "Main" }).GetByRole(AriaRole.Link, new() { Name = "Catalog" })).ToHaveAttributeAsync("aria-current", "page");
        await window.Page.GoBackAsync();
        await Assertions.Expect(window.Page).ToHaveTitleAsync("Catalog · Agnes");
        new Uri(window.Page.Url).Query.ShouldBe("?sort=-rows");
        (await window.Page.EvaluateAsync<bool>("() => window.sameDocument === true")).ShouldBeTrue();
        window.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_that_ended_leads_to_the_sign_in_page()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        await window.Context.ClearCookiesAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Home" }).ClickAsync();
        await window.ArrivesAtAsync("/login?next=%2Fdashboard");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Sign in with your password");
    }

    [Fact]
    public async Task The_chosen_colours_are_there_with_the_first_byte_of_the_next_page()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        var background = await BackgroundAsync(window.Page);
        var toggle = window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Colours:") });
        await toggle.ClickAsync();
        await toggle.ClickAsync();
        await Assertions.Expect(window.Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await Assertions.Expect(window.Page.Locator("html")).Not.ToHaveCSSAsync("background-color", background); // a transition, however short, ends a frame later
        var response = await window.GoAsync("/profile");
        (await response.TextAsync()).ShouldContain("<html lang=\"en\" data-theme=\"dark\">");
        await toggle.ClickAsync();
        response = await window.GoAsync("/profile");
        (await response.TextAsync()).ShouldContain("<html lang=\"en\">");
        await Assertions.Expect(window.Page.Locator("html")).ToHaveCSSAsync("background-color", background);
    }

    [Fact]
    public async Task A_made_up_theme_is_ignored()
    {
        using var client = await server.ClientAsync();
        client.DefaultRequestHeaders.Add("Cookie", "agnes_theme=\"><script>");
        (await client.GetStringAsync("/login")).ShouldContain("<html lang=\"en\">");
    }

    [Fact]
    public async Task On_a_phone_the_menu_opens_and_rows_become_cards()
    {
        await using var window = await chromium.OpenAsync(server, await server.AdminAsync(), Look.Phone);
        await window.GoAsync("/catalog");
        var navigation = window.Page.GetByRole(AriaRole.Navigation, new() { Name = "Main" });
        await Assertions.Expect(navigation).ToBeHiddenAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Menu" }).ClickAsync();
        await Assertions.Expect(navigation).ToBeVisibleAsync();
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty();
        await navigation.GetByRole(AriaRole.Link, new() { Name = "Syncs" }).ClickAsync();
        await window.ArrivesAtAsync("/admin/sync");
        await window.GoAsync("/catalog");
        (await window.Page.Locator("tbody td[data-label=Rows]").First.EvaluateAsync<string>("cell => getComputedStyle(cell, '::before').content")).ShouldBe("\"Rows\"");
    }

    [Fact]
    public async Task Losing_the_network_is_said()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        var banner = window.Page.GetByText("You are offline.");
        await Assertions.Expect(banner).ToBeHiddenAsync();
        await window.Context.SetOfflineAsync(true);
        await Assertions.Expect(banner).ToBeVisibleAsync();
        await window.Context.SetOfflineAsync(false);
        await Assertions.Expect(banner).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Times_are_relative_with_the_absolute_time_at_hand()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"), Look.WithoutScripts);
        await window.GoAsync("/catalog");
        var time = window.Page.Locator("tbody time").First;
        (await time.GetAttributeAsync("datetime"))!.ShouldMatch(@"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z");
        (await time.GetAttributeAsync("title"))!.ShouldEndWith("UTC");
        (await time.InnerTextAsync()).ShouldMatch("ago|just now");
    }

    [Fact]
    public async Task Analysts_see_no_way_into_administration_and_are_refused_at_its_door()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/dashboard");
        (await window.Page.ContentAsync()).ShouldNotContain("/admin/");
        var response = await window.GoAsync("/admin/sync");
        response.Status.ShouldBe(403);
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Forbidden");
        await Assertions.Expect(window.Page.Locator("main")).ToContainTextAsync(response.Headers["x-request-id"]);
    }

    private static Task<string> BackgroundAsync(IPage page) => page.EvaluateAsync<string>("() => getComputedStyle(document.documentElement).backgroundColor");
}
