using Agnes.Emulators.OAuth;
using Agnes.EndToEnd.Fixtures;
using Agnes.Testing;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

/// <summary>Sign-in through an issuer, as a browser does it: two sites, redirects, cookies, and the content security policy.</summary>
public sealed class IssuerTests(Chromium chromium)
{
    [Fact]
    public async Task A_person_signs_in_at_the_issuer_comes_back_and_sees_and_ends_their_sessions()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        using var data = new TemporaryFolder();
        await using var server = Processes.Start([Processes.Program("agnes-server"), "--data-dir", data.Path, "--urls", "http://127.0.0.1:0"], new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["OIDC_ISSUER"] = issuer.Address,
            ["OIDC_CLIENT_ID"] = issuer.ClientId,
            ["OIDC_CLIENT_SECRET"] = issuer.ClientSecret,
            ["OIDC_NAME"] = "Example SSO",
            ["AGNES_ALLOWED_DOMAINS"] = "example.com",
            ["AGNES_MEMORY"] = "512MiB",
        });
        var url = await server.UrlAsync();
        await using var laptop = await SignedInAsync(url);
        await using var phone = await SignedInAsync(url);
        await laptop.GoAsync("/profile/devices");
        await Assertions.Expect(laptop.Page.GetByText("Single sign-on")).ToHaveCountAsync(2);
        await Assertions.Expect(laptop.Page.GetByText("This one")).ToHaveCountAsync(1);
        await laptop.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^End the session") }).ClickAsync();
        await laptop.Page.Locator("#confirm [data-yes]").ClickAsync();
        await Assertions.Expect(laptop.Page.GetByText("Single sign-on")).ToHaveCountAsync(1);
        await phone.GoAsync("/dashboard");
        new Uri(phone.Page.Url).AbsolutePath.ShouldBe("/login");
        laptop.Problems.ShouldBeEmpty();
        phone.Problems.ShouldBeEmpty();
    }

    private async Task<Window> SignedInAsync(string url)
    {
        var window = await chromium.OpenAsync(url);
        await window.GoAsync("/profile");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Example SSO" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await window.ArrivesAtAsync("/profile");
        return window;
    }
}
