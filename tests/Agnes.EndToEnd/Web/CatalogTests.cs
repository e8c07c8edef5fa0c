using System.Text.RegularExpressions;
using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

public sealed class CatalogTests(DemoServer server, Chromium chromium)
{
    [Fact]
    public async Task Lists_what_the_reader_may_see_and_nothing_else()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog");
        (await NamesAsync(window.Page)).ShouldBe(["customers", "order_items", "orders", "payments"]);
        (await window.Page.ContentAsync()).ShouldNotContain("campaigns");
        (await window.Page.ContentAsync()).ShouldNotContain("support_tickets");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Is_searched_by_name_description_and_column_with_and_without_script(bool scripts)
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"), new Look(Scripts: scripts));
        await window.GoAsync("/catalog");
        var search = window.Page.GetByRole(AriaRole.Searchbox);
        await search.FillAsync("order items");
        await search.PressAsync("Enter");
        await window.ArrivesAtAsync("/catalog?q=order+items**");
        (await NamesAsync(window.Page)).ShouldContain("order_items");
        await search.FillAsync("discount_amount");
        await search.PressAsync("Enter");
        await window.ArrivesAtAsync("/catalog?q=discount_amount**");
        (await NamesAsync(window.Page)).ShouldBe(["orders"]);
        if (scripts) await Assertions.Expect(search).ToBeFocusedAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Clear" }).ClickAsync();
        await Assertions.Expect(window.Page.Locator("tbody tr")).ToHaveCountAsync(4);
    }

    [Fact]
    public async Task Is_sorted_by_its_headings()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"), Look.WithoutScripts);
        await window.GoAsync("/catalog");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Rows" }).ClickAsync();
        await window.ArrivesAtAsync("/catalog?sort=-rows");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Columnheader, new() { Name = "Rows" })).ToHaveAttributeAsync("aria-sort", "descending");
        var rows = await RowsAsync(window.Page);
        rows.ShouldBe(rows.OrderDescending());
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Rows" }).ClickAsync();
        await window.ArrivesAtAsync("/catalog?sort=rows");
        rows = await RowsAsync(window.Page);
        rows.ShouldBe(rows.Order());
    }

    [Fact]
    public async Task Nonsense_in_the_address_is_the_plain_list()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        (await window.GoAsync("/catalog?sort=-';drop&page=-7&source=<b>&state=&q=")).Status.ShouldBe(200);
        (await window.GoAsync("/catalog?page=999999999999&sort=rows")).Status.ShouldBe(200);
        (await NamesAsync(window.Page)).Count.ShouldBe(4);
        var search = $"/catalog?q={Uri.EscapeDataString("<script>alert(1)</script>\"'")}";
        await window.GoAsync(search);
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("<script>alert(1)</script>\"'");
        window.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_shows_its_columns_its_sample_and_how_to_query_it()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/catalog/orders");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("orders");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Columns" })).ToContainTextAsync("total_amount");
        var sample = window.Page.GetByRole(AriaRole.Region, new() { Name = "Sample rows of orders" });
        await Assertions.Expect(sample.Locator("tbody tr")).ToHaveCountAsync(20);
        await Assertions.Expect(sample).ToContainTextAsync("ORD-0000001");
        await Assertions.Expect(window.Page.Locator("figure", new() { HasText = "agnes query \"SELECT * FROM orders LIMIT 10\"" })).ToHaveCountAsync(1);
        (await window.Page.ContentAsync()).ShouldNotContain("Granted to");
        window.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_sample_is_a_page_of_its_own_for_those_without_script()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"), Look.WithoutScripts);
        await window.GoAsync("/catalog/orders");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Show sample rows" }).ClickAsync();
        await window.ArrivesAtAsync("/catalog/orders/sample");
        await Assertions.Expect(window.Page.Locator("tbody tr")).ToHaveCountAsync(20);
    }

    [Fact]
    public async Task A_sample_that_fails_leaves_the_page_alone_and_can_be_tried_again()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.Page.RouteAsync("**/catalog/orders/sample", route => route.FulfillAsync(new() { Status = 429, ContentType = "text/html", Body = "<p data-error-message>All query workers are busy.</p>" }));
        await window.GoAsync("/catalog/orders");
        await Assertions.Expect(window.Page.GetByText("All query workers are busy.")).ToBeVisibleAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Columns" })).ToContainTextAsync("total_amount");
        await window.Page.UnrouteAllAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Sample rows of orders" })).ToContainTextAsync("ORD-0000001");
    }

    [Fact]
    public async Task Copy_buttons_put_the_command_on_the_clipboard_and_say_so()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.Context.GrantPermissionsAsync(["clipboard-write"]);
        await window.GoAsync("/catalog/orders");
        var button = window.Page.GetByRole(AriaRole.Button, new() { Name = "Copy: the pull command" });
        await button.ClickAsync();
        await Assertions.Expect(button).ToContainTextAsync("Copied");
        await Assertions.Expect(window.Page.Locator("#toasts")).ToContainTextAsync("Copied to the clipboard.");
        // Pasted, since no script of ours may read the clipboard.
        await window.Page.EvaluateAsync("() => { const field = document.createElement('textarea'); field.id = 'pasted'; document.body.append(field); field.focus(); }");
        await window.Page.Keyboard.PressAsync("Control+V");
        await Assertions.Expect(window.Page.Locator("#pasted")).ToHaveValueAsync("agnes pull");
    }

    [Fact]
    public async Task A_table_is_found_by_name_in_any_case_and_its_groups_are_told_to_admins_only()
    {
        await using var window = await chromium.OpenAsync(server, await server.AdminAsync());
        await window.GoAsync("/catalog/ORDERS");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("orders");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Region, new() { Name = "Details" })).ToContainTextAsync("Granted tofinance");
    }

    [Theory]
    [InlineData("/catalog/{0}")]
    [InlineData("/catalog/{0}/sample")]
    public async Task A_hidden_table_is_no_different_from_one_that_never_was(string path)
    {
        using var client = await server.ClientAsync(await server.AnalystAsync("finance"));
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var hidden = await BodyAsync(client, string.Format(path, "support_tickets"), "support_tickets");
        var never = await BodyAsync(client, string.Format(path, "never_existing_"), "never_existing_");
        var granted = await BodyAsync(client, string.Format(path, "products"), "products");
        hidden.ShouldBe(never);
        granted.ShouldBe(never, "a table of another group is hidden too");
        hidden.ShouldStartWith("404 ");
    }

    private static async Task<string> BodyAsync(HttpClient client, string path, string name)
    {
        using var response = await client.GetAsync(path);
        var reference = response.Headers.GetValues("x-request-id").Single();
        var headers = string.Join('\n', response.Headers.Where(header => !header.Key.Equals("Date", StringComparison.OrdinalIgnoreCase) && !header.Key.Equals("x-request-id", StringComparison.OrdinalIgnoreCase)).Select(header => $"{header.Key}: {string.Join(',', header.Value)}"));
        var body = await response.Content.ReadAsStringAsync();
        return $"{(int)response.StatusCode} {headers}\n{body.Replace(name, "NAME", StringComparison.Ordinal).Replace(reference, "REFERENCE", StringComparison.Ordinal)}";
    }

    private static async Task<IReadOnlyList<string>> NamesAsync(IPage page) => await page.Locator("tbody th a").AllInnerTextsAsync();

    private static async Task<List<int>> RowsAsync(IPage page) =>
        [.. (await page.Locator("tbody td[data-label=Rows]").AllInnerTextsAsync()).Select(text => int.Parse(Regex.Replace(text, "[^0-9]", "")))];
}
