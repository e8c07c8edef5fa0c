using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Configuration;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ServerConfigTests(Postgres postgres)
{
    private const string Address = "/api/admin/server-config";

    private const string Overlay =
        """
        instance:
          name: ${INSTANCE_NAME}
        email:
          smtp_host: ${SMTP_HOST:-mail.example.com}
          smtp_password: hunter2
        telegram:
          bot_token: ${BOT_TOKEN}
        ai:
          api_key: ""
        """;

    [Fact]
    public async Task What_comes_out_has_no_secret_and_put_back_it_changes_nothing()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        var shown = await server.SendAsync("GET", Address, token: admin);
        shown.Status.ShouldBe(200, shown.Body);
        var sections = shown.Json["sections"]!;
        (sections["instance"]!["name"]!.GetValue<string>(), sections["email"]!["smtp_host"]!.GetValue<string>()).ShouldBe(("***", "***"));
        (sections["email"]!["smtp_password"]!.GetValue<string>(), sections["telegram"]!["bot_token"]!.GetValue<string>(), sections["ai"]!["api_key"]!.GetValue<string>()).ShouldBe(("***", "***", "<empty>"));
        shown.Body.ShouldNotContain("hunter2");
        shown.Body.ShouldNotContain("123:abc");
        shown.Body.ShouldNotContain("Acme");
        foreach (var name in shown.Json["editable_sections"]!.AsArray()) sections[name!.GetValue<string>()].ShouldNotBeNull();

        var before = InstanceConfig.ReadFile(OverlayOf(server))!.ToJsonString();
        var body = new JsonObject { ["sections"] = sections.DeepClone(), ["confirm_danger"] = true };
        var put = await server.SendAsync("POST", Address, body.ToJsonString(), admin);
        put.Status.ShouldBe(200, put.Body);
        var after = InstanceConfig.ReadFile(OverlayOf(server))!;
        foreach (var path in (string[])["instance.name", "email.smtp_host", "email.smtp_password", "telegram.bot_token", "ai.api_key"])
        {
            InstanceConfig.At(after, path)!.ToJsonString().ShouldBe(InstanceConfig.At(JsonNode.Parse(before)!.AsObject(), path)!.ToJsonString(), path);
        }
    }

    [Fact]
    public async Task What_nothing_reads_is_kept_and_said_to_be_without_effect()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        var put = await server.SendAsync("POST", Address, """{"sections":{"theme":{"color":"red"},"instance":{"name":"A"},"corporate_memory":{"extraction":{"model":"m"}}}}""", admin);
        put.Json["without_effect"]!.ToJsonString().ShouldBe("""["corporate_memory.extraction.model","theme.color"]""");
        var shown = (await server.SendAsync("GET", Address, token: admin)).Json;
        shown["without_effect"]!.AsArray().Select(key => key!.GetValue<string>()).ShouldContain("theme.color");
        var known = shown["known_fields"]!;
        known["instance"]!["name"]!["read"].ShouldBeNull();
        (known["materialize"]!["lock_ttl_seconds"]!["read"]!.GetValue<bool>(), known["corporate_memory"]!["extraction"]!["fields"]!["model"]!["read"]!.GetValue<bool>()).ShouldBe((false, false));
    }

    [Fact]
    public async Task A_change_is_merged_kept_aside_and_audited_without_the_secret()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        Task<Answer> PostAsync(string body, string? match = null) => server.SendAsync("POST", Address, body, admin, request =>
        {
            if (match is not null) request.Headers.TryAddWithoutValidation("If-Match", match);
        });

        var change = """{"sections":{"instance":{"subtitle":"x: [y]"},"email":{"smtp_password":"other"}},"$unset":["telegram.bot_token"]}""";
        var dry = await PostAsync(change.Replace("\"sections\"", "\"dry_run\":true,\"sections\"", StringComparison.Ordinal));
        dry.Json["diff"]!.ToJsonString().ShouldBe("""[{"path":"email.smtp_password","before":"***","after":"***"},{"path":"instance.subtitle","before":null,"after":"x: [y]"},{"path":"telegram.bot_token","before":"***","after":"\u003Cempty\u003E"}]""");
        File.ReadAllText(OverlayOf(server)).ShouldBe(Overlay);

        var tag = (await server.SendAsync("GET", Address, token: admin)).Header("ETag")!;
        var done = await PostAsync(change, tag);
        (done.Status, done.Json["diff_count"]!.GetValue<int>(), done.Json["restart_required"]!.GetValue<bool>()).ShouldBe((200, 3, true));
        var overlay = InstanceConfig.ReadFile(OverlayOf(server))!;
        overlay.ToJsonString().ShouldBe("""{"instance":{"name":"${INSTANCE_NAME}","subtitle":"x: [y]"},"email":{"smtp_host":"${SMTP_HOST:-mail.example.com}","smtp_password":"other"},"telegram":{},"ai":{"api_key":""}}""");
        File.GetUnixFileMode(OverlayOf(server)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.ReadAllText(Directory.GetFiles(Path.Combine(server.StateDir, "config-backups")).ShouldHaveSingleItem()).ShouldBe(Overlay);
        var audit = (await server.AuditAsync()).Last();
        audit.Action.ShouldBe("instance_config.update");
        audit.Params!.ShouldContain("email.smtp_password");
        (audit.Params!.Contains("other", StringComparison.Ordinal), audit.Params.Contains("hunter2", StringComparison.Ordinal)).ShouldBe((false, false));

        (await PostAsync("""{"sections":{"instance":{"name":"y"}}}""", tag)).Status.ShouldBe(409);
    }

    [Fact]
    public async Task What_would_do_harm_is_refused_before_anything_is_written()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        foreach (var (body, status) in ((string, int)[])
        [
            ("""{"sections":{}}""", 422), ("""{"sections":{"thmee":{}}}""", 400), ("""{"sections":{"instance":"x"}}""", 422), ("""{"$unset":["state.x"]}""", 400),
            ("""{"sections":{"auth":{"allowed_domain":"x.example.com"}}}""", 400), ("""{"$unset":["auth.allowed_domain"]}""", 400),
            ("""{"sections":{"auth":{"everyone_membership":"maybe"}},"confirm_danger":true}""", 422),
            ("""{"sections":{"data_source":{"keboola":{"stack_url":"http://169.254.169.254/"}}}}""", 400),
            ("""{"sections":{"data_source":{"keboola":{"stack_url":"https://127.0.0.1/"}}}}""", 400),
            ("""{"sections":{"data_source":{"keboola":{"stack_url":"https://user:pw@example.com/"}}}}""", 400),
            ("""{"sections":{"materialize":{"lock_ttl_seconds":59}}}""", 422), ("""{"sections":{"materialize":{"lock_ttl_seconds":"x"}}}""", 422),
        ])
        {
            var answer = await server.SendAsync("POST", Address, body, admin);
            answer.Status.ShouldBe(status, $"{body}: {answer.Body}");
        }

        File.ReadAllText(OverlayOf(server)).ShouldBe(Overlay);
        File.WriteAllText(OverlayOf(server), "instance: [broken");
        (await server.SendAsync("POST", Address, """{"sections":{"instance":{"name":"x"}}}""", admin)).Status.ShouldBe(500);
        File.ReadAllText(OverlayOf(server)).ShouldBe("instance: [broken");
        (await server.SendAsync("GET", Address, token: admin)).Json["problems"]!.AsArray().ShouldNotBeEmpty();
    }

    [Fact]
    public async Task No_reference_brings_a_secret_out()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        await server.SendAsync("PUT", "/api/admin/secrets/JIRA_EMAIL", """{"value":"marker-stored"}""", admin);

        // By way of the API it is refused; where the operator wrote it into a file, it is masked.
        foreach (var reference in (string[])["${JWT_SECRET_KEY}", "x ${BOT_TOKEN:-y}", "${JIRA_EMAIL}", "${AGNES_STATE_URL}"])
        {
            var body = new JsonObject { ["sections"] = new JsonObject { ["instance"] = new JsonObject { ["subtitle"] = reference } } }.ToJsonString();
            (await server.SendAsync("POST", Address, body, admin)).Status.ShouldBe(400, reference);
            var hidden = new JsonObject { ["sections"] = new JsonObject { ["theme"] = new JsonObject { ["list"] = new JsonArray(reference) } } }.ToJsonString();
            (await server.SendAsync("POST", Address, hidden, admin)).Status.ShouldBe(400, reference);
        }

        (await server.SendAsync("POST", Address, """{"sections":{"jira":{"api_token":"${JIRA_EMAIL}"}}}""", admin)).Status.ShouldBe(200);
        File.AppendAllText(OverlayOf(server), "\nopenmetadata:\n  url: https://user:marker-inside@example.com/x\ntheme:\n  a: ${JIRA_EMAIL}\n  b: [\"${BOT_TOKEN}\", c]\n  list:\n    - {name: one, password: marker-listed}\n");
        var shown = await server.SendAsync("GET", Address, token: admin);
        foreach (var secret in (string[])["marker-", "123:abc", "hunter2"]) shown.Body.ShouldNotContain(secret);
        var sections = shown.Json["sections"]!;
        sections["theme"]!.ToJsonString().ShouldBe("""{"a":"***","b":["***","c"],"list":[{"name":"one","password":"***"}]}""");
        sections["openmetadata"]!["url"]!.GetValue<string>().ShouldBe("https://***@example.com/x");

        var before = InstanceConfig.ReadFile(OverlayOf(server))!.ToJsonString();
        (await server.SendAsync("POST", Address, new JsonObject { ["sections"] = sections.DeepClone(), ["confirm_danger"] = true }.ToJsonString(), admin)).Status.ShouldBe(200);
        var after = InstanceConfig.ReadFile(OverlayOf(server))!;
        foreach (var path in (string[])["theme.a", "theme.b", "theme.list", "openmetadata.url", "jira.api_token"]) InstanceConfig.At(after, path)!.ToJsonString().ShouldBe(InstanceConfig.At(JsonNode.Parse(before)!.AsObject(), path)!.ToJsonString(), path);
        (await server.SendAsync("POST", Address, """{"sections":{"theme":{"list":[{"name":"two","password":"***"}]}}}""", admin)).Status.ShouldBe(400, "a mask over a secret");
    }

    [Fact]
    public async Task What_was_wrongly_sent_is_not_told_back_with_its_secrets()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        foreach (var (method, path, body) in ((string, string, string)[])
        [
            ("PUT", "/api/admin/secrets/KEBOOLA_STORAGE_TOKEN", """{"valeu":"marker"}"""), ("PUT", "/api/admin/secrets/KEBOOLA_STORAGE_TOKEN", """{"value":["marker"]}"""),
            ("POST", Address, """{"sections":{"email":{"smtp_password":"marker","smtp_port":"x"}}}"""), ("POST", Address, """{"sections":{"materialize":{"lock_ttl_seconds":1},"ai":{"api_key":"marker"}}}"""),
            ("POST", "/auth/password/change", """{"current_password":"marker"}"""), ("POST", "/api/admin/configure", """{"keboola_token":"marker"}"""),
        ])
        {
            var answer = await server.SendAsync(method, path, body, admin);
            (answer.Status, answer.Body.Contains("marker", StringComparison.Ordinal)).ShouldBe((422, false), $"{path}: {answer.Body}");
        }
    }

    [Fact]
    public async Task Secrets_go_in_and_never_out()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        Task<Answer> PutAsync(string name, string value) => server.SendAsync("PUT", $"/api/admin/secrets/{name}", new JsonObject { ["value"] = value }.ToJsonString(), admin);
        (await PutAsync("KEBOOLA_STORAGE_TOKEN", "s3cr3t")).Status.ShouldBe(204);
        (await PutAsync("KEBOOLA_STORAGE_TOKEN", "a\nJWT_SECRET_KEY=mine")).Status.ShouldBe(400);
        (await PutAsync("lower", "x")).Status.ShouldBe(400);
        foreach (var operators in (string[])["JWT_SECRET_KEY", "AGNES_ALLOW_ANY_DOMAIN", "SCHEDULER_API_TOKEN", "OIDC_ISSUER", "LD_PRELOAD"]) (await PutAsync(operators, "x")).Status.ShouldBe(400, operators);
        (await PutAsync("BLANK", " ")).Status.ShouldBe(400);
        var listed = await server.SendAsync("GET", "/api/admin/secrets", token: admin);
        listed.Body.ShouldBe("""{"secrets":[{"name":"KEBOOLA_STORAGE_TOKEN","overridden_by_environment":false}]}""");
        var file = Path.Combine(server.StateDir, ".env_overlay");
        (File.ReadAllText(file), File.GetUnixFileMode(file)).ShouldBe(("KEBOOLA_STORAGE_TOKEN=s3cr3t\n", UnixFileMode.UserRead | UnixFileMode.UserWrite));
        (await server.AuditAsync()).ShouldNotContain(row => row.Params != null && row.Params.Contains("s3cr3t"));
        Environment.GetEnvironmentVariable("KEBOOLA_STORAGE_TOKEN").ShouldBeNull("children would inherit it");
        (await server.SendAsync("DELETE", "/api/admin/secrets/KEBOOLA_STORAGE_TOKEN", token: admin)).Status.ShouldBe(204);
        File.ReadAllText(file).ShouldBe("");
    }

    private static string OverlayOf(TestServer server) => Path.Combine(server.StateDir, "instance.yaml");

    private Task<TestServer> StartAsync() => TestServer.StartAsync(StateEngine.DuckDb, postgres, options =>
    {
        Directory.CreateDirectory(options.StateDir);
        File.WriteAllText(Path.Combine(options.StateDir, "instance.yaml"), Overlay);
        return options with { ConfigDir = options.StateDir + "/none", Variables = name => name switch { "INSTANCE_NAME" => "Acme", "BOT_TOKEN" => "123:abc", _ => null } };
    });
}
