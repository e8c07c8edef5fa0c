using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Features;

[Collection("world")]
public sealed class GroupsTests(Worlds worlds, Postgres postgres)
{
    private static readonly Scenario List = new("the groups", "GET", "/api/admin/groups", 200)
    {
        Has = ["\"name\":\"Admin\"", "\"name\":\"Analysts\"", "\"origin\":\"system\"", "\"origin\":\"custom\"", "\"member_count\":1", "\"grant_count\":1", "\"is_google_managed\":false", "\"mapped_email\":null"],
    };

    private static readonly Scenario[] Groups =
    [
        List,
        .. List.Refusals(adminsOnly: true),
        new("one group", "GET", "/api/admin/groups/{analysts}", 200) { Has = ["\"created_by\":\"root@example.com\"", "\"description\":null"] },
        new("no such group", "GET", "/api/admin/groups/none", 404) { Has = ["Group not found"] },
        new("a blank name", "POST", "/api/admin/groups", 400) { Body = """{"name":" "}""" },
        new("a name that is taken", "POST", "/api/admin/groups", 409) { Body = """{"name":"Analysts"}""" },
        new("no name", "POST", "/api/admin/groups", 422) { Body = "{}", Has = ["missing"] },
        new("renaming to a name that is taken", "PATCH", "/api/admin/groups/{analysts}", 409) { Body = """{"name":"Everyone"}""" },
        new("renaming to blank", "PATCH", "/api/admin/groups/{analysts}", 400) { Body = """{"name":""}""" },
        new("changing nothing", "PATCH", "/api/admin/groups/{analysts}", 200) { Body = """{"name":"Analysts"}""" },
        new("describing", "PATCH", "/api/admin/groups/{analysts}", 200) { Body = """{"description":"Who analyse"}""", Has = ["Who analyse"], Audit = ["user_group.updated"] },
        new("undescribing", "PATCH", "/api/admin/groups/{analysts}", 200) { Body = """{"description":""}""", Audit = ["user_group.updated"] },
        new("members", "GET", "/api/admin/groups/{analysts}/members", 200) { Has = ["\"user_id\":\"{analyst}\"", "\"source\":\"admin\"", "\"added_by\":\"root@example.com\""], Lacks = ["lee@example.com"] },
        new("members of no group", "GET", "/api/admin/groups/none/members", 404),
        new("a member twice", "POST", "/api/admin/groups/{analysts}/members", 409) { Body = """{"email":"ana@example.com"}""", Has = ["Already a member"] },
        new("a member who does not exist", "POST", "/api/admin/groups/{analysts}/members", 404) { Body = """{"email":"none@example.com"}""" },
        new("the groups of a user", "GET", "/api/admin/users/{analyst}/memberships", 200) { Has = ["\"group_name\":\"Analysts\"", "\"group_name\":\"Everyone\"", "\"origin\":\"system\""] },
        new("a membership that a seed made stays", "DELETE", "/api/admin/users/{analyst}/memberships/{everyone}", 404) { Has = ["No admin-managed membership"] },
        .. new Scenario("adding a group", "POST", "/api/admin/groups", 201) { Body = """{"name":"New"}""" }.Refusals(adminsOnly: true),
        .. new Scenario("adding oneself to a group", "POST", "/api/admin/groups/{analysts}/members", 201) { Body = """{"email":"ana@example.com"}""" }.Refusals(adminsOnly: true),
    ];

    private static readonly Scenario[] Grants =
    [
        new("resource types", "GET", "/api/admin/resource-types", 200) { Has = ["\"key\":\"table\"", "\"display_name\":\"Tables\"", "\"id_format\":\"<table_id>\""] },
        new("the overview", "GET", "/api/admin/access-overview", 200) { Has = ["\"groups\":[", "\"grants\":[", "\"type_key\":\"table\"", "\"name\":\"in.c-shop\"", "\"resource_id\":\"salaries\""], Lacks = ["\"created_at\""] },
        new("grants", "GET", "/api/admin/grants?resource_type=table&group_id={analysts}", 200) { Has = ["\"id\":\"{grant}\"", "\"group_name\":\"Analysts\"", "\"assigned_by\":\"root@example.com\""] },
        new("grants of an unknown type", "GET", "/api/admin/grants?resource_type=nothing", 400) { Has = ["nothing"] },
        new("a grant of an unknown type", "POST", "/api/admin/grants", 400) { Body = """{"group_id":"{analysts}","resource_type":"nothing","resource_id":"x"}""" },
        new("a grant on a blank id", "POST", "/api/admin/grants", 400) { Body = """{"group_id":"{analysts}","resource_type":"table","resource_id":"  "}""" },
        new("a grant to no group", "POST", "/api/admin/grants", 404) { Body = """{"group_id":"none","resource_type":"table","resource_id":"orders"}""" },
        new("a grant twice", "POST", "/api/admin/grants", 409) { Body = """{"group_id":"{analysts}","resource_type":"table","resource_id":"orders"}""" },
        new("revoking nothing", "DELETE", "/api/admin/grants/none", 404),
        new("the same in add and remove", "POST", "/api/admin/grants/bulk", 400) { Body = """{"group_id":"{analysts}","resource_type":"table","add":["a"],"remove":["a"]}""" },
        new("many that change nothing", "POST", "/api/admin/grants/bulk", 200) { Body = """{"group_id":"{analysts}","resource_type":"table","add":["orders"],"remove":["salaries"]}""", Has = ["\"added\":[]", "\"removed\":[]", "\"unchanged\":2"] },
        new("what reaches the analyst", "GET", "/api/admin/users/{analyst}/effective-access", 200) { Has = ["\"resource_id\":\"orders\"", "\"group_name\":\"Analysts\"", "\"is_admin\":false"], Lacks = ["salaries"] },
        new("what reaches me", "GET", "/api/me/effective-access", 200) { As = Principal.Analyst, Has = ["\"resource_id\":\"orders\""], Lacks = ["salaries"] },
        new("what reaches an admin are grants only", "GET", "/api/me/effective-access", 200) { Has = ["{\"is_admin\":true,\"items\":[]}"] },
        new("why the analyst may", "GET", "/api/admin/access/explain?user=ana@example.com&type=table&id=Orders", 200) { Has = ["\"allowed\":true", "Granted to 'Analysts'", "\"resource_id\":\"orders\""] },
        new("why the analyst may not", "GET", "/api/admin/access/explain?user={analyst}&type=table&id=salaries", 200) { Has = ["\"allowed\":false", "No group was granted it"] },
        new("why the admin may", "GET", "/api/admin/access/explain?user={admin}&id=salaries", 200) { Has = ["\"allowed\":true", "may use everything"] },
        new("why the deactivated may not", "GET", "/api/admin/access/explain?user={leaver}&id=orders", 200) { Has = ["\"allowed\":false", "deactivated"] },
        new("explaining to nobody", "GET", "/api/admin/access/explain?user=none&id=orders", 404),
        new("explaining nothing", "GET", "/api/admin/access/explain", 422) { Has = ["[\"query\",\"user\"]", "[\"query\",\"id\"]"] },
        .. new Scenario("what reaches me", "GET", "/api/me/effective-access", 200).Refusals(adminsOnly: false),
        .. new Scenario("granting", "POST", "/api/admin/grants", 201) { Body = """{"group_id":"{analysts}","resource_type":"table","resource_id":"salaries"}""" }.Refusals(adminsOnly: true),
        .. new Scenario("granting many", "POST", "/api/admin/grants/bulk", 200) { Body = """{"group_id":"{analysts}","resource_type":"table","add":["salaries"]}""" }.Refusals(adminsOnly: true),
        .. new Scenario("explaining", "GET", "/api/admin/access/explain?user={admin}&id=salaries", 200).Refusals(adminsOnly: true),
        .. new Scenario("the audit", "GET", "/api/admin/audit", 200).Refusals(adminsOnly: true),
        new("the audit of one action", "GET", "/api/admin/audit?action=user_group.created", 200) { Has = ["user_group.created", "\"email\":\"root@example.com\"", "\"params\":{\"name\":\"Analysts\",\"ip\":\"", "\"next_cursor\":null"], Lacks = ["user.create\""] },
        new("more audit than a page holds", "GET", "/api/admin/audit?limit=501", 422),
        new("a cursor of somebody's own", "GET", "/api/admin/audit?cursor=nonsense", 400),
    ];

    [Theory, OnBothEngines]
    public async Task Groups_answer_each_principal_as_specified(StateEngine engine) => await Scenarios.RunAsync(await NamedAsync(engine), Groups);

    [Theory, OnBothEngines]
    public async Task Grants_answer_each_principal_as_specified(StateEngine engine) => await Scenarios.RunAsync(await NamedAsync(engine), Grants);

    [Theory, OnBothEngines]
    public async Task A_group_is_deleted_with_its_members_and_grants_and_a_system_group_is_not(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        (await world.AsAdminAsync("DELETE", "/api/admin/groups/{analysts}")).Status.ShouldBe(204);
        foreach (var table in (string[])["user_group_members", "resource_grants"])
        {
            (await world.Server.State.ReadAsync<long>($"SELECT count(*) FROM {table} WHERE group_id = @id", new { id = world["analysts"] })).ShouldBe([0], table);
        }

        (await world.Server.SendAsync("GET", "/api/me/effective-access", token: world.TokenOf(Principal.Analyst))).Json["items"]!.AsArray().ShouldBeEmpty();
        var everyone = world.Server.State.Snapshot.GroupByName(Snapshot.EveryoneGroup)!.Id;
        foreach (var (method, body) in ((string, string?)[])[("DELETE", null), ("PATCH", """{"name":"All"}""")])
        {
            (await world.Server.SendAsync(method, $"/api/admin/groups/{everyone}", body, world.TokenOf(Principal.Admin))).Status.ShouldBe(409);
        }

        (await world.Server.SendAsync("PATCH", $"/api/admin/groups/{everyone}", """{"description":"All of us"}""", world.TokenOf(Principal.Admin))).Status.ShouldBe(200);
    }

    [Theory, OnBothEngines]
    public async Task A_grant_works_on_the_next_request_and_so_does_its_end(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        async Task<bool> MaySeeAsync(string id) => (await world.Server.SendAsync("GET", "/api/me/effective-access", token: world.TokenOf(Principal.AnalystToken))).Body.Contains($"\"{id}\"", StringComparison.Ordinal);

        var made = await world.AsAdminAsync("POST", "/api/admin/grants", """{"group_id":"{analysts}","resource_type":"table","resource_id":"salaries"}""");
        made.Json["exists"]!.GetValue<bool>().ShouldBeTrue();
        (await MaySeeAsync("salaries")).ShouldBeTrue();
        await world.AsAdminAsync("DELETE", $"/api/admin/grants/{made.Text("id")}");
        (await MaySeeAsync("salaries")).ShouldBeFalse();
        var bulk = await world.AsAdminAsync("POST", "/api/admin/grants/bulk", """{"group_id":"{analysts}","resource_type":"table","add":["salaries","orders","later"],"remove":["none"]}""");
        (bulk.Json["added"]!.AsArray().Count, bulk.Json["removed"]!.AsArray().Count, bulk.Json["unchanged"]!.GetValue<int>()).ShouldBe((2, 0, 2));
        (await MaySeeAsync("salaries")).ShouldBeTrue();
        await world.AsAdminAsync("DELETE", "/api/admin/groups/{analysts}/members/{analyst}");
        (await MaySeeAsync("orders")).ShouldBeFalse();
        (await world.Server.AuditAsync()).Select(row => row.Action).TakeLast(5).ShouldBe(
            ["resource_grant.created", "resource_grant.deleted", "resource_grant.created", "resource_grant.created", "user_group.member_removed"]);
    }

    [Fact]
    public async Task The_first_admin_can_be_taken_out_where_another_is_and_no_setting_would_put_them_back()
    {
        await using var world = await World.NewAsync(StateEngine.DuckDb, postgres);
        var admins = world.Server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        var first = await world.Server.State.WriteAsync(async write =>
        {
            var user = (await write.AddUserAsync("first@example.com")).Id;
            await write.ExecuteAsync("INSERT INTO user_group_members (user_id, group_id, source, added_at) VALUES (@user, @admins, 'system_seed', @now)", new { user, admins, now = write.Now });
            write.Apply(snapshot => snapshot.WithMembership(new MembershipRow { UserId = user, GroupId = admins, Source = "system_seed", AddedAt = write.Now }));
            return user;
        });
        (await world.AsAdminAsync("DELETE", $"/api/admin/groups/{admins}/members/{first}")).Status.ShouldBe(204);
        world.Server.State.Snapshot.IsAdmin(first).ShouldBeFalse();
        var seeded = await world.Server.SendAsync("DELETE", $"/api/admin/groups/{admins}/members/{world["admin"]}", token: world.TokenOf(Principal.Admin));
        (seeded.Status, seeded.Body.Contains("SEED_ADMIN_EMAIL", StringComparison.Ordinal)).ShouldBe((409, true), seeded.Body);
    }

    [Fact]
    public async Task What_a_directory_manages_is_read_only_here()
    {
        await using var world = await World.NewAsync(StateEngine.DuckDb, postgres);
        await world.Server.State.WriteAsync(async write =>
        {
            var group = new GroupRow { Id = "g1", Name = "data@example.com", CreatedAt = write.Now, CreatedBy = "system:google-sync" };
            await write.ExecuteAsync("INSERT INTO user_groups (id, name, is_system, created_at, created_by) VALUES (@Id, @Name, @IsSystem, @CreatedAt, @CreatedBy)", group);
            write.Apply(snapshot => snapshot.WithGroup(group));
        });
        foreach (var (method, path, body) in ((string, string, string?)[])
        [
            ("PATCH", "/api/admin/groups/g1", """{"description":"x"}"""), ("DELETE", "/api/admin/groups/g1", null),
            ("POST", "/api/admin/groups/g1/members", """{"email":"ana@example.com"}"""), ("POST", $"/api/admin/users/{world["analyst"]}/memberships", """{"group_id":"g1"}"""),
        ])
        {
            var answer = await world.Server.SendAsync(method, path, body, world.TokenOf(Principal.Admin));
            (answer.Status, answer.Json["detail"]!["code"]!.GetValue<string>()).ShouldBe((409, "google_managed_readonly"), path);
        }

        (await world.AsAdminAsync("POST", "/api/admin/grants", """{"group_id":"g1","resource_type":"table","resource_id":"orders"}""")).Status.ShouldBe(201);
    }

    [Theory, OnBothEngines]
    public async Task The_audit_is_read_in_pages_that_stay_put(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await world.AsAdminAsync("GET", $"/api/admin/audit?limit=3{(cursor is null ? "" : $"&cursor={cursor}")}");
            seen.AddRange(page.Json["entries"]!.AsArray().Select(entry => entry!["id"]!.GetValue<string>()));
            cursor = page.Json["next_cursor"]?.GetValue<string>();
            await world.AsAdminAsync("PATCH", "/api/users/{analyst}", $$"""{"name":"Ana {{seen.Count}}"}""");
        }
        while (cursor is not null);
        seen.ShouldBeUnique();
        seen.Count.ShouldBeGreaterThan(10);
    }

    private async Task<World> NamedAsync(StateEngine engine)
    {
        var world = await worlds.OnAsync(engine, postgres);
        world.Name("everyone", world.Server.State.Snapshot.GroupByName(Snapshot.EveryoneGroup)!.Id);
        return world;
    }
}
