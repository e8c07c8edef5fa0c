using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.SignIn;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>A session is begun for the account as it was proved, or not at all: no sign-in outlives a new password or a deactivation that came while it went on.</summary>
public sealed class OvertakenSignInTests(Postgres postgres)
{
    private const string Email = "ana@example.com";
    private const string Password = "correct horse";

    private static readonly string[] Changes = ["a new password", "deactivated and back", "sessions ended"];

    [Theory, OnBothEngines]
    public async Task Whoever_proved_the_account_of_before_gets_no_session_of_the_account_of_now(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var admin = await server.SignInAsync();
        var id = (await server.SendAsync("POST", "/api/users", new JsonObject { ["email"] = Email, ["name"] = "Ana" }.ToJsonString(), admin)).Text("id");
        foreach (var change in Changes)
        {
            // The units that a way in needs before the one that begins the session.
            foreach (var (way, before) in ((string, int)[])[("program", 0), ("json", 0), ("form", 0), ("link", 1), ("link form", 1), ("set", 1), ("set form", 1), ("change", 1)])
            {
                (await server.SendAsync("POST", $"/api/users/{id}/set-password", new JsonObject { ["password"] = Password }.ToJsonString(), admin)).Status.ShouldBe(204);
                var session = await server.SignInAsync(Email, Password);
                var link = await server.State.WriteAsync(write => PasswordLinks.CreateAsync(write, id, way.StartsWith("set", StringComparison.Ordinal) ? LinkPurpose.Setup : LinkPurpose.SignIn));
                var sessions = await CountAsync(server, id);
                var gate = await HeldGate.HoldAsync(server);
                if (before == 0)
                {
                    var changed = ChangeAsync(server, id, change);
                    var late = AskAsync(server, way, link, session);
                    await gate.WaitForAsync(2, late);
                    await gate.ReleaseAsync();
                    await changed;
                    await RefusedAsync(server, id, await late, sessions, $"{way} after {change}");
                    continue;
                }

                var answer = AskAsync(server, way, link, session);
                await gate.WaitForAsync(before, answer);
                var between = ChangeAsync(server, id, change);
                await gate.ReleaseAsync();
                await between;
                await RefusedAsync(server, id, await answer, sessions, $"{way} with {change} in between");
            }
        }
    }

    [Theory, OnBothEngines]
    public async Task A_link_from_before_a_deactivation_is_nothing_after_it(StateEngine engine)
    {
        await using var server = await TestServer.StartAsync(engine, postgres);
        var admin = await server.SignInAsync();
        var id = (await server.SendAsync("POST", "/api/users", new JsonObject { ["email"] = Email, ["name"] = "Ana" }.ToJsonString(), admin)).Text("id");
        var link = await server.State.WriteAsync(write => PasswordLinks.CreateAsync(write, id, LinkPurpose.Setup));
        foreach (var step in (string[])["deactivate", "activate"]) (await server.SendAsync("POST", $"/api/users/{id}/{step}", token: admin)).Status.ShouldBe(200);
        (await AskAsync(server, "set", link, "")).Status.ShouldBe(400);
    }

    private static async Task RefusedAsync(TestServer server, string id, Answer answer, long sessions, string what)
    {
        if (answer.Status == 302) answer.Header("Location")!.ShouldContain("error=", customMessage: what);
        else answer.Status.ShouldBe(401, $"{what}: {answer.Body}");
        SignInVisit.SessionOf(answer).ShouldBeNullOrEmpty(what);
        (await CountAsync(server, id)).ShouldBe(sessions, what);
    }

    private static async Task<long> CountAsync(TestServer server, string id) => (await server.State.ReadAsync<long>("SELECT count(*) FROM sessions WHERE user_id = @id", new { id }))[0];

    private static Task ChangeAsync(TestServer server, string id, string change) => server.State.WriteAsync(async write =>
    {
        var user = write.Before.User(id)!;
        if (change == "a new password") await UserStore.SetPasswordAsync(write, user, "another hash");
        else await UserStore.UpdateAsync(write, user with { SessionsValidAfter = write.Now });
        if (change != "deactivated and back") return;
        await UserStore.UpdateAsync(write, write.Current.User(id)! with { Active = false });
        await UserStore.UpdateAsync(write, write.Current.User(id)! with { Active = true });
    });

    private static Task<Answer> AskAsync(TestServer server, string way, string link, string session)
    {
        var email = Uri.EscapeDataString(Email);
        var byLink = new JsonObject { ["email"] = Email, ["token"] = link, ["password"] = "another long one" }.ToJsonString();
        return way switch
        {
            "program" => server.SendAsync("POST", "/auth/token", new JsonObject { ["email"] = Email, ["password"] = Password }.ToJsonString()),
            "json" => server.SendAsync("POST", "/auth/password/login", new JsonObject { ["email"] = Email, ["password"] = Password }.ToJsonString()),
            "form" => server.SendAsync("POST", "/auth/password/login/web", $"email={email}&password={Uri.EscapeDataString(Password)}"),
            "link" => server.SendAsync("POST", "/auth/email/verify", byLink),
            "link form" => server.SendAsync("POST", "/auth/email/verify/web", $"email={email}&token={link}"),
            "set" => server.SendAsync("POST", "/auth/password/setup", byLink),
            "set form" => server.SendAsync("POST", "/auth/password/setup/confirm", $"email={email}&token={link}&password=another+long+one&confirm_password=another+long+one"),
            _ => server.SendAsync("POST", "/auth/password/change", new JsonObject { ["current_password"] = Password, ["new_password"] = "another long one" }.ToJsonString(), session),
        };
    }
}
