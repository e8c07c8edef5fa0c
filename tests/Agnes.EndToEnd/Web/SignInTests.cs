using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

public sealed class SignInTests(DemoServer server, Chromium chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_person_is_sent_to_sign_in_and_comes_back_to_where_they_wanted_to_go(bool scripts)
    {
        var person = await server.AnalystAsync("finance");
        await using var window = await chromium.OpenAsync(server, look: new Look(Scripts: scripts));
        await window.GoAsync("/catalog?q=order&sort=-rows");
        new Uri(window.Page.Url).PathAndQuery.ShouldBe($"/login?next={Uri.EscapeDataString("/catalog?q=order&sort=-rows")}");
        await FillAsync(window.Page, person.Email, person.Password);
        await window.ArrivesAtAsync("/catalog?q=order&sort=-rows");
        (await window.Page.GetByRole(AriaRole.Link, new() { Name = "orders", Exact = true }).CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task The_keyboard_alone_leads_from_the_first_page_to_the_start()
    {
        var person = await server.AnalystAsync("finance");
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync("/login"); // with one way to sign in, its form is the page
        await Assertions.Expect(window.Page.GetByLabel("Email")).ToBeFocusedAsync(); // nobody has to look for the first field
        await window.Page.Keyboard.TypeAsync(person.Email);
        await window.Page.Keyboard.PressAsync("Tab");
        await window.Page.Keyboard.TypeAsync(person.Password);
        await window.Page.Keyboard.PressAsync("Enter");
        await window.ArrivesAtAsync("/dashboard");
        window.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_wrong_password_is_said_and_the_wanted_page_is_not_forgotten()
    {
        var person = await server.AnalystAsync("finance");
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync("/login/password?next=/tokens");
        await FillAsync(window.Page, person.Email, "not the password");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Email or password is not right.");
        await FillAsync(window.Page, person.Email, person.Password);
        await window.ArrivesAtAsync("/tokens");
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("\\/evil.example")]
    public async Task Nobody_is_sent_to_another_site(string next)
    {
        var person = await server.AnalystAsync("finance");
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync($"/login/password?next={Uri.EscapeDataString(next)}");
        await FillAsync(window.Page, person.Email, person.Password);
        await window.ArrivesAtAsync("/dashboard");
    }

    [Fact]
    public async Task Who_is_signed_in_is_not_asked_again()
    {
        await using var window = await chromium.OpenAsync(server, await server.AnalystAsync("finance"));
        await window.GoAsync("/login?next=/profile");
        new Uri(window.Page.Url).AbsolutePath.ShouldBe("/profile");
        await window.GoAsync("/");
        new Uri(window.Page.Url).AbsolutePath.ShouldBe("/dashboard");
    }

    [Fact]
    public async Task Words_in_the_address_never_become_words_on_the_page()
    {
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync("/login?error=Call+us+at+555-1234");
        (await window.Page.ContentAsync()).ShouldNotContain("555-1234");
        (await window.Page.GetByRole(AriaRole.Alert).CountAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("deactivated", "This account is deactivated")]
    [InlineData("not_in_allowed_group", "not in a group")]
    [InlineData("domain_not_allowed", "domain is not allowed")]
    public async Task Known_codes_are_explained(string code, string words)
    {
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync($"/login?error={code}");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync(words);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_of_this_browser()
    {
        var person = await server.AnalystAsync("marketing"); // with a session of its own: the one that tests share must live on
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync("/login/password");
        await FillAsync(window.Page, person.Email, person.Password);
        await window.ArrivesAtAsync("/dashboard");
        await window.Page.GotoAsync($"{await server.UrlAsync()}/profile/devices");
        await Assertions.Expect(window.Page.GetByText("This one")).ToBeVisibleAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("account of") }).ClickAsync();
        await window.Page.Locator("#user-menu").GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await window.ArrivesAtAsync("/login");
        await window.GoAsync("/dashboard");
        new Uri(window.Page.Url).AbsolutePath.ShouldBe("/login");
    }

    [Fact]
    public async Task An_invited_person_sets_a_password_and_is_in()
    {
        var email = $"new-{Guid.NewGuid():N}@example.com";
        var link = await InviteAsync(email);
        await using var window = await chromium.OpenAsync(server);
        await window.GoAsync(link);
        await window.Page.GetByLabel("Your name").FillAsync("Nora New");
        await window.Page.GetByLabel("New password").FillAsync("long enough for us");
        await window.Page.GetByLabel("The same again").FillAsync("not the same as that");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set password" }).ClickAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not the same");
        await window.Page.GetByLabel("New password").FillAsync("long enough for us");
        await window.Page.GetByLabel("The same again").FillAsync("long enough for us");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set password" }).ClickAsync();
        await window.ArrivesAtAsync("/dashboard");
        await window.GoAsync("/profile");
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).Not.ToBeEmptyAsync();
        window.Problems.ShouldBeEmpty();
    }

    private static async Task FillAsync(IPage page, string email, string password)
    {
        await page.GetByLabel("Email").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    private async Task<string> InviteAsync(string email)
    {
        using var client = await server.ClientAsync(await server.AdminAsync());
        using var response = await client.PostAsync("/api/users", new StringContent($$"""{"email":"{{email}}","name":"Invited","send_invite":true}""", System.Text.Encoding.UTF8, "application/json"));
        var body = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        return new Uri((string)body["invite_url"]!).PathAndQuery;
    }
}
