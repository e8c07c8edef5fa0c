using System.Diagnostics;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Agnes.Server.Tests.Access;

public sealed class TableAccessTests(Postgres postgres)
{
    private static readonly DateTime Now = new(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task A_hidden_table_and_one_that_never_existed_answer_alike_but_for_the_name()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, map: app =>
            app.MapGet("/api/peek/{table_id}", (HttpContext context) => context.Table() is { } table ? Results.Text($"{table.Id}|{table.Name}|{table.Sent}") : Results.NotFound()).NeedsTable("table_id"));
        var admin = await server.SignInAsync();
        await server.State.WriteAsync(async write =>
        {
            var group = await write.QueryFirstAsync<string>("SELECT id FROM user_groups WHERE name = 'Everyone'");
            foreach (var row in (TableRow[])[Row("orders_v2", "Orders V2"), Row("salaries", "Salaries")])
            {
                await write.ExecuteAsync("INSERT INTO table_registry (id, name, registered_at) VALUES (@Id, @Name, @RegisteredAt)", row);
                write.Apply(snapshot => snapshot.WithTable(row));
            }

            var grant = new GrantRow { Id = "g", GroupId = group!, ResourceType = "table", ResourceId = "orders_v2", AssignedAt = write.Now };
            await write.ExecuteAsync("INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at) VALUES (@Id, @GroupId, @ResourceType, @ResourceId, @AssignedAt)", grant);
            write.Apply(snapshot => snapshot.WithGrant(grant));
        });
        await server.SendAsync("POST", "/api/users", """{"email":"ana@example.com","name":"Ana"}""", admin);
        await server.SendAsync("POST", $"/api/users/{server.State.Snapshot.UserByEmail("ana@example.com")!.Id}/set-password", """{"password":"correct horse"}""", admin);
        var analyst = await server.SignInAsync("ana@example.com", "correct horse");
        Task<Answer> PeekAsync(string table, string token) => server.SendAsync("GET", $"/api/peek/{Uri.EscapeDataString(table)}", token: token);

        (await PeekAsync("orders_v2", analyst)).Body.ShouldBe("orders_v2|Orders V2|orders_v2");
        (await PeekAsync("Orders V2", analyst)).Body.ShouldBe("orders_v2|Orders V2|Orders V2");
        (await PeekAsync("ORDERS v2", analyst)).Body.ShouldBe("orders_v2|Orders V2|ORDERS v2");
        var hidden = await PeekAsync("salaries", analyst);
        var never = await PeekAsync("nonsense", analyst);
        hidden.Status.ShouldBe(403);
        (never.Status, never.Body).ShouldBe((hidden.Status, hidden.Body));
        Comparable(never).ShouldBe(Comparable(hidden));
        (await PeekAsync("salaries", admin)).Status.ShouldBe(200);
        (await PeekAsync("nonsense", admin)).Status.ShouldBe(404);
    }

    [Fact]
    public void A_published_table_without_a_row_has_its_name_for_an_id_and_is_for_admins_until_granted()
    {
        var snapshot = People().WithVersion(World.Version("loose", 1));
        var (admin, analyst) = (CallerOf(snapshot, "root"), CallerOf(snapshot, "ana"));
        NamedTable.Resolve(snapshot, admin, "LOOSE")!.Id.ShouldBe("loose");
        Platform.Access.Access.CanRead(snapshot, admin, "loose").ShouldBeTrue();
        Platform.Access.Access.CanRead(snapshot, analyst, "loose").ShouldBeFalse();
        Scopes.Tables(snapshot, analyst).ShouldBeEmpty();

        var granted = snapshot.WithGrant(Grant("loose"));
        Platform.Access.Access.CanRead(granted, CallerOf(granted, "ana"), "loose").ShouldBeTrue();
        Scopes.Tables(granted, CallerOf(granted, "ana")).Select(table => table.Name).ShouldBe(["loose"]);
    }

    [Fact]
    public void A_grant_on_a_registered_id_does_not_open_an_unregistered_table_of_that_name()
    {
        // The registered table 'orders' is called sales; somebody's extract has a table called orders, which nobody registered.
        var snapshot = People().WithTable(Row("orders", "sales")).WithVersion(World.Version("orders", 1)).WithGrant(Grant("orders"));
        var (admin, analyst) = (CallerOf(snapshot, "root"), CallerOf(snapshot, "ana"));
        var scope = new Scopes(sha => sha).Of(snapshot, analyst);
        scope.Find("sales").ShouldNotBeNull();
        scope.Find("orders").ShouldBeNull();
        scope.All().Select(table => table.Name).ShouldBe(["sales"]);
        new Scopes(sha => sha).Of(snapshot, admin).All().Select(table => table.Name).ShouldBe(["orders", "sales"]);
        NamedTable.Resolve(snapshot, analyst, "orders")!.Name.ShouldBe("sales");
    }

    [Fact]
    public void A_hidden_tables_id_does_not_stand_in_front_of_a_granted_tables_name()
    {
        var snapshot = People().WithTable(Row("x", "secret")).WithTable(Row("y", "x")).WithGrant(Grant("y"));
        NamedTable.Resolve(snapshot, CallerOf(snapshot, "ana"), "x")!.Id.ShouldBe("y");
        NamedTable.Resolve(snapshot, CallerOf(snapshot, "root"), "x")!.Id.ShouldBe("x");
    }

    [Fact]
    public void Scopes_are_equal_exactly_when_the_same_versions_may_be_read()
    {
        var snapshot = People().WithTable(Row("orders", "orders")).WithTable(Row("salaries", "salaries")).WithGrant(Grant("orders"))
            .WithVersion(World.Version("orders", 1)).WithVersion(World.Version("salaries", 1)) with
        { Version = 5 };
        var scopes = new Scopes(sha => "/parts/" + sha);
        var (admin, analyst) = (CallerOf(snapshot, "root"), CallerOf(snapshot, "ana"));
        var scope = scopes.Of(snapshot, analyst);
        scope.Find("ORDERS")!.Paths.ShouldBe(["/parts/" + new string('a', 64)]);
        scope.Find("salaries").ShouldBeNull();
        scope.Find("none").ShouldBeNull();
        scope.NothingHidden.ShouldBeFalse();
        scopes.Hash(snapshot, admin).ShouldNotBe(scope.Hash);

        var hidden = snapshot.WithoutVersion("salaries", 1).WithVersion(World.Version("salaries", 2)) with { Version = 6 };
        scopes.Hash(hidden, CallerOf(hidden, "ana")).ShouldBe(scope.Hash);
        var changed = snapshot.WithoutVersion("orders", 1).WithVersion(World.Version("orders", 2)) with { Version = 7 };
        scopes.Hash(changed, CallerOf(changed, "ana")).ShouldNotBe(scope.Hash);
        var revoked = snapshot.WithoutGrant("grant") with { Version = 8 };
        scopes.Hash(revoked, CallerOf(revoked, "ana")).ShouldNotBe(scope.Hash);
    }

    [Fact]
    public void A_decision_does_not_grow_with_the_number_of_tables_and_groups()
    {
        var snapshot = People();
        for (var number = 0; number < 2_000; number++) snapshot = snapshot.WithTable(Row($"t{number}", $"t{number}"));
        for (var number = 0; number < 200; number++)
        {
            snapshot = snapshot.WithGroup(new GroupRow { Id = $"g{number}", Name = $"g{number}" })
                .WithGrant(new GrantRow { Id = $"grant{number}", GroupId = $"g{number}", ResourceType = "table", ResourceId = "t7" });
        }

        snapshot = snapshot.WithGrant(new GrantRow { Id = "mine", GroupId = "analysts", ResourceType = "table", ResourceId = "t7" });
        var analyst = CallerOf(snapshot, "ana");
        for (var warm = 0; warm < 20_000; warm++) Platform.Access.Access.CanRead(snapshot, analyst, "t7");
        var best = double.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var count = 0; count < 1_000; count++) Platform.Access.Access.CanRead(snapshot, analyst, "t7").ShouldBeTrueFast();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMicroseconds / 1_000);
        }

        best.ShouldBeLessThan(20); // the goal is 2; a busy machine gets room, a walk over everything does not fit
    }

    private static Snapshot People() => Snapshot.Empty
        .WithGroup(new GroupRow { Id = "admins", Name = "Admin", IsSystem = true })
        .WithGroup(new GroupRow { Id = "analysts", Name = "Analysts" })
        .WithUser(new UserRow { Id = "root", Email = "root@example.com" })
        .WithUser(new UserRow { Id = "ana", Email = "ana@example.com" })
        .WithMembership(new MembershipRow { UserId = "root", GroupId = "admins", Source = "admin" })
        .WithMembership(new MembershipRow { UserId = "ana", GroupId = "analysts", Source = "admin" });

    private static GrantRow Grant(string id) => new() { Id = "grant", GroupId = "analysts", ResourceType = "table", ResourceId = id, AssignedAt = Now };

    private static TableRow Row(string id, string name) => new() { Id = id, Name = name, RegisteredAt = Now };

    private static Caller CallerOf(Snapshot snapshot, string user) => Caller.Of(snapshot, snapshot.User(user)!, CallerKind.Session);

    private static string Comparable(Answer answer) =>
        string.Join('\n', answer.Headers.Where(header => header.Key.ToLowerInvariant() is not ("x-request-id" or "date")).OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {header.Value}"));
}

internal static class Fast
{
    /// <summary>An assertion that costs nothing, for loops that are timed.</summary>
    public static void ShouldBeTrueFast(this bool value)
    {
        if (!value) value.ShouldBeTrue();
    }
}
