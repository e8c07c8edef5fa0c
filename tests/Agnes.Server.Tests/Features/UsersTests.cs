using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Features;

[Collection("world")]
public sealed class UsersTests(Worlds worlds, Postgres postgres)
{
    private static readonly Scenario List = new("the users", "GET", "/api/users", 200)
    {
        Has = ["\"email\":\"ana@example.com\"", "\"email\":\"root@example.com\"", "\"role\":\"admin\"", "\"is_sso_user\":false", "\"origin\":\"custom\"", "\"invite_url\":null"],
        Lacks = ["password", "hash"],
    };

    private static readonly Scenario[] Table =
    [
        List,
        .. List.Refusals(adminsOnly: true),
        new("users that match", "GET", "/api/users?q=LEE", 200) { Has = ["lee@example.com", "\"active\":false"], Lacks = ["ana@example.com"] },
        new("a limit that is no number", "GET", "/api/users?limit=x", 422) { Has = ["[\"query\",\"limit\"]", "int_parsing"] },
        new("one user", "GET", "/api/users/{analyst}", 200) { Has = ["\"id\":\"{analyst}\"", "\"name\":\"Everyone\""] },
        new("no such user", "GET", "/api/users/none", 404) { Has = ["User not found"] },
        new("an address that is taken", "POST", "/api/users", 409) { Body = """{"email":"ANA@example.com","name":"Other"}""" },
        new("no address", "POST", "/api/users", 422) { Body = """{"name":"x"}""", Has = ["[\"body\",\"email\"]", "missing"] },
        new("no e-mail address", "POST", "/api/users", 422) { Body = """{"email":"nonsense","name":"x"}""", Has = ["value_error"] },
        new("a body that is a list", "POST", "/api/users", 422) { Body = "[]", Has = ["model_attributes_type"] },
        new("deactivating yourself", "PATCH", "/api/users/{admin}", 409) { Body = """{"active":false}""", Has = ["Cannot deactivate yourself"] },
        new("deleting yourself", "DELETE", "/api/users/{admin}", 409),
        new("deleting nobody", "DELETE", "/api/users/none", 404),
        new("a role in the body is ignored", "PATCH", "/api/users/{analyst}", 200) { Body = """{"role":"admin"}""", Has = ["\"is_admin\":false"] },
        new("a new name", "PATCH", "/api/users/{analyst}", 200) { Body = """{"name":"Ana A."}""", Has = ["\"name\":\"Ana A.\""], Audit = ["user.update"] },
        new("a short password, before the user is looked up", "POST", "/api/users/none/set-password", 400) { Body = """{"password":"short"}""" },
        new("a password for nobody", "POST", "/api/users/none/set-password", 404) { Body = """{"password":"long enough"}""" },
        new("a link to reset", "POST", "/api/users/{analyst}/reset-password", 200) { Has = ["/auth/password/reset?email=ana%40example.com&token=", "\"email_sent\":false"], Audit = ["user.reset_password"] },
        new("a link for nobody", "POST", "/api/users/none/reset-password", 404),
        new("an invitation", "POST", "/api/users", 201) { Body = """{"email":"invited@example.com","name":"I","send_invite":true}""", Has = ["/auth/password/setup?", "\"invite_email_sent\":false"], Audit = ["user.create", "user.invite"] },
        new("an unknown path", "GET", "/api/users/{analyst}/nothing", 404) { Has = ["Page not found"] },
        new("a method that there is not", "PUT", "/api/users/{analyst}", 405) { Has = ["Method Not Allowed"] },
        .. new Scenario("adding a user", "POST", "/api/users", 201) { Body = """{"email":"x@example.com","name":"x"}""" }.Refusals(adminsOnly: true),
        .. new Scenario("deleting a user", "DELETE", "/api/users/{leaver}", 204).Refusals(adminsOnly: true),
        .. new Scenario("setting a password", "POST", "/api/users/{admin}/set-password", 204) { Body = """{"password":"long enough"}""" }.Refusals(adminsOnly: true),
    ];

    [Theory, OnBothEngines]
    public async Task Users_answer_each_principal_as_specified(StateEngine engine) => await Scenarios.RunAsync(await worlds.OnAsync(engine, postgres), Table);

    [Theory, OnBothEngines]
    public async Task A_new_user_is_in_everyone_and_a_deleted_one_leaves_nothing_that_could_act(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        var made = await world.AsAdminAsync("POST", "/api/users", """{"email":"new@example.com","name":"New"}""");
        made.Text("created_at").ShouldMatch(@"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?\z");
        var memberships = (await world.AsAdminAsync("GET", $"/api/admin/users/{made.Text("id")}/memberships")).Json.AsArray();
        memberships.Count.ShouldBe(1);
        (memberships[0]!["group_name"]!.GetValue<string>(), memberships[0]!["source"]!.GetValue<string>()).ShouldBe(("Everyone", "system_seed"));

        (await world.AsAdminAsync("DELETE", "/api/users/{analyst}")).Status.ShouldBe(204);
        foreach (var table in (string[])["user_group_members", "personal_access_tokens", "auth_tokens"])
        {
            (await world.Server.State.ReadAsync<long>($"SELECT count(*) FROM {table} WHERE user_id = @id", new { id = world["analyst"] })).ShouldBe([0], table);
        }

        (await world.Server.SendAsync("GET", "/auth/me", token: world.TokenOf(Principal.Analyst))).Text("detail").ShouldBe("User not found");
        (await world.Server.SendAsync("GET", "/auth/me", token: world.TokenOf(Principal.AnalystToken))).Text("detail").ShouldBe("User not found");
        var audit = (await world.Server.AuditAsync())[^1];
        (audit.UserId, audit.Action, audit.Resource).ShouldBe((world["admin"], "user.delete", $"user:{world["analyst"]}"));
        audit.Params!.ShouldMatch("""^\{"email":"ana@example\.com","ip":"[0-9a-f.:]+","request_id":"[0-9a-f]{12}"\}$""");
    }

    [Theory, OnBothEngines]
    public async Task Deactivating_ends_sessions_for_good_and_activating_gives_the_account_back(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        (await world.AsAdminAsync("POST", "/api/users/{analyst}/deactivate")).Json["deactivated_at"].ShouldNotBeNull();
        (await world.Server.SendAsync("GET", "/auth/me", token: world.TokenOf(Principal.Analyst))).Text("detail").ShouldBe("Account deactivated");
        (await world.AsAdminAsync("POST", "/api/users/{analyst}/activate")).Json["deactivated_at"].ShouldBeNull();
        (await world.Server.SendAsync("GET", "/auth/me", token: world.TokenOf(Principal.Analyst))).Text("detail").ShouldBe("Invalid or expired token");
        (await world.Server.SendAsync("GET", "/auth/me", token: world.TokenOf(Principal.AnalystToken))).Status.ShouldBe(200);
        (await world.Server.SignInAsync("ana@example.com", "correct horse")).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task An_admin_who_cannot_sign_in_is_none_that_would_be_left()
    {
        await using var world = await World.NewAsync(StateEngine.DuckDb, postgres);
        var admins = world.Server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        foreach (var email in (string[])["ana@example.com", "nopassword@example.com"])
        {
            if (email[0] == 'n') await world.AsAdminAsync("POST", "/api/users", """{"email":"nopassword@example.com","name":"N"}""");
            await world.AsAdminAsync("POST", $"/api/admin/groups/{admins}/members", $$"""{"email":"{{email}}"}""");
        }

        // Ana asks, with a token, which says nothing of whether anybody could sign in again; her password is an imported one.
        await world.Server.State.WriteAsync(write => Agnes.Server.Platform.Identity.UserStore.UpdateAsync(write, write.Before.User(world["analyst"])! with { PasswordHash = "$argon2id$v=19$x" }));
        var token = world.TokenOf(Principal.AnalystToken);
        (await world.Server.SendAsync("POST", $"/api/users/{world["admin"]}/deactivate", token: token)).Text("detail").ShouldContain("who can sign in");
        (await world.Server.SendAsync("DELETE", $"/api/users/{world["admin"]}", token: token)).Status.ShouldBe(409);
        await world.AsAdminAsync("POST", "/api/users/{analyst}/set-password", """{"password":"correct horse"}""");
        (await world.Server.SendAsync("POST", $"/api/users/{world["admin"]}/deactivate", token: token)).Status.ShouldBe(200);
    }

    [Theory, OnBothEngines]
    public async Task The_last_active_admin_stays_whichever_way_somebody_tries(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        var admins = world.Server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        await world.AsAdminAsync("POST", $"/api/admin/groups/{admins}/members", """{"email":"ana@example.com"}""");
        await world.AsAdminAsync("POST", $"/api/admin/groups/{admins}/members", """{"email":"lee@example.com"}""");

        // With two of them, either may take the other away; of two who do so at once one stays.
        var analyst = world.TokenOf(Principal.Analyst)!;
        var answers = await Task.WhenAll(
            world.Server.SendAsync("POST", $"/api/users/{world["admin"]}/deactivate", token: analyst),
            world.Server.SendAsync("POST", $"/api/users/{world["analyst"]}/deactivate", token: world.TokenOf(Principal.Admin)));
        answers.Count(answer => answer.Status == 200).ShouldBe(1);
        var left = world.Server.State.Snapshot.UserIdsOf(admins).Single(id => world.Server.State.Snapshot.User(id)!.Active);
        var token = left == world["admin"] ? world.TokenOf(Principal.Admin) : analyst;

        await world.Server.State.WriteAsync(async write =>
        {
            // Somebody else must ask, as asking to remove oneself is refused before.
            await write.ExecuteAsync("UPDATE user_group_members SET source = 'admin' WHERE user_id = @left AND group_id = @admins", new { left, admins });
            var row = write.Before.MembershipsOf(left).First(member => member.GroupId == admins);
            write.Apply(snapshot => snapshot.WithoutMembership(left, admins, row.Source).WithMembership(row with { Source = "admin" }));
        });
        (await world.Server.SendAsync("DELETE", $"/api/admin/groups/{admins}/members/{left}", token: token)).Status.ShouldBe(409);
        (await world.Server.SendAsync("DELETE", $"/api/admin/users/{left}/memberships/{admins}", token: token)).Status.ShouldBe(409);

        // An inactive admin may go: nobody loses anything by it.
        (await world.Server.SendAsync("DELETE", $"/api/admin/groups/{admins}/members/{world["leaver"]}", token: token)).Status.ShouldBe(204);
    }
}
