using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Access;

/// <summary>Two servers on one PostgreSQL, each with a client of its own.</summary>
public sealed class TwoServersTests(Postgres postgres)
{
    private const string Key = "0123456789abcdef0123456789abcdef";
    private const string Ana = "ana@example.com";

    [Fact]
    public async Task Two_admins_who_take_each_other_away_on_two_servers_leave_one_and_a_revocation_reaches_the_other_server()
    {
        if (Postgres.Binaries is null) Assert.Skip("PostgreSQL is not installed.");
        var url = await postgres.NewDatabaseAsync();
        Task<TestServer> StartAsync() => TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { StateUrl = url, JwtSecretKey = Key });
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        var root = await one.SignInAsync();
        var ana = (await one.SendAsync("POST", "/api/users", $$"""{"email":"{{Ana}}","name":"Ana"}""", root)).Text("id");
        (await one.SendAsync("POST", $"/api/users/{ana}/set-password", """{"password":"correct horse"}""", root)).Status.ShouldBe(204);
        var admins = one.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id;
        (await one.SendAsync("POST", $"/api/admin/groups/{admins}/members", $$"""{"email":"{{Ana}}"}""", root)).Status.ShouldBe(201);
        await EventuallyAsync(() => two.State.Snapshot.IsAdmin(ana));
        var rootId = one.State.Snapshot.UserByEmail(TestServer.AdminEmail)!.Id;
        for (var round = 0; round < 4; round++)
        {
            root = await one.SignInAsync();
            var other = await two.SignInAsync(Ana, "correct horse");
            await EventuallyAsync(() => one.State.Snapshot.Version == two.State.Snapshot.Version);
            var answers = await Task.WhenAll(
                one.SendAsync("POST", $"/api/users/{ana}/deactivate", token: root),
                two.SendAsync(round % 2 == 0 ? "POST" : "DELETE", round % 2 == 0 ? $"/api/users/{rootId}/deactivate" : $"/api/users/{rootId}", token: other));
            answers.Count(answer => answer.Status is 200 or 204).ShouldBe(1, string.Join(" | ", answers.Select(answer => answer.Body)));
            var (winner, server, loser) = answers[0].Status == 200 ? (root, one, ana) : (other, two, rootId);
            var away = server == one ? (two, other) : (one, root);
            await EventuallyAsync(() => away.Item1.State.Snapshot.User(loser) is not { Active: true });
            (await away.Item1.SendAsync("GET", "/api/users", token: away.Item2)).Status.ShouldBe(401, "on the other server too");
            if (server.State.Snapshot.User(loser) is null) return; // root is gone for good
            (await server.SendAsync("POST", $"/api/users/{loser}/activate", token: winner)).Status.ShouldBe(200);
            await EventuallyAsync(() => one.State.Snapshot.User(loser)!.Active && two.State.Snapshot.User(loser)!.Active);
        }
    }

    private static async Task EventuallyAsync(Func<bool> holds)
    {
        for (var i = 0; i < 300 && !holds(); i++) await Task.Delay(10);
        holds().ShouldBeTrue();
    }
}
