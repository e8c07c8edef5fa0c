using Agnes.Emulators.OAuth;
using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Features.SignIn.Providers.Google;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.SignIn;

/// <summary>What a directory says of people's groups, and what it cannot say.</summary>
public sealed class DirectoryGroupsTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task Workspace_groups_are_taken_over_at_sign_in_and_by_the_job(StateEngine engine)
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await StartAsync(issuer, engine, google => google with { GroupPrefix = "grp_a_" });
        var visit = new SignInVisit(issuer, server);
        issuer.Person = new Person("s", "ana@example.com") { HostedDomain = "example.com" };
        issuer.Directory.PageSize = 2;
        issuer.Directory.Put("ana@example.com", "Grp_A_Eng@example.com", "other@example.com", "grp_a_ops@example.com", "grp_a_admin@example.com");
        (await visit.SignInAsync()).Header("Location").ShouldBe("/dashboard");
        visit.GroupsOf("ana@example.com").ShouldBe(
            ["Admin by google_sync", "Everyone by system_seed", "grp_a_eng@example.com by google_sync", "grp_a_ops@example.com by google_sync"]);
        server.State.Snapshot.GroupByName("grp_a_admin@example.com").ShouldBeNull();

        // What an admin gave stays, and what the directory took away goes, without a sign-in. The seeded admin is there, so Admin may go too.
        await AddMemberAsync(server, "grp_by_hand", "ana@example.com");
        issuer.Directory.Put("ana@example.com", "grp_a_ops@example.com");
        (await RunJobAsync(server)).Status.ShouldBe(JobStatus.Ok);
        string[] after = ["Everyone by system_seed", "grp_a_ops@example.com by google_sync", "grp_by_hand by admin"];
        visit.GroupsOf("ana@example.com").ShouldBe(after);

        // A directory that does not answer takes nothing away.
        foreach (var (path, fault) in ((string, Fault)[])[("/admin/directory/v1/groups", Fault.Unavailable), ("/admin/directory/v1/groups", Fault.Forbidden), ("/admin/directory/v1/groups", Fault.HalfBody)])
        {
            issuer.Break(path, fault);
            (await RunJobAsync(server)).Status.ShouldBe(JobStatus.Failed);
            visit.GroupsOf("ana@example.com").ShouldBe(after);
            (await visit.SignInAsync()).Header("Location").ShouldBe("/dashboard");
            visit.GroupsOf("ana@example.com").ShouldBe(after);
        }

        // Somebody new is not let in on its silence, nor without a group that counts.
        issuer.Person = new Person("t", "tom@example.com") { HostedDomain = "example.com" };
        (await visit.SignInAsync()).Header("Location").ShouldBe("/login?error=group_check_unavailable");
        issuer.Break("/admin/directory/v1/groups", Fault.None);
        (await visit.SignInAsync()).Header("Location").ShouldBe("/login?error=group_check_unavailable"); // unknown to the directory
        issuer.Directory.Put("tom@example.com", "other@example.com");
        (await visit.SignInAsync()).Header("Location").ShouldBe("/login?error=not_in_allowed_group");
        server.State.Snapshot.UserByEmail("tom@example.com").ShouldBeNull();

        // What the next sync would do can be looked at, and does nothing.
        var session = SignInVisit.SessionOf(await AnaAsync(visit))!;
        issuer.Directory.Put("ana@example.com", "grp_a_new@example.com", "other@example.com");
        var dry = await server.SendAsync("POST", "/me/debug/refetch-groups", token: session);
        dry.Body.ShouldBe("""{"soft_failed":false,"prefix":"grp_a_","fetched":["grp_a_new@example.com","other@example.com"],"fetched_relevant":["grp_a_new@example.com"],"current_names":["grp_a_ops@example.com"],"current_external_ids":[],"would_add":["grp_a_new@example.com"],"would_remove":["grp_a_ops@example.com"],"applied":false}""");
        visit.GroupsOf("ana@example.com").ShouldBe(after);
        var page = await server.SendAsync("GET", "/me/debug", change: request => request.Headers.Add("Cookie", $"access_token={session}"));
        (page.Status, page.Body.Contains("grp_by_hand", StringComparison.Ordinal)).ShouldBe((200, true));
        foreach (var secret in (string[])[session, session.Split('.')[2]]) page.Body.ShouldNotContain(secret);

        // Who left the company keeps nothing from there.
        issuer.Directory.Remove("ana@example.com");
        (await RunJobAsync(server)).Status.ShouldBe(JobStatus.Ok);
        visit.GroupsOf("ana@example.com").ShouldBe(["Everyone by system_seed", "grp_by_hand by admin"]);
    }

    [Fact]
    public async Task A_key_file_signs_without_the_machines_help_and_a_bad_one_says_nothing_of_anybody()
    {
        using var folder = new TemporaryFolder();
        await using var issuer = await OAuthIssuer.StartAsync();
        await File.WriteAllTextAsync(folder["key.json"], issuer.Directory.KeyFile().ToJsonString());
        await using var server = await StartAsync(issuer, StateEngine.DuckDb, google => google with { KeyFile = folder["key.json"] });
        var visit = new SignInVisit(issuer, server);
        issuer.Directory.Put("ana@example.com", "eng@example.com");
        SignInVisit.SessionOf(await AnaAsync(visit)).ShouldNotBeNull();
        visit.GroupsOf("ana@example.com").ShouldBe(["eng@example.com by google_sync", "Everyone by system_seed"], ignoreOrder: true);
        issuer.Requests.ShouldNotContain(path => path.Contains("computeMetadata", StringComparison.Ordinal) || path.Contains("signJwt", StringComparison.Ordinal));

        // What is in the file is never said, and a file that is no key takes nothing away.
        var key = issuer.Directory.KeyFile();
        foreach (var (member, value) in ((string, string?)[])[("private_key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), ("private_key", null), ("client_email", null)])
        {
            var bad = (System.Text.Json.Nodes.JsonObject)key.DeepClone();
            bad[member] = value;
            await File.WriteAllTextAsync(folder["key.json"], bad.ToJsonString());
            var fault = Should.Throw<Exception>(() => ServiceAccountKey.Read(folder["key.json"]));
            fault.Message.ShouldContain(folder["key.json"]);
            fault.ToString().ShouldNotContain("BEGIN");
        }

        server.Time.Advance(TimeSpan.FromHours(2)); // the kept token is over
        (await RunJobAsync(server)).Status.ShouldBe(JobStatus.Failed);
        visit.GroupsOf("ana@example.com").ShouldContain("eng@example.com by google_sync");

        // Credentials of another kind, or of another account than the one that was named, leave it to the machine's own.
        key["type"] = "external_account";
        await File.WriteAllTextAsync(folder["key.json"], key.ToJsonString());
        (await RunJobAsync(server)).Status.ShouldBe(JobStatus.Ok);
        issuer.Requests.ShouldContain(path => path.Contains("signJwt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_directory_that_never_answers_holds_nobody_up_for_long()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await StartAsync(issuer, StateEngine.DuckDb, google => google with { DirectoryTimeMax = TimeSpan.FromMilliseconds(500) });
        var groups = server.Services.GetRequiredService<GoogleGroups>();
        foreach (var path in (string[])["/computeMetadata/v1/instance/service-accounts/default/token", "/token", "/admin/directory/v1/groups"])
        {
            issuer.Reset();
            issuer.Break(path, Fault.Stall);
            var watch = System.Diagnostics.Stopwatch.StartNew();

            // Twenty at once wait for one token: none waits for the others' patience to end.
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => groups.FetchAsync($"person{number}@example.com", CancellationToken.None)));
            answers.ShouldAllBe(answer => answer is GroupAnswer.Unknown);
            watch.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(5)));
        }

        // Nor does the job ask it for everybody.
        var before = issuer.Requests.Count;
        await server.State.WriteAsync(async write =>
        {
            for (var number = 0; number < 30; number++) await Identities.LinkAsync(write, issuer.Address, $"s{number}", (await NewUser.AddAsync(write, $"p{number}@example.com", "P", null)).Id, $"p{number}@example.com");
        });
        (await RunJobAsync(server)).Status.ShouldBe(JobStatus.Failed);
        (issuer.Requests.Count - before).ShouldBeLessThanOrEqualTo(20); // thirty people, of whom five were asked for
    }

    [Fact]
    public async Task Groups_named_by_the_environment_count_as_the_directorys()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        var named = new List<string>();
        await using var server = await StartAsync(issuer, StateEngine.DuckDb, google => google with { DirectorySubject = null, MockGroups = named, GroupPrefix = "grp_a_" });
        var visit = new SignInVisit(issuer, server);
        issuer.Person = new Person("s", "ana@example.com") { HostedDomain = "example.com" };
        async Task<Answer> WithAsync(string location, params string[] groups)
        {
            named.Clear();
            named.AddRange(groups);
            var answer = await visit.SignInAsync();
            answer.Header("Location").ShouldBe(location);
            return answer;
        }

        await WithAsync("/login?error=group_check_unavailable"); // an empty list is no answer, and a stranger needs one
        await WithAsync("/login?error=not_in_allowed_group", "other@x.io");
        server.State.Snapshot.UserByEmail("ana@example.com").ShouldBeNull();
        await WithAsync("/dashboard", "grp_a_eng@x.io", "other@x.io");
        visit.GroupsOf("ana@example.com").ShouldBe(["Everyone by system_seed", "grp_a_eng@x.io by google_sync"]);
        await WithAsync("/dashboard");
        visit.GroupsOf("ana@example.com").ShouldBe(["Everyone by system_seed", "grp_a_eng@x.io by google_sync"]);
        var admin = await WithAsync("/dashboard", "grp_a_admin@example.com", "GRP_A_ENG@x.io");
        visit.GroupsOf("ana@example.com").ShouldBe(["Admin by google_sync", "Everyone by system_seed", "grp_a_eng@x.io by google_sync"]);

        var group = server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        var change = await server.SendAsync("PATCH", $"/api/admin/groups/{group}", """{"description":"x"}""", SignInVisit.SessionOf(admin));
        (change.Status, change.Body.Contains("google_managed_readonly", StringComparison.Ordinal)).ShouldBe((409, true));
    }

    [Fact]
    public async Task A_claim_fills_groups_of_its_own_and_never_the_ones_that_people_made()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await StartAsync(issuer, StateEngine.DuckDb, google => google);
        var visit = new SignInVisit(issuer, server);
        await AddMemberAsync(server, "finance", TestServer.AdminEmail);
        issuer.Person = new Person("s", "ana@example.com") { Groups = ["Finance", "Admin", "everyone", "Engineering", "engineering", " ", new string('x', 500)] };
        await visit.SignInAsync("oidc");
        visit.GroupsOf("ana@example.com").ShouldBe(["Everyone by system_seed", "engineering by oidc_sync"]);

        issuer.Person = issuer.Person with { Groups = ["Platform-Admins"] };
        await visit.SignInAsync("oidc");
        visit.GroupsOf("ana@example.com").ShouldBe(["Admin by oidc_sync", "Everyone by system_seed"]);

        // A claim that is left out says nothing; an empty one says "none".
        issuer.Person = issuer.Person with { Groups = null };
        await visit.SignInAsync("oidc");
        visit.GroupsOf("ana@example.com").ShouldContain("Admin by oidc_sync");
        issuer.Person = issuer.Person with { Groups = [] };
        await visit.SignInAsync("oidc");
        visit.GroupsOf("ana@example.com").ShouldBe(["Everyone by system_seed"]);

        var engineering = server.State.Snapshot.GroupByName("engineering")!.Id;
        var answer = await server.SendAsync("POST", $"/api/admin/groups/{engineering}/members", """{"email":"ana@example.com"}""", await server.SignInAsync());
        (answer.Status, answer.Body.Contains("directory_managed_readonly", StringComparison.Ordinal)).ShouldBe((409, true));
    }

    [Fact]
    public async Task The_directory_cannot_take_the_last_admin_away()
    {
        await using var issuer = await OAuthIssuer.StartAsync();
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => IssuerWorld.With(options, issuer) with { SeedAdminEmail = null, SeedAdminPassword = null });
        var visit = new SignInVisit(issuer, server);
        issuer.Person = new Person("s", "ana@example.com") { Groups = ["platform-admins"] };
        await visit.SignInAsync("oidc");
        issuer.Person = issuer.Person with { Groups = [] };
        await visit.SignInAsync("oidc");
        visit.GroupsOf("ana@example.com").ShouldContain("Admin by oidc_sync");

        // And an admin who got in that way leaves nothing to bootstrap.
        (await server.SendAsync("POST", "/auth/bootstrap", $$"""{"email":"evil@example.com","password":"longpass1","code":"{{await server.BootstrapCodeAsync()}}"}""")).Status.ShouldBe(403);
    }

    private static Task<Answer> AnaAsync(SignInVisit visit)
    {
        visit.Issuer.Person = new Person("s", "ana@example.com") { HostedDomain = "example.com" };
        return visit.SignInAsync();
    }

    private Task<TestServer> StartAsync(OAuthIssuer issuer, StateEngine engine, Func<GoogleOptions, GoogleOptions> google) => TestServer.StartAsync(
        engine, postgres, options => Diagnosed(IssuerWorld.With(options, issuer, with => google(with with { DirectorySubject = issuer.Directory.Subject }))) with { GroupAdminEmail = "grp_a_admin@example.com" });

    private static ServerOptions Diagnosed(ServerOptions options) => options with { SignIn = options.SignIn with { Diagnostics = true } };

    private static async Task AddMemberAsync(TestServer server, string group, string email)
    {
        var admin = await server.SignInAsync();
        var made = await server.SendAsync("POST", "/api/admin/groups", $$"""{"name":"{{group}}"}""", admin);
        (await server.SendAsync("POST", $"/api/admin/groups/{made.Text("id")}/members", $$"""{"email":"{{email}}"}""", admin)).Status.ShouldBe(201);
    }

    private static async Task<JobRow> RunJobAsync(TestServer server)
    {
        var jobs = server.Services.GetRequiredService<JobRunner>();
        var started = (await jobs.StartAsync(GoogleGroupsJob.Request("api"), CancellationToken.None)).ShouldBeOfType<JobStart.Started>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var row = (await server.State.ReadAsync<JobRow>("SELECT * FROM jobs WHERE id = @Id", new { started.Id }, patience.Token))[0];
            if (row.FinishedAt is not null) return row;
            await Task.Delay(20, patience.Token);
        }
    }
}
