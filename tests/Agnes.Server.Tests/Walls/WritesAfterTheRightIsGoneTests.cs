using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Features.Uploads;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Access;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Step = Agnes.Server.Tests.Access.EveryChangeIsAuditedTests.Step;

namespace Agnes.Server.Tests.Walls;

/// <summary>
/// Nothing is written for somebody who may not write it any more, however early they asked. Every route that changes something is used by an account whose right goes while the last of the
/// body is held back, and while the write waits for its turn; then once with success, so that it is known to be a change.
/// </summary>
public sealed class WritesAfterTheRightIsGoneTests(Postgres postgres)
{
    private const string Password = "correct horse";
    private const string NextPassword = "correct horse battery";

    /// <summary>What these write lies in files, which are there before the state's turn comes.</summary>
    private static readonly string[] Files =
    [
        "/api/upload/artifacts", "/api/upload/sessions", "/api/upload/local-md", "/api/admin/secrets/{name}", "/api/admin/server-config", "/api/admin/configure",
    ];

    /// <summary>Not for tokens.</summary>
    private static readonly string[] ForSessions = ["/auth/tokens", "/auth/password/change"];

    /// <summary>The writes of everybody, for themselves.</summary>
    private static readonly Step[] Own =
    [
        new("POST", "/auth/tokens", Body: """{"name":"mine"}""", Id: "mine"),
        new("DELETE", "/auth/tokens/{id}", "/auth/tokens/{mine}"),
        new("DELETE", "/auth/sessions/{id}", "/auth/sessions/{other}"),
        new("POST", "/api/me/onboarded", Body: """{"onboarded":true}"""),
        new("PUT", "/api/settings/dataset", Body: """{"dataset":"orders","enabled":true}"""),
        new("POST", "/api/sync/settings", Body: """{"datasets":{"orders":true}}"""),
        new("POST", "/api/sync/table-subscriptions", Body: """{"tables":{"orders":true}}"""),
        new("POST", "/api/upload/artifacts", Body: "{name: file}"),
        new("POST", "/api/upload/sessions", Body: "{name: file}"),
        new("POST", "/api/upload/local-md", Body: """{"content":"notes"}"""),
        new("POST", "/auth/password/change", Body: $$"""{"current_password":"{{Password}}","new_password":"{{NextPassword}}"}"""),
        new("POST", "/auth/logout/everywhere"),
    ];

    private static readonly Dictionary<string, string> Besides = new(StringComparer.Ordinal)
    {
        ["POST /api/catalog/profile/{table_name}/refresh"] = "what it makes is the server's own, for everybody",
        ["DELETE /api/statements/{id}"] = "writes nothing, and ends only what is the asker's own",
        ["POST /api/desktop/authorize"] = "wants the desktop application's secret: DesktopTests",
        ["POST /api/desktop/unlink"] = "likewise",
    };

    private enum Way
    {
        Deactivated,
        TokenRevoked,
        Demoted,
    }

    [Theory, OnBothEngines]
    public async Task Every_change_is_refused_that_was_asked_for_before_and_comes_after(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres, options => options with { ConfigDir = options.StateDir + "/none" });
        var held = await Asker.MakeAsync(shop, "held@example.com", isAdmin: true);
        var own = await Asker.MakeAsync(shop, "own@example.com", isAdmin: false);
        var names = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["token"] = (await shop.Server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", shop.Analyst)).Text("id"),
            ["other"] = Claim(await shop.Server.SignInAsync("own@example.com", Password), "jti"),
        };
        var faults = new List<string>();
        var steps = EveryChangeIsAuditedTests.Steps.Concat(EveryChangeIsAuditedTests.TextSteps(shop)).Select(step => (Step: step, Asker: held)).Concat(Own.Select(step => (Step: step, Asker: own))).ToList();
        foreach (var ((step, asker), turn) in steps.Select((step, turn) => (step, turn)))
        {
            if (step.Route.EndsWith("{sessionId}", StringComparison.Ordinal)) names["session"] = await EveryChangeIsAuditedTests.SessionAsync(shop, names["user"]);
            string Fill(string text) => names.Aggregate(text, (filled, pair) => filled.Replace($"{{{pair.Key}}}", pair.Value, StringComparison.Ordinal));
            var (path, body) = (Fill(step.Path ?? step.Route), step.Body is null ? null : Fill(step.Body));
            var ways = asker == held ? 3 : ForSessions.Contains(step.Route) ? 1 : 2;
            if (body is not null) await TryAsync(shop, asker, (Way)(turn % ways), $"{step.Method} {step.Route}, its body held back", faults, (token, revoke) => HoldBodyAsync(shop, step.Method, path, body, token, revoke));
            if (!Files.Contains(step.Route)) await TryAsync(shop, asker, (Way)((turn + 1) % ways), $"{step.Method} {step.Route}, waiting for its turn", faults, (token, revoke) => HoldGateAsync(shop, step.Method, path, body, token, revoke));

            var done = await SendAsync(shop, step.Method, path, body, asker == held ? shop.Admin : own.Session);
            if (done.Status is < 200 or > 299) faults.Add($"{step.Method} {step.Route} with the right: {done.Status} {done.Body}");
            else if (step.Id is { } id) names[id] = done.Text(id == "run" ? "run_id" : "id");
            if (step.Route == "/auth/password/change") own.Session = await shop.Server.SignInAsync("own@example.com", NextPassword);
            faults.ShouldBeEmpty(); // the steps after it build on it
        }

        var used = steps.Select(step => $"{step.Step.Method} {step.Step.Route}").Concat(Besides.Keys).Concat(EveryChangeIsAuditedTests.Besides.Keys).ToHashSet(StringComparer.Ordinal);
        faults.AddRange(
            from route in EveryRouteTests.Routes(shop.Server.Services)
            let name = $"{route.Method} {EveryRouteTests.Text(route.Route)}"
            where route.Method != "GET" && route.Route.Metadata.GetMetadata<EndpointAccess>() is not EndpointAccess.PublicAccess && route.Route.Metadata.GetMetadata<ReadingUse>() is null
            where !used.Contains(name) && !name.EndsWith("/preview", StringComparison.Ordinal)
            select $"{name}: use it in Own, so that it is known to ask again before it writes");
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_takes_its_place_only_by_a_right_that_is_still_there()
    {
        using var folder = new TemporaryFolder();
        var secrets = new SecretStore(folder.Path);
        var uploads = new UploadFolder(new ServerOptions { DataDir = folder.Path, StateDir = folder.Path }, TimeProvider.System);
        using var content = new MemoryStream([1, 2, 3]);
        await secrets.SetAsync("KEBOOLA_STORAGE_TOKEN", "before", CancellationToken.None); // nobody's request
        WriteRight.Current = new WriteRight(_ => new ProblemException(403, "gone"), () => Snapshot.Empty);
        await Should.ThrowAsync<ProblemException>(secrets.SetAsync("KEBOOLA_STORAGE_TOKEN", "after", CancellationToken.None));
        await Should.ThrowAsync<ProblemException>(uploads.StoreAsync("user_artifacts", "u", "f", content, CancellationToken.None));
        new SecretStore(folder.Path).Find("KEBOOLA_STORAGE_TOKEN").ShouldBe("before");
        Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName).ShouldBe([".env_overlay", ".env_overlay.lock"], ignoreOrder: true);
    }

    private static async Task TryAsync(Shop shop, Asker asker, Way way, string what, List<string> faults, Func<string, Func<Task>, Task<(int Status, string Text)>> ask)
    {
        // The server's own jobs write now and then, too; what a request writes, it writes each time.
        for (var attempt = 0; ; attempt++)
        {
            var files = Stored(shop);
            long version = 0;
            var (status, text) = await ask(way == Way.TokenRevoked ? asker.Token : asker.Session, async () => version = await asker.SetAsync(shop, way, isGone: true));
            var isWritten = shop.Server.State.Snapshot.Version != version;
            // What had a worker look at its statement is ended there.
            var isEnded = status == 403 && text.Contains("Access was taken away while the statement ran.", StringComparison.Ordinal);
            if (status != (way == Way.Demoted ? 403 : 401) && !isEnded) faults.Add($"{what}: {status} after {way}: {text}");
            if (isWritten && attempt > 0) faults.Add($"{what}: something was written after {way}");
            if (Stored(shop) is var now && now != files) faults.Add($"{what}: a file was written after {way}: {now} instead of {files}");
            await asker.SetAsync(shop, way, isGone: false);
            if (!isWritten || attempt > 0) return;
        }
    }

    private static async Task<(int Status, string Text)> HoldBodyAsync(Shop shop, string method, string path, string body, string token, Func<Task> revoke)
    {
        using var content = Content(body);
        using var request = await HeldRequest.SendAsync(shop.Server.Url, method, path, content, token);
        await revoke();
        return await request.EndAsync();
    }

    private static async Task<(int Status, string Text)> HoldGateAsync(Shop shop, string method, string path, string? body, string token, Func<Task> revoke)
    {
        var gate = await HeldGate.HoldAsync(shop.Server);
        var revoked = revoke();
        var answer = SendAsync(shop, method, path, body, token);
        await gate.WaitForAsync(2, answer);
        await gate.ReleaseAsync();
        await revoked;
        var (status, text, _) = await answer;
        return (status, text);
    }

    private static Task<Serving.Answer> SendAsync(Shop shop, string method, string path, string? body, string token) => shop.Server.SendAsync(method, path, token: token, change: request =>
    {
        if (body is not null) request.Content = Content(body);
    });

    private static HttpContent Content(string body) => body.StartsWith("{name:", StringComparison.Ordinal)
        ? HeldRequest.Form("c/x.yml", body, "application/yaml")
        : new StringContent(body, Encoding.UTF8, "application/json");

    /// <summary>What requests write besides the state.</summary>
    private static string Stored(Shop shop) => string.Join(", ",
        from folder in (string[])["state", "user_artifacts", "user_sessions", "user_local_md"]
        let path = Path.Combine(shop.DataDir, folder)
        where Directory.Exists(path)
        from file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
        where folder != "state" || (Path.GetFileName(file) is ".env_overlay" or "instance.yaml")
        orderby file
        select $"{file} {File.ReadAllText(file).Length}");

    private static string Claim(string token, string name) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))![name]!.GetValue<string>();

    /// <summary>An account whose right comes and goes.</summary>
    private sealed class Asker(string userId, string session, string token, string tokenId)
    {
        public string Session { get; set; } = session;

        public string Token => token;

        public static async Task<Asker> MakeAsync(Shop shop, string email, bool isAdmin)
        {
            var id = (await shop.AsAdminAsync("POST", "/api/users", new JsonObject { ["email"] = email, ["name"] = "x" }.ToJsonString())).Text("id");
            (await shop.AsAdminAsync("POST", $"/api/users/{id}/set-password", new JsonObject { ["password"] = Password }.ToJsonString())).Status.ShouldBe(204);
            var group = isAdmin ? shop.Server.State.Snapshot.GroupByName(Snapshot.AdminGroup)!.Id : shop.GroupId;
            (await shop.AsAdminAsync("POST", $"/api/admin/groups/{group}/members", new JsonObject { ["email"] = email }.ToJsonString())).Status.ShouldBeInRange(200, 299);
            var session = await shop.Server.SignInAsync(email, Password);
            var token = await shop.Server.SendAsync("POST", "/auth/tokens", """{"name":"held"}""", session);
            return new Asker(id, session, token.Text("token"), token.Text("id"));
        }

        /// <returns>The state's version with it.</returns>
        public async Task<long> SetAsync(Shop shop, Way way, bool isGone)
        {
            await shop.Server.State.WriteAsync(write => SetAsync(write, way, isGone));
            return shop.Server.State.Snapshot.Version;
        }

        private async Task SetAsync(StateWrite write, Way way, bool isGone)
        {
            var admins = write.Before.GroupByName(Snapshot.AdminGroup)!.Id;
            switch (way)
            {
                case Way.Deactivated:
                    await UserStore.UpdateAsync(write, write.Before.User(userId)! with { Active = !isGone });
                    break;
                case Way.Demoted when isGone:
                    await MembershipStore.RemoveAsync(write, userId, admins, MembershipStore.AdminSource);
                    break;
                case Way.Demoted:
                    await MembershipStore.AddAsync(write, userId, admins, MembershipStore.AdminSource, null);
                    break;
                default:
                    var row = write.Before.Token(tokenId)! with { RevokedAt = isGone ? write.Now : null };
                    await write.ExecuteAsync("UPDATE personal_access_tokens SET revoked_at = @RevokedAt WHERE id = @Id", row);
                    write.Apply(snapshot => snapshot.WithToken(row));
                    break;
            }
        }
    }
}
