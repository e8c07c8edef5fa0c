using System.Text.RegularExpressions;
using Agnes.EndToEnd.Fixtures;
using Microsoft.Playwright;

namespace Agnes.EndToEnd.Web;

/// <summary>What holds for each page, whoever looks at it and how.</summary>
public sealed partial class EveryPageTests(DemoServer server, EveryPageTests.Walks walks) : IClassFixture<EveryPageTests.Walks>
{
    private const int TabStopsLookedAt = 12;
    private const string Missing = "/there/is/nothing/here";

    public static TheoryData<string, string> Pages => new()
    {
        { "", "/login" },
        { "", "/login?error=oauth_failed" },
        { "", "/login/password?error=invalid" },
        { "", "/login/password?msg=password_reset" },
        { "", "/login/password?error=locked&retry=29" },
        { "", "/auth/password/setup?email=a@example.com&token=x&error=mismatch" },
        { "", "/auth/password/reset?email=a@example.com&token=x" },
        { "", "/auth/email/verify?email=a@example.com&token=x" },
        { "", "/login/reset" },
        { "", "/setup" },
        { "", Missing },
        { "finance", "/dashboard" },
        { "finance", "/catalog" },
        { "finance", "/catalog?q=order&sort=-rows&state=fresh" },
        { "finance", "/catalog?q=matches-nothing" },
        { "finance", "/catalog/orders" },
        { "finance", "/catalog/orders/sample" },
        { "finance", "/catalog/products" },
        { "finance", "/business-metrics" },
        { "finance", "/business-metrics/revenue/total_revenue" },
        { "finance", "/verified-queries/sales/top_customers" },
        { "finance", "/setup" },
        { "finance", "/tokens" },
        { "finance", "/profile" },
        { "finance", "/admin/tables" },
        { "finance", "/auth/logout" },
        { "finance", "/profile/devices" },
        { "finance", "/desktop/link" },
        { "admin", "/dashboard" },
        { "admin", "/catalog" },
        { "admin", "/catalog/orders" },
        { "admin", "/tokens" },
        { "admin", "/profile" },
        { "admin", "/admin/tables" },
        { "admin", "/first-time-setup" },
        { "admin", "/admin/sync" },
        { "admin", "/admin/workspace-prompt" },
        { "admin", "/admin/agent-prompt" },
        { "admin", "/admin/metric-check" },
        { "admin", Missing },
    };

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Can_be_used_by_everybody_in_light_and_dark_and_on_a_phone_and_breaks_no_rule(string who, string path)
    {
        var window = await walks.OfAsync(who);
        var response = await window.GoAsync(path);
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty("light");
        (await UnseenFocusAsync(window.Page)).ShouldBeNull();
        await window.ChangeAsync(Look.Dark);
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty("dark");
        await window.ChangeAsync(Look.Phone);
        (await window.OverflowAsync()).ShouldBeEmpty("phone");
        (await window.AccessibilityProblemsAsync()).ShouldBeEmpty("phone");

        // The browser itself reports a page that is an error; everything else is a fault of ours.
        window.Problems.Where(problem => response.Ok || !problem.Contains("the server responded with a status of", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Holds_nothing_inline_and_nothing_from_elsewhere(string who, string path)
    {
        using var client = await ClientAsync(who);
        using var response = await client.GetAsync(path);
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldStartWith("<!DOCTYPE html>");
        Inline().Matches(html).Select(match => match.Value).ShouldBeEmpty();
        Elsewhere().Matches(html).Select(match => match.Value).ShouldBeEmpty();
        Title().Match(html).Groups[1].Value.ShouldNotBeEmpty();
        H1().Count(html).ShouldBe(1);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("default-src 'none'; script-src 'self'; style-src 'self';");
        response.Headers.CacheControl!.ToString().ShouldBe("no-store");
        response.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");
        response.Headers.GetValues("Referrer-Policy").Single().ShouldBe("same-origin");
    }

    [Fact]
    public async Task Serves_its_scripts_and_styles_under_names_that_change_with_their_content()
    {
        using var client = await server.ClientAsync();
        var html = await client.GetStringAsync("/login");
        var addresses = Asset().Matches(html).Select(match => match.Value).ToList();
        addresses.Count.ShouldBe(2);
        foreach (var address in addresses)
        {
            using var response = await client.GetAsync(address);
            response.EnsureSuccessStatusCode();
            (await response.Content.ReadAsStringAsync()).Length.ShouldBeGreaterThan(1000);
        }

        var script = await client.GetByteArrayAsync(addresses.Single(address => address.EndsWith(".js", StringComparison.Ordinal)));
        script.Length.ShouldBeLessThan(120_000, "what a page transfers of scripts is limited");
    }

    /// <summary>The first element that the tab key reaches without anything to see.</summary>
    private static async Task<string?> UnseenFocusAsync(IPage page)
    {
        await page.EvaluateAsync("() => document.activeElement?.blur()");
        for (var step = 0; step < TabStopsLookedAt; step++)
        {
            await page.Keyboard.PressAsync("Tab");
            var unseen = await page.EvaluateAsync<string?>(
                """
                () => { const e = document.activeElement; if (!e || e === document.body) return null; const s = getComputedStyle(e), r = e.getBoundingClientRect();
                  return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && r.width > 0 && r.height > 0 ? null : e.outerHTML.slice(0, 120); }
                """);
            if (unseen is not null) return unseen;
        }

        return null;
    }

    private async Task<HttpClient> ClientAsync(string who)
    {
        var client = await server.ClientAsync(await walks.PersonAsync(who));
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        return client;
    }

    /// <summary>One window for each person, in which that person goes from page to page.</summary>
    public sealed class Walks(DemoServer server, Chromium chromium) : IAsyncLifetime
    {
        private readonly Dictionary<string, Window> _windows = new(StringComparer.Ordinal); // tests of a class run one after the other

        /// <summary>The window, as wide and light as at first, and without what was found on earlier pages.</summary>
        /// <param name="who">As in <see cref="Pages"/>.</param>
        public async Task<Window> OfAsync(string who)
        {
            if (!_windows.TryGetValue(who, out var window)) return _windows[who] = await chromium.OpenAsync(server, await PersonAsync(who));
            await window.StartAnewAsync(Look.Desktop);
            return window;
        }

        public async Task<Person?> PersonAsync(string who) => who switch
        {
            "" => null,
            "admin" => await server.AdminAsync(),
            _ => await server.AnalystAsync(who),
        };

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public async ValueTask DisposeAsync()
        {
            foreach (var window in _windows.Values) await window.DisposeAsync();
        }
    }

    [GeneratedRegex("""<script(?![^>]*\ssrc=)[^>]*>|<style\b[^>]*>|\sstyle="[^"]*"|\son\w+="[^"]*"|javascript:""", RegexOptions.IgnoreCase)]
    private static partial Regex Inline();

    [GeneratedRegex("""(?:src|href|action)="(?:https?:)?//[^"]*" """, RegexOptions.IgnoreCase | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Elsewhere();

    [GeneratedRegex("<title>([^<]*)</title>")]
    private static partial Regex Title();

    [GeneratedRegex("<h1[ >]")]
    private static partial Regex H1();

    [GeneratedRegex(@"/dist/site\.[a-z0-9]{8,}\.(?:js|css)")]
    private static partial Regex Asset();
}
