using System.Text.Json.Nodes;
using Agnes.Emulators.Keboola;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Configuration;

/// <summary>The first set-up, against a Keboola that knows one token.</summary>
public sealed class ConfigureTests(Postgres postgres)
{
    private const string Address = "/api/admin/configure";
    private const string Token = KeboolaServer.Token;

    [Fact]
    public async Task Keboola_is_asked_before_anything_is_written_and_its_token_is_told_to_nobody()
    {
        await using var keboola = await KeboolaServer.StartAsync();
        await using var server = await StartAsync("127.0.0.1");
        var admin = await server.SignInAsync();
        Task<Answer> PostAsync(string token, string url) => server.SendAsync(
            "POST", Address, new JsonObject { ["data_source"] = "keboola", ["keboola_token"] = token, ["keboola_url"] = url, ["keboola_project_id"] = "42", ["instance_name"] = "Acme", ["allowed_domain"] = "example.com" }.ToJsonString(), admin);

        var url = keboola.Address;
        foreach (var (token, at, text) in ((string, string, string)[])
        [
            ("wrong", url, "does not take the token"), (Token, $"{url}/elsewhere", "answered 404"), (Token, "http://127.0.0.1:1", "could not be reached"), (Token, "https://localhost", "private"),
            (Token, "http://169.254.169.254", "https"), (Token + "\nX: y", url, "line end"),
        ])
        {
            var refused = await PostAsync(token, at);
            (refused.Status, refused.Body.Contains(text, StringComparison.Ordinal), refused.Body.Contains(Token, StringComparison.Ordinal)).ShouldBe((400, true, false), $"{at}: {refused.Body}");
        }

        File.Exists(Path.Combine(server.StateDir, "instance.yaml")).ShouldBeFalse();
        File.Exists(Path.Combine(server.StateDir, ".env_overlay")).ShouldBeFalse();
        var done = await PostAsync(Token, url + "/");
        done.Body.ShouldBe("""{"status":"ok","data_source":"keboola","connection":"verified","restart_required":true}""");
        InstanceConfig.ReadFile(Path.Combine(server.StateDir, "instance.yaml"))!.ToJsonString().ShouldBe(
            $$$"""{"instance":{"name":"Acme"},"auth":{"allowed_domain":"example.com"},"data_source":{"type":"keboola","keboola":{"stack_url":"{{{url}}}","token_env":"KEBOOLA_STORAGE_TOKEN","project_id":"42"}},"ai":{"api_key":"${LLM_API_KEY}"}}""");
        File.ReadAllText(Path.Combine(server.StateDir, ".env_overlay")).ShouldBe($"KEBOOLA_STACK_URL={url}\nKEBOOLA_STORAGE_TOKEN={Token}\n");
        (await server.AuditAsync()).Single(row => row.Action == "instance_config.configure").Params!.ShouldNotContain(Token);
        (await server.SendAsync("GET", "/api/admin/server-config", token: admin)).Body.ShouldNotContain(Token);
    }

    [Fact]
    public async Task Other_sources_are_checked_for_what_they_need()
    {
        await using var server = await StartAsync();
        var admin = await server.SignInAsync();
        foreach (var (body, status) in ((string, int)[])
        [
            ("""{"data_source":"oracle"}""", 400), ("""{"data_source":"keboola","keboola_url":"https://example.com"}""", 400), ("""{"data_source":"bigquery"}""", 400),
            ("""{"data_source":"bigquery","bigquery_project":"No Project"}""", 400), ("""{"data_source":"local","allowed_domain":"example"}""", 400), ("""{"data_source":"local","instance_name":"${JWT_SECRET_KEY}"}""", 400),
            ("""{"instance_name":"x"}""", 422),
        ])
        {
            var answer = await server.SendAsync("POST", Address, body, admin);
            answer.Status.ShouldBe(status, $"{body}: {answer.Body}");
        }

        (await server.SendAsync("POST", Address, """{"data_source":"bigquery","bigquery_project":"acme-data"}""", admin)).Text("connection").ShouldBe("unverified");
        (await server.SendAsync("POST", Address, """{"data_source":"local"}""", admin)).Text("connection").ShouldBe("local");
        foreach (var name in (string[])["csv", "files"]) (await server.SendAsync("POST", Address, $$"""{"data_source":"{{name}}"}""", admin)).Text("data_source").ShouldBe("local");
        InstanceConfig.ReadFile(Path.Combine(server.StateDir, "instance.yaml"))!["data_source"]!.ToJsonString().ShouldBe("""{"type":"local"}""");
        File.WriteAllText(Path.Combine(server.StateDir, "instance.yaml"), "a: [");
        (await server.SendAsync("POST", Address, """{"data_source":"local"}""", admin)).Status.ShouldBe(500);
        File.ReadAllText(Path.Combine(server.StateDir, "instance.yaml")).ShouldBe("a: [");
    }

    private Task<TestServer> StartAsync(params string[] privateHosts) => TestServer.StartAsync(StateEngine.DuckDb, postgres, options =>
        options with { ConfigDir = options.StateDir + "/none", AllowedPrivateHosts = privateHosts, Variables = name => name == "LLM_API_KEY" ? "set" : null });
}
