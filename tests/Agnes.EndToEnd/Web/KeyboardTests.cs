using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

public sealed class KeyboardTests(DemoServer server, Chromium chromium)
{
    [Fact]
    public async Task The_first_tab_stop_skips_to_the_content()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        await window.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to content" })).ToBeFocusedAsync();
        await window.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(window.Page.Locator("main")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Slash_goes_to_the_search_and_from_other_pages_to_the_catalog()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/dashboard");
        await window.Page.Keyboard.PressAsync("/");
        await window.ArrivesAtAsync("/catalog");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
        await window.Page.Keyboard.TypeAsync("g c ? / j");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("g c ? / j");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Two_keys_go_places_and_rows_are_walked_with_j_and_k()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/profile");
        await window.Page.Keyboard.PressAsync("g");
        await window.Page.Keyboard.PressAsync("c");
        await window.ArrivesAtAsync("/catalog");
        foreach (var key in "jjjk") await window.Page.Keyboard.PressAsync($"{key}");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "order_items" })).ToBeFocusedAsync();
        await window.Page.Keyboard.PressAsync("Enter");
        await window.ArrivesAtAsync("/catalog/order_items");
        await window.Page.Keyboard.PressAsync("g");
        await window.Page.Keyboard.PressAsync("h");
        await window.ArrivesAtAsync("/dashboard");
    }

    [Fact]
    public async Task The_sheet_of_shortcuts_opens_closes_and_switches_them_off()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        await window.Page.Keyboard.PressAsync("?");
        var sheet = window.Page.GetByRole(AriaRole.Dialog, new() { Name = "Keyboard shortcuts" });
        await Assertions.Expect(sheet).ToBeVisibleAsync();
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty();
        await window.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(sheet).ToBeHiddenAsync();
        await window.Page.Keyboard.PressAsync("?");
        await sheet.GetByRole(AriaRole.Checkbox).UncheckAsync();
        await window.Page.Keyboard.PressAsync("Escape");
        await window.Page.Keyboard.PressAsync("?");
        await window.Page.Keyboard.PressAsync("j");
        await Assertions.Expect(sheet).ToBeHiddenAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "customers" })).Not.ToBeFocusedAsync();
        await window.Page.ReloadAsync();
        await window.Page.Keyboard.PressAsync("?");
        await Assertions.Expect(sheet).ToBeHiddenAsync();
    }

    [Fact]
    public async Task The_account_menu_works_by_keyboard_and_gives_the_focus_back()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        var button = window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("account of") });
        await button.FocusAsync();
        await window.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-expanded", "true");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Profile and access" })).ToBeFocusedAsync();
        await window.Page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Access tokens" })).ToBeFocusedAsync();
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty();
        await window.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(button).ToBeFocusedAsync();
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-expanded", "false");
    }
}
