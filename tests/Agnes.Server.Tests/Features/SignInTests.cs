using System.Buffers.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Features;

[Collection("world")]
public sealed class SignInTests(Worlds worlds, Postgres postgres)
{
    private static readonly Scenario Profile = new("your profile", "GET", "/api/me/profile", 200)
    {
        As = Principal.Analyst,
        Has = ["\"id\":\"{analyst}\"", "\"is_admin\":false", "\"name\":\"Analysts\"", "\"source\":\"admin\"", "\"name\":\"Everyone\"", "\"source\":\"system_seed\""],
        Lacks = ["password"],
    };

    private static readonly Scenario[] Table =
    [
        Profile,
        Profile with { Name = "your profile by a token", As = Principal.AnalystToken },
        .. Profile.Refusals(adminsOnly: false),
        new("a right password", "POST", "/auth/token", 200)
        {
            As = Principal.Guest, Body = """{"email":"ana@example.com","password":"correct horse"}""", Audit = ["token_created"],
            Has = ["\"access_token\":\"eyJ", "\"token_type\":\"bearer\"", "\"user_id\":\"{analyst}\"", "\"email\":\"ana@example.com\"", "\"role\":\"user\""],
        },
        new("case of the address does not matter", "POST", "/auth/token", 200) { As = Principal.Guest, Body = """{"email":" ANA@example.com","password":"correct horse"}""", Audit = ["token_created"] },
        new("a wrong password", "POST", "/auth/token", 401) { As = Principal.Guest, Body = """{"email":"ana@example.com","password":"wrong"}""", Has = ["\"Invalid password\""], Audit = ["login_failed"] },
        new("an unknown account looks like a wrong password", "POST", "/auth/token", 401) { As = Principal.Guest, Body = """{"email":"nobody@example.com","password":"wrong"}""", Has = ["{\"detail\":\"Invalid password\"}"], Audit = ["login_failed"] },
        new("no password for an account that has one", "POST", "/auth/token", 401) { As = Principal.Guest, Body = """{"email":"ana@example.com"}""", Has = ["Password required"] },
        new("no password for an account that does not exist", "POST", "/auth/token", 401) { As = Principal.Guest, Body = """{"email":"nobody@example.com"}""", Has = ["Password required"] },
        new("a deactivated account with its password", "POST", "/auth/token", 401) { As = Principal.Guest, Body = """{"email":"lee@example.com","password":"correct horse"}""", Has = ["Account deactivated"], Audit = ["login_failed"] },
        new("a deactivated account with a wrong password", "POST", "/auth/token", 401) { As = Principal.Guest, Body = """{"email":"lee@example.com","password":"wrong"}""", Has = ["Invalid password"], Audit = ["login_failed"] },
        new("malformed JSON", "POST", "/auth/token", 422) { As = Principal.Guest, Body = """{"email":""", Has = ["json_invalid"] },
        new("a number for an address", "POST", "/auth/token", 422) { As = Principal.Guest, Body = """{"email":5,"password":"x"}""", Has = ["string_type"] },
        new("a password in a faulty body is not echoed", "POST", "/auth/token", 422) { As = Principal.Guest, Body = """{"password":"very secret"}""", Has = ["Field required"], Lacks = ["very secret"] },
        new("a right password by the other door", "POST", "/auth/password/login", 200) { As = Principal.Guest, Body = """{"email":"ana@example.com","password":"correct horse"}""", Has = ["\"role\":\"user\""], Lacks = ["user_id"], Audit = ["login"] },
        new("a wrong password by the other door", "POST", "/auth/password/login", 401) { As = Principal.Guest, Body = """{"email":"ana@example.com","password":"wrong"}""", Has = ["Invalid email or password"], Audit = ["login_failed"] },
        new("an unknown account by the other door", "POST", "/auth/password/login", 401) { As = Principal.Guest, Body = """{"email":"nobody@example.com","password":"wrong"}""", Has = ["Invalid email or password"], Audit = ["login_failed"] },
        new("bootstrap is closed", "POST", "/auth/bootstrap", 403) { As = Principal.Guest, Body = """{"email":"evil@example.com","password":"longpass1"}""", Lacks = ["access_token"] },
        new("onboarded, without a body", "POST", "/api/me/onboarded", 200) { As = Principal.Analyst, Has = ["\"status\":\"ok\"", "\"onboarded\":true"], Audit = ["user_onboarded"] },
        new("no longer onboarded", "POST", "/api/me/onboarded", 200) { As = Principal.Analyst, Body = """{"source":"self_unmark","onboarded":false}""", Has = ["\"onboarded\":false"], Audit = ["user_offboarded"] },
        new("an unknown source", "POST", "/api/me/onboarded", 422) { As = Principal.Analyst, Body = """{"source":"else"}""", Has = ["literal_error"] },
        new("a wrong current password", "POST", "/auth/password/change", 400) { As = Principal.Analyst, Body = """{"current_password":"wrong","new_password":"another one"}""" },
        new("a token cannot change the password", "POST", "/auth/password/change", 403) { As = Principal.AnalystToken, Body = """{"current_password":"correct horse","new_password":"another one"}""" },
    ];

    [Theory, OnBothEngines]
    public async Task Sign_in_answers_each_principal_as_specified(StateEngine engine) => await Scenarios.RunAsync(await worlds.OnAsync(engine, postgres), Table);

    [Fact]
    public async Task A_session_lives_for_a_day_and_says_who_and_nothing_of_what_they_may_do()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var parts = (await server.SignInAsync()).Split('.');
        Decoded(parts[0]).ToJsonString().ShouldBe("""{"alg":"HS256","typ":"JWT"}""");
        var claims = Decoded(parts[1]);
        claims["typ"]!.GetValue<string>().ShouldBe("session");
        claims["email"]!.GetValue<string>().ShouldBe(TestServer.AdminEmail);
        claims["jti"]!.GetValue<string>().ShouldMatch(@"\A[0-9a-f]{32}\z");
        (claims["exp"]!.GetValue<long>() - claims["iat"]!.GetValue<long>()).ShouldBe(86_400);
        claims.AsObject().Select(claim => claim.Key).ShouldBe(["sub", "email", "typ", "iat", "jti", "exp", "iat_us", "nonce"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("password=correct+horse&next=/catalog%3Fq%3Da", "/catalog?q=a", true)]
    [InlineData("password=correct+horse", "/dashboard", true)]
    [InlineData("password=correct+horse&next=//evil", "/dashboard", true)]
    [InlineData("password=correct+horse&next=/%5Cevil", "/dashboard", true)]
    [InlineData("password=correct+horse&next=https://evil", "/dashboard", true)]
    [InlineData("password=correct+horse&next=/%09/evil", "/dashboard", true)]
    [InlineData("password=wrong", "/login/password?error=invalid", false)]
    [InlineData("password=wrong&next=/catalog", "/login/password?error=invalid&next=%2Fcatalog", false)]
    public async Task The_form_leads_on_to_paths_of_this_server_only(string fields, string location, bool signedIn)
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var answer = await world.Server.SendAsync("POST", "/auth/password/login/web", "email=ana%40example.com&" + fields);
        (answer.Status, answer.Header("Location")).ShouldBe((302, location));
        if (!signedIn)
        {
            answer.Header("Set-Cookie").ShouldBeNull();
            return;
        }

        var cookie = answer.Header("Set-Cookie")!.ToLowerInvariant();
        cookie.ShouldStartWith("access_token=eyj");
        foreach (var attribute in (string[])["max-age=86400", "path=/", "samesite=lax", "httponly"]) cookie.ShouldContain(attribute);
        cookie.ShouldNotContain("secure");
    }

    [Fact]
    public async Task The_form_says_when_an_account_is_deactivated()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var answer = await world.Server.SendAsync("POST", "/auth/password/login/web", "email=lee%40example.com&password=correct+horse");
        (answer.Status, answer.Header("Location")).ShouldBe((302, "/login/password?error=deactivated"));
    }

    [Theory]
    [InlineData("x.example.com", null)]
    [InlineData(null, "https://x.example.com")]
    public async Task With_a_public_address_the_cookie_is_secure(string? domain, string? url)
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { Domain = domain, ServerUrl = url });
        var answer = await server.SendAsync("POST", "/auth/password/login/web", $"email={TestServer.AdminEmail}&password={TestServer.AdminPassword}");
        answer.Header("Set-Cookie")!.ShouldContain("secure", Case.Insensitive);
    }

    [Theory, OnBothEngines]
    public async Task The_first_admin_is_made_once_with_the_operators_code(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres, options => options with { SeedAdminEmail = null, SeedAdminPassword = null });
        var code = await server.BootstrapCodeAsync();
        void WithCode(HttpRequestMessage request) => request.Headers.Add("X-Bootstrap-Token", code);
        const string Body = """{"email":"first@example.com","password":"longpass1"}""";
        (await server.SendAsync("POST", "/auth/bootstrap", Body)).Status.ShouldBe(403);
        (await server.SendAsync("POST", "/auth/bootstrap", """{"email":"first@example.com","password":"short"}""", change: WithCode)).Status.ShouldBe(400);

        var racing = await Task.WhenAll(Enumerable.Range(0, 4).Select(number =>
            server.SendAsync("POST", "/auth/bootstrap", $$"""{"email":"first{{number}}@example.com","password":"longpass1"}""", change: WithCode)));
        racing.Select(answer => answer.Status).Order().ShouldBe([200, 403, 403, 403]);
        var winner = racing.Single(answer => answer.Status == 200);
        winner.Text("role").ShouldBe("admin");
        (await server.SendAsync("GET", "/api/users", token: winner.Text("access_token"))).Json.AsArray().Count.ShouldBe(1);
        (await server.AuditAsync()).Select(row => row.Action).ShouldBe(["bootstrap_completed"]);

        // Also when the one who could sign in is gone.
        await server.State.WriteAsync(async write =>
        {
            var user = write.Before.User(winner.Text("user_id"))!;
            await write.ExecuteAsync("DELETE FROM user_group_members WHERE user_id = @Id", user);
            await write.ExecuteAsync("DELETE FROM users WHERE id = @Id", user);
            write.Apply(snapshot => snapshot.WithoutUser(user.Id));
        });
        (await server.SendAsync("POST", "/auth/bootstrap", Body, change: WithCode)).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_new_server_leads_its_first_admin_by_the_hand_and_everybody_else_to_the_sign_in()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SeedAdminEmail = null, SeedAdminPassword = null });
        static void FromAfar(HttpRequestMessage request) => request.Headers.Add("X-Forwarded-For", "203.0.113.7");
        (await server.SendAsync("GET", "/login")).Body.ShouldContain("/first-time-setup");
        (await server.SendAsync("GET", "/first-time-setup")).Body.ShouldContain("One-time code");
        (await server.SendAsync("GET", "/first-time-setup", change: FromAfar)).Body.ShouldContain("One-time code");
        string Body(string code) => $$"""{"email":"first@example.com","password":"longpass1","code":"{{code}}"}""";
        (await server.SendAsync("POST", "/auth/bootstrap", Body(new string('0', 64)), change: FromAfar)).Status.ShouldBe(403);
        (await server.SendAsync("POST", "/auth/bootstrap", Body(""), change: FromAfar)).Status.ShouldBe(403);
        var code = await File.ReadAllTextAsync(Path.Combine(server.StateDir, ".bootstrap_code"));
        var made = await server.SendAsync("POST", "/auth/bootstrap", Body($" {code}"), change: FromAfar);
        made.Status.ShouldBe(200, made.Body);
        made.Header("Set-Cookie")!.ShouldStartWith("access_token=");

        (await server.SendAsync("GET", "/first-time-setup", token: made.Text("access_token"))).Body.ShouldContain("Name this instance");
        (await server.SendAsync("POST", "/api/admin/configure", """{"instance_name":"Acme","allowed_domain":"example.com","data_source":"local"}""", made.Text("access_token"))).Status.ShouldBe(200);
        var next = (await server.SendAsync("GET", "/first-time-setup", token: made.Text("access_token"))).Body;
        (next.Contains("What comes next", StringComparison.Ordinal), next.Contains("Name this instance", StringComparison.Ordinal)).ShouldBe((true, false));
        (await server.SendAsync("GET", "/first-time-setup")).Header("Location").ShouldBe("/login");
        (await server.SendAsync("GET", "/login")).Body.ShouldNotContain("/first-time-setup");
        (await server.SendAsync("GET", "/first-time-setup", change: FromAfar)).Header("Location").ShouldBe("/login");
    }

    [Fact]
    public async Task A_password_of_a_cheaper_time_is_hashed_anew_when_it_is_used_and_nobody_is_signed_out()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var session = await server.SignInAsync();
        using var older = new Passwords(iterations: 10);
        var hash = await older.HashAsync(TestServer.AdminPassword, CancellationToken.None);
        await server.State.WriteAsync(write => Agnes.Server.Platform.Identity.UserStore.UpdateAsync(write, write.Before.UserByEmail(TestServer.AdminEmail)! with { PasswordHash = hash }));
        await server.SignInAsync();
        var now = server.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.PasswordHash!;
        now.ShouldNotBe(hash);
        await server.SignInAsync();
        server.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.PasswordHash.ShouldBe(now);
        (await server.SendAsync("GET", "/auth/me", token: session)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task With_a_bootstrap_token_it_opens_the_door_from_anywhere_and_nothing_else_does()
    {
        await using var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { SeedAdminPassword = null, BootstrapToken = "the operator knows" });
        const string Body = """{"email":"root@example.com","password":"longpass1"}""";
        (await server.SendAsync("POST", "/auth/bootstrap", Body)).Status.ShouldBe(403);
        var opened = await server.SendAsync("POST", "/auth/bootstrap", Body, change: request =>
        {
            request.Headers.Host = "data.example.com";
            request.Headers.Add("X-Bootstrap-Token", "the operator knows");
        });
        opened.Status.ShouldBe(200, opened.Body);
        (await server.AuditAsync()).Select(row => row.Action).ShouldContain("bootstrap_activated_seed");
        (await server.SignInAsync(TestServer.AdminEmail, "longpass1")).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task The_code_in_a_file_that_only_the_operator_can_read_opens_the_door_from_anywhere_once()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { SeedAdminEmail = null, SeedAdminPassword = null });
        var file = Path.Combine(server.StateDir, ".bootstrap_code");
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var code = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Task<Answer> FromAfarAsync(string? given) => server.SendAsync("POST", "/auth/bootstrap", """{"email":"first@example.com","password":"longpass1"}""", change: request =>
        {
            request.Headers.Host = "data.example.com";
            request.Headers.Add("X-Forwarded-For", "203.0.113.7");
            if (given is not null) request.Headers.Add("X-Bootstrap-Token", given);
        });
        foreach (var wrong in (string?[])[null, "wrong", code[1..]]) (await FromAfarAsync(wrong)).Status.ShouldBe(403);
        (await FromAfarAsync(code)).Status.ShouldBe(200);
        File.Exists(file).ShouldBeFalse();
        (await FromAfarAsync(code)).Status.ShouldBe(403);
    }

    [Theory, OnBothEngines]
    public async Task A_new_password_ends_every_session_from_before(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var (first, second) = (await server.SignInAsync(), await server.SignInAsync());
        var changed = await server.SendAsync("POST", "/auth/password/change", $$"""{"current_password":"{{TestServer.AdminPassword}}","new_password":"another long one"}""", first);
        changed.Status.ShouldBe(204, changed.Body);
        changed.Header("Set-Cookie")!.ShouldStartWith("access_token=eyJ");
        foreach (var old in (string[])[first, second]) (await server.SendAsync("GET", "/auth/me", token: old)).Status.ShouldBe(401);
        var next = await server.SignInAsync(password: "another long one");
        (await server.SendAsync("GET", "/auth/me", token: next)).Status.ShouldBe(200);
        (await server.SendAsync("POST", "/auth/logout/everywhere", token: next)).Status.ShouldBe(204);
        (await server.SendAsync("GET", "/auth/me", token: next)).Status.ShouldBe(401);
    }

    [Theory, OnBothEngines]
    public async Task A_link_sets_a_password_once_for_its_purpose_and_its_time(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres, options => options with { ServerUrl = "https://a.example.com" });
        var admin = await server.SignInAsync();
        var made = await server.SendAsync("POST", "/api/users", """{"email":"new+one@example.com","name":"New","send_invite":true}""", admin);
        made.Status.ShouldBe(201);
        var invite = made.Text("invite_url");
        invite.ShouldStartWith("https://a.example.com/auth/password/setup?email=new%2Bone%40example.com&token=");
        var token = invite.Split("token=")[1];
        token.Length.ShouldBe(43);
        (await server.State.ReadAsync<string>("SELECT token_sha256 FROM auth_tokens")).Single().ShouldNotContain(token);
        string Body(string key, string password) => new JsonObject { ["email"] = "new+one@example.com", ["token"] = key, ["password"] = password }.ToJsonString();

        (await server.SendAsync("POST", "/auth/password/setup", Body("wrong", "long enough"))).Status.ShouldBe(400);
        (await server.SendAsync("POST", "/auth/password/setup", Body(token, "short"))).Status.ShouldBe(400);
        var wrongPurpose = await server.SendAsync("POST", "/auth/password/reset/confirm", $"email=new%2Bone%40example.com&token={token}&password=long+enough&confirm_password=long+enough");
        wrongPurpose.Header("Location")!.ShouldEndWith("error=link");
        var racing = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => server.SendAsync("POST", "/auth/password/setup", Body(token, "long enough"))));
        racing.Select(answer => answer.Status).Order().ShouldBe([200, 400, 400]);
        (await server.SignInAsync("new+one@example.com", "long enough")).ShouldNotBeEmpty();

        var reset = (await server.SendAsync("POST", $"/api/users/{made.Text("id")}/reset-password", token: admin)).Text("reset_url").Split("token=")[1];
        server.Time.Advance(TimeSpan.FromHours(25));
        var late = await server.SendAsync("POST", "/auth/password/reset/confirm", $"email=new%2Bone%40example.com&token={reset}&password=long+enough&confirm_password=long+enough");
        late.Header("Location")!.ShouldEndWith("error=link");
    }

    [Fact]
    public async Task An_imported_password_signs_in_and_is_hashed_anew_and_one_that_cannot_be_checked_tells_nothing()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        async Task<Answer> SignInAsync(string hash)
        {
            await server.State.WriteAsync(async write =>
            {
                var user = write.Before.UserByEmail(TestServer.AdminEmail)! with { PasswordHash = hash };
                await write.ExecuteAsync("UPDATE users SET password_hash = @PasswordHash WHERE id = @Id", user);
                write.Apply(snapshot => snapshot.WithUser(user));
            });
            return await server.SendAsync("POST", "/auth/token", $$"""{"email":"{{TestServer.AdminEmail}}","password":"correct horse"}""");
        }

        var answer = await SignInAsync("$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0$aGFzaA");
        (answer.Status, answer.Text("detail")).ShouldBe((401, "Invalid password"));
        (await SignInAsync("$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0$4rB3swn3f1jaR9G+WkBbmEWXck/9UzA5")).Status.ShouldBe(200);
        server.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.PasswordHash!.ShouldNotStartWith("$");
        (await server.SignInAsync(TestServer.AdminEmail, "correct horse")).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task An_account_without_a_password_is_pointed_to_its_own_way_in()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        await server.SendAsync("POST", "/api/users", """{"email":"sso@example.com","name":"S"}""", await server.SignInAsync());
        var answer = await server.SendAsync("POST", "/auth/token", """{"email":"sso@example.com"}""");
        answer.Status.ShouldBe(401);
        answer.Text("detail").ShouldContain("external authentication");
        (await server.SendAsync("POST", "/auth/token", """{"email":"sso@example.com","password":"guess"}""")).Text("detail").ShouldBe("Invalid password");
    }

    [Fact]
    public async Task Signing_out_clears_the_cookie_and_is_audited()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var session = await world.Server.SignInAsync("ana@example.com", "correct horse");
        var api = await world.Server.SendAsync("POST", "/auth/logout", token: session);
        (api.Status, api.Header("Set-Cookie")!.Contains("max-age=0", StringComparison.OrdinalIgnoreCase)).ShouldBe((204, true));
        (await world.Server.AuditAsync())[^1].Action.ShouldBe("logout");
        (await world.Server.SendAsync("GET", "/auth/me", token: session)).Status.ShouldBe(401);
        var form = await world.Server.SendAsync("POST", "/auth/logout", change: request => request.Headers.Add("Accept", "text/html"));
        (form.Status, form.Header("Location")).ShouldBe((303, "/login"));
    }

    private static JsonNode Decoded(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!;
}
