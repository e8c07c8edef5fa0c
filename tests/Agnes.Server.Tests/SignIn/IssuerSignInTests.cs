using Agnes.Emulators.OAuth;
using Agnes.Server.Features.SignIn.Providers.OpenId;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.SignIn;

/// <summary>Who comes in through an issuer, and above all who does not.</summary>
[Collection("issuer")]
public sealed class IssuerSignInTests(IssuerWorld world, Postgres postgres)
{
    private static int _people;

    [Theory]
    [InlineData("google", "RS256", true)]
    [InlineData("google", "ES256", false)]
    [InlineData("oidc", "RS256", false)]
    public async Task A_person_of_the_company_comes_in_and_is_led_on(string provider, string algorithm, bool emailInIdToken)
    {
        var visit = await world.VisitAsync(postgres);
        var person = NewPerson();
        (visit.Issuer.Person, visit.Issuer.Algorithm, visit.Issuer.EmailInIdToken) = (person, algorithm, emailInIdToken);
        var answer = await visit.SignInAsync(provider, "/catalog?q=a");
        (answer.Status, answer.Header("Location")).ShouldBe((302, "/catalog?q=a"));
        answer.Header("Cache-Control").ShouldBe("no-store");
        var me = await visit.Server.SendAsync("GET", "/auth/me", token: SignInVisit.SessionOf(answer));
        (me.Text("email"), me.Text("name"), me.Json["is_admin"]!.GetValue<bool>()).ShouldBe((person.Email!, "Pat Person", false));
        visit.GroupsOf(person.Email!).ShouldBe(["Everyone by system_seed"]);

        // The second time they are the same user.
        var again = await visit.SignInAsync(provider);
        again.Header("Location").ShouldBe("/dashboard");
        (await visit.Server.SendAsync("GET", "/auth/me", token: SignInVisit.SessionOf(again))).Text("id").ShouldBe(me.Text("id"));
        (await visit.Server.AuditAsync()).Where(row => row.UserId == me.Text("id")).Select(row => row.Action).ShouldBe(["user.create", "login", "login"]);
    }

    [Theory]
    [InlineData(Lie.Expired, "is expired")]
    [InlineData(Lie.IssuedInTheFuture, "was not issued just now")]
    [InlineData(Lie.WrongSignature, "is not signed by a key")]
    [InlineData(Lie.AlgNone, "is not signed by a key")]
    [InlineData(Lie.SignedWithClientSecret, "is not signed by a key")]
    [InlineData(Lie.WrongAudience, "is for another client")]
    [InlineData(Lie.SecondAudience, "was issued to another client")]
    [InlineData(Lie.WrongIssuer, "is of another issuer")]
    [InlineData(Lie.WrongNonce, "belongs to another sign-in")]
    [InlineData(Lie.NoNonce, "belongs to another sign-in")]
    [InlineData(Lie.NoSubject, "names no subject")]
    [InlineData(Lie.OtherUserinfo, "speaks of somebody else")]
    public async Task A_lie_in_the_id_token_lets_nobody_in_and_is_found_for_what_it_is(Lie lie, string reason)
    {
        var visit = await world.VisitAsync(postgres);
        (visit.Issuer.Person, visit.Issuer.Lie) = (NewPerson(), lie);
        foreach (var provider in (string[])["google", "oidc"])
        {
            await RefusedAsync(visit, "oauth_failed", provider);
            (await visit.Server.AuditAsync())[^1].Params!.ShouldContain(reason);
        }
    }

    [Theory]
    [InlineData("/token", Fault.Unavailable)]
    [InlineData("/token", Fault.HalfBody)]
    [InlineData("/token", Fault.Huge)]
    [InlineData("/token", Fault.Redirect)]
    [InlineData("/userinfo", Fault.Unavailable)]
    public async Task An_issuer_that_fails_half_way_lets_nobody_in(string path, Fault fault)
    {
        var visit = await world.VisitAsync(postgres);
        (visit.Issuer.Person, visit.Issuer.EmailInIdToken) = (NewPerson(), path != "/userinfo");
        visit.Issuer.Break(path, fault);
        await RefusedAsync(visit, "oauth_failed");
    }

    [Fact]
    public async Task Whose_address_is_of_another_domain_or_nobodys_word_stays_outside()
    {
        var visit = await world.VisitAsync(postgres);
        visit.Issuer.Person = NewPerson() with { Email = "eve@example.org", HostedDomain = "example.org" };
        await RefusedAsync(visit, "domain_not_allowed");
        await RefusedAsync(visit, "domain_not_allowed", "oidc");
        visit.Issuer.Person = NewPerson() with { Email = "eve@example.com@example.org" };
        await RefusedAsync(visit, "no_email");
        visit.Issuer.Person = NewPerson() with { Email = "eve@sub.example.com" };
        await RefusedAsync(visit, "domain_not_allowed", "oidc");
        visit.Issuer.Person = NewPerson() with { EmailVerified = false };
        await RefusedAsync(visit, "email_not_verified");
        visit.Issuer.Person = NewPerson() with { EmailVerified = null };
        await RefusedAsync(visit, "email_not_verified", "oidc");
        visit.Issuer.Person = NewPerson() with { Email = null };
        await RefusedAsync(visit, "no_email");

        // A private Google account can carry the company's address; the company does not manage it.
        visit.Issuer.Person = NewPerson() with { HostedDomain = null };
        await RefusedAsync(visit, "domain_not_allowed");
    }

    [Fact]
    public async Task A_state_is_good_once_in_its_own_browser_and_for_its_own_provider()
    {
        var visit = await world.VisitAsync(postgres);
        visit.Issuer.Person = NewPerson();
        var (state, callback) = await visit.GoAsync();
        Refused(await visit.ComeBackAsync(callback, null), "oauth_failed");
        Refused(await visit.ComeBackAsync(callback.Replace("state=", "state=x", StringComparison.Ordinal), state), "oauth_failed");
        Refused(await visit.ComeBackAsync(callback.Replace("/google/", "/oidc/", StringComparison.Ordinal), state), "oauth_failed");
        Refused(await visit.ComeBackAsync(callback, state[..^2] + (state[^2] == 'A' ? "BB" : "AA")), "oauth_failed");
        Refused(await visit.ComeBackAsync(callback.Replace("iss=", "iss=x", StringComparison.Ordinal), state), "oauth_failed");
        var good = await visit.ComeBackAsync(callback, state);
        SignInVisit.SessionOf(good).ShouldNotBeNull();
        good.Header("Set-Cookie")!.ShouldContain("session=; max-age=0");

        // Replayed whole: the cookie was kept by a thief, and the issuer would give out the code again.
        var (second, secondCallback) = await visit.GoAsync();
        var racing = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => visit.ComeBackAsync(secondCallback, second)));
        racing.Count(answer => SignInVisit.SessionOf(answer) is not null).ShouldBe(1);
        Refused(await visit.ComeBackAsync(secondCallback, second), "oauth_failed");
        visit.Issuer.Requests.Count(path => path == "/token").ShouldBe(2);
    }

    [Fact]
    public async Task What_is_remembered_in_the_browser_is_sealed_and_what_the_issuer_gets_is_a_challenge()
    {
        var visit = await world.VisitAsync(postgres);
        var answer = await visit.Server.SendAsync("GET", "/auth/google/login?next=/secret-place");
        var cookie = answer.Header("Set-Cookie")!;
        foreach (var attribute in (string[])["max-age=600", "path=/auth", "samesite=lax", "httponly"]) cookie.ShouldContain(attribute, Case.Insensitive);
        cookie.ShouldNotContain("secret-place");
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(answer.Header("Location")!).Query);
        (query["response_type"], query["code_challenge_method"], query["hd"]).ShouldBe(("code", "S256", "example.com"));
        query["redirect_uri"].ShouldBe($"{visit.Server.Url}/auth/google/callback");
        query["client_secret"].ShouldBeNull();
        foreach (var next in (string[])["//evil.example.org", "https://evil.example.org", "/\\evil.example.org"])
        {
            visit.Issuer.Person = NewPerson();
            (await visit.SignInAsync(next: next)).Header("Location").ShouldBe("/dashboard");
        }
    }

    [Fact]
    public async Task An_address_that_passes_to_somebody_else_does_not_take_the_account_along()
    {
        var visit = await world.VisitAsync(postgres);
        var first = NewPerson();
        visit.Issuer.Person = first;
        await visit.SignInAsync();
        visit.Issuer.Person = NewPerson() with { Email = first.Email };
        await RefusedAsync(visit, "account_conflict");

        // The person with a new name keeps the account.
        visit.Issuer.Person = first with { Email = NewPerson().Email };
        var renamed = await visit.SignInAsync();
        (await visit.Server.SendAsync("GET", "/auth/me", token: SignInVisit.SessionOf(renamed))).Text("email").ShouldBe(first.Email!);
    }

    [Fact]
    public async Task A_deactivated_account_stays_outside_and_is_told_so()
    {
        var visit = await world.VisitAsync(postgres);
        visit.Issuer.Person = NewPerson();
        await visit.SignInAsync();
        var id = visit.Server.State.Snapshot.UserByEmail(visit.Issuer.Person.Email!)!.Id;
        (await visit.Server.SendAsync("POST", $"/api/users/{id}/deactivate", token: await visit.Server.SignInAsync())).Status.ShouldBe(200);
        await RefusedAsync(visit, "deactivated");
    }

    [Fact]
    public async Task The_sign_in_page_offers_what_is_set_up_and_leads_on()
    {
        var visit = await world.VisitAsync(postgres);
        var page = (await visit.Server.SendAsync("GET", "/login?next=/catalog")).Body;
        page.ShouldContain("href=\"/auth/google/login?next=%2Fcatalog\"");
        page.ShouldContain("href=\"/auth/oidc/login?next=%2Fcatalog\"");
        page.ShouldContain("href=\"/login/password?next=%2Fcatalog\"");
        page.ShouldNotContain("/login/email");
    }

    [Fact]
    public async Task Without_a_set_up_or_without_domains_the_doors_are_closed()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => IssuerWorld.With(options, issuer) with { SignIn = new() });
        foreach (var (path, code) in ((string, string)[])[("/auth/google/login", "google_not_configured"), ("/auth/google/callback?code=x&state=y", "google_not_configured"), ("/auth/oidc/login", "oidc_not_configured"), ("/auth/oidc/callback", "oidc_not_configured")])
        {
            var answer = await server.SendAsync("GET", path);
            (answer.Status, answer.Header("Location")).ShouldBe((307, $"/login?error={code}"));
        }

        // One way is left: its form is the page, and there is nothing else to choose.
        var page = (await server.SendAsync("GET", "/login?next=/catalog&error=oauth_failed")).Body;
        page.ShouldNotContain("/auth/google/login");
        page.ShouldContain("action=\"/auth/password/login/web\"");
        page.ShouldContain("name=\"next\" value=\"/catalog\"");
        page.ShouldContain("Signing in there did not work.");
        page.ShouldNotContain("Other ways to sign in");
    }

    [Fact]
    public async Task An_issuer_that_calls_itself_otherwise_or_cannot_be_reached_is_not_gone_to()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        issuer.ClaimedIssuer = "https://evil.example.com";
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => IssuerWorld.With(options, issuer));
        async Task ClosedAsync()
        {
            var answer = await server.SendAsync("GET", "/auth/oidc/login");
            (answer.Status, answer.Header("Location")).ShouldBe((307, "/login?error=oauth_failed"));
        }

        await ClosedAsync();
        issuer.ClaimedIssuer = null;
        foreach (var fault in (Fault[])[Fault.Unavailable, Fault.HalfBody, Fault.Huge])
        {
            issuer.Break("/.well-known/openid-configuration", fault);
            await ClosedAsync();
        }

        issuer.Reset();
        (await server.SendAsync("GET", "/auth/oidc/login")).Status.ShouldBe(302);
    }

    /// <summary>The person is told within the time that one answer may take, and nobody else notices.</summary>
    [Fact]
    [Long]
    public async Task An_issuer_that_never_answers_ends_the_sign_in_and_holds_up_nobody_else()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => IssuerWorld.With(options, issuer), services => services.AddHttpClient(IssuerHttp.ClientName, client => client.Timeout = TimeSpan.FromSeconds(2)));
        var visit = new SignInVisit(issuer, server);
        issuer.Break("/.well-known/openid-configuration", Fault.Stall);
        var start = server.SendAsync("GET", "/auth/oidc/login");
        await OthersAsync(server, start);
        (await start).Header("Location").ShouldBe("/login?error=oauth_failed");

        foreach (var path in (string[])["/token", "/jwks", "/userinfo"])
        {
            issuer.Reset();
            issuer.EmailInIdToken = path != "/userinfo";
            var (state, callback) = await visit.GoAsync("oidc");
            issuer.Break(path, Fault.Stall);
            var finish = visit.ComeBackAsync(callback, state);
            await OthersAsync(server, finish);
            Refused(await finish, "oauth_failed");
            server.State.Snapshot.UserByEmail("pat@example.com").ShouldBeNull();
        }
    }

    private static async Task OthersAsync(TestServer server, Task stalled)
    {
        var session = await server.SignInAsync();
        (await server.SendAsync("GET", "/auth/me", token: session)).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", session)).Status.ShouldBe(201);
        stalled.IsCompleted.ShouldBeFalse();
    }

    private static Person NewPerson()
    {
        var number = Interlocked.Increment(ref _people);
        return new Person($"subject-{number}", $"person{number}@example.com") { HostedDomain = "example.com" };
    }

    private static async Task RefusedAsync(SignInVisit visit, string code, string provider = "google")
    {
        var before = visit.Server.State.Snapshot.UsersById.Count;
        Refused(await visit.SignInAsync(provider), code);
        visit.Server.State.Snapshot.UsersById.Count.ShouldBe(before);
    }

    private static void Refused(Answer answer, string code)
    {
        (answer.Status, answer.Header("Location")).ShouldBe((307, $"/login?error={code}"));
        SignInVisit.SessionOf(answer).ShouldBeNull();
    }
}
