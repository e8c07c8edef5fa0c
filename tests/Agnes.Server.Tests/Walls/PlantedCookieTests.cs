using Agnes.Emulators.OAuth;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.SignIn;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>Another host of the domain can plant cookies, and so put a person into its own account. Not here.</summary>
public sealed class PlantedCookieTests(Postgres postgres)
{
    private const string SignIn = $"email={TestServer.AdminEmail}&password={TestServer.AdminPassword}";

    [Fact]
    public async Task Of_two_cookies_with_one_name_none_counts()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var (mine, other) = (await server.SignInAsync(), await server.SignInAsync());
        foreach (var cookies in (string[][])[[$"access_token={mine}; access_token={other}"], [$"access_token={other}; access_token={mine}"], [$"a=b; access_token={mine}; access_token="], [$"access_token={mine}", $"access_token={other}"]])
        {
            var answer = await server.SendAsync("GET", "/auth/me", change: request => request.Headers.TryAddWithoutValidation("Cookie", cookies));
            (answer.Status, answer.Text("detail")).ShouldSatisfyAllConditions(
                refused => refused.Status.ShouldBe(401, string.Join(" | ", cookies)), refused => refused.Item2.ShouldContain("delete the cookies"));
        }

        // A name in other letters is another name; and one is read as ever.
        (await AsAsync(server, $"Access_Token={other}; access_token={mine}")).ShouldBe(200);
        (await AsAsync(server, $"access_token={mine}")).ShouldBe(200);
    }

    [Fact]
    public async Task Where_people_come_by_https_the_session_has_a_name_that_no_other_host_can_set()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { Domain = "agnes.example.com" });
        var set = (await server.SendAsync("POST", "/auth/password/login/web", SignIn)).Header("Set-Cookie")!;
        set.ShouldStartWith("__Host-access_token=eyJ");
        set.ShouldSatisfyAllConditions(text => text.ShouldContain("; path=/;"), text => text.ShouldContain("; secure"), text => text.ShouldContain("; httponly"), text => text.ShouldNotContain("domain"));
        var mine = set["__Host-access_token=".Length..set.IndexOf(';', StringComparison.Ordinal)];
        var planted = await server.SignInAsync();

        // The protected one counts, whatever else is there and in whatever order.
        foreach (var cookies in (string[])[$"__Host-access_token={mine}; access_token=planted", $"access_token=planted; __Host-access_token={mine}", $"access_token=a; access_token=b; __Host-access_token={mine}"])
        {
            (await AsAsync(server, cookies)).ShouldBe(200, cookies);
        }

        (await AsAsync(server, $"__Host-access_token={mine}; __Host-access_token={planted}")).ShouldBe(401);

        // Who is not signed in is not put into the account of who planted one; a program says what it likes.
        (await AsAsync(server, $"access_token={planted}", browser: true)).ShouldBe(401);
        (await AsAsync(server, $"access_token={planted}")).ShouldBe(200);

        // Signing out takes both names away, and a write with the cookie still has to come from this site.
        var gone = (await server.SendAsync("POST", "/auth/logout", change: request =>
        {
            request.Headers.Add("Cookie", $"__Host-access_token={mine}");
            request.Headers.Add("Sec-Fetch-Site", "same-origin");
        })).Header("Set-Cookie")!;
        (gone.Contains("__Host-access_token=; max-age=0", StringComparison.Ordinal), gone.StartsWith("access_token=; max-age=0", StringComparison.Ordinal)).ShouldBe((true, true));
        (await server.SendAsync("DELETE", "/auth/tokens/x", change: request => request.Headers.Add("Cookie", $"__Host-access_token={planted}"))).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_sign_in_under_way_at_an_issuer_is_not_taken_over_by_a_second_state()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => IssuerWorld.With(options, issuer));
        var visit = new SignInVisit(issuer, server);
        issuer.Person = new Person("s", "ana@example.com");
        var (state, callback) = await visit.GoAsync("oidc");
        (await visit.ComeBackAsync(callback, $"other; session={state}")).Header("Location").ShouldBe("/login?error=oauth_failed");
        SignInVisit.SessionOf(await visit.ComeBackAsync(callback, state)).ShouldNotBeNull();
    }

    private static async Task<int> AsAsync(TestServer server, string cookies, bool browser = false) => (await server.SendAsync("GET", "/auth/me", change: request =>
    {
        request.Headers.Add("Cookie", cookies);
        if (browser) request.Headers.Add("Sec-Fetch-Site", "same-origin");
    })).Status;
}
