using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>What may not be read back follows from where a value came from. None of the names here sounds like a secret.</summary>
public sealed class OriginIsMaskedTests(Postgres postgres)
{
    private const string Config = "/api/admin/server-config";

    private const string References =
        """
        theme:
          plain: ${NICE}
          part: before ${NICE} after
          otherwise: ${NICE:-nothing}
          list: [a, "${NICE}", {name: "x${NICE}", deep: ["${NICE}"]}]
          number: ${COUNT}
        openmetadata:
          url: https://${NICE}:${NICE}@example.com/x
        instance:
          name: ${NICE}
          subtitle: ${JIRA_EMAIL}
        data_source:
          keboola: {stack_url: "https://${NICE}.example.com"}
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_a_reference_gives_is_shown_nowhere(bool byOperator)
    {
        await using var server = await StartAsync(byOperator);
        var admin = await server.SignInAsync();
        (await server.SendAsync("PUT", "/api/admin/secrets/JIRA_EMAIL", """{"value":"marker-kept"}""", admin)).Status.ShouldBe(204);
        var shown = await server.SendAsync("GET", Config, token: admin);
        var sections = shown.Json["sections"]!;
        sections["theme"]!.ToJsonString().ShouldBe("""{"plain":"***","part":"***","otherwise":"***","list":["a","***",{"name":"***","deep":["***"]}],"number":"***"}""");
        (sections["openmetadata"]!["url"]!.GetValue<string>(), sections["instance"]!["subtitle"]!.GetValue<string>()).ShouldBe(("***", "***"));

        // Put back as it came it changes nothing, a dry run and the audit tell as little, and a guess is no way to find out.
        var back = new JsonObject { ["sections"] = sections.DeepClone(), ["confirm_danger"] = true };
        var same = await server.SendAsync("POST", Config, back.ToJsonString(), admin);
        (same.Status, same.Json["diff_count"]!.GetValue<int>()).ShouldBe((200, 0), same.Body);
        var guess = """{"dry_run":true,"sections":{"theme":{"plain":"marker-nice","other":"x"}}}""";
        var right = await server.SendAsync("POST", Config, guess, admin);
        var wrong = await server.SendAsync("POST", Config, guess.Replace("marker-nice", "marker-nono", StringComparison.Ordinal), admin);
        right.Body.Replace("marker-nice", "marker-nono", StringComparison.Ordinal).ShouldBe(wrong.Body);

        var changed = await server.SendAsync("POST", Config, """{"sections":{"theme":{"plain":"mine"},"instance":{"name":"Acme"}}}""", admin);
        changed.Status.ShouldBe(200, changed.Body);
        (await server.SendAsync("POST", Config, """{"sections":{"theme":{"list":["b","***"]}}}""", admin)).Status.ShouldBe(400, "a mask over what it masks");
        var refusals = new List<string>();
        foreach (var reference in (string[])["${NICE}", "a ${JIRA_EMAIL} b", "${NOBODY_SET_THIS}"])
        {
            var refused = await server.SendAsync("POST", Config, new JsonObject { ["sections"] = new JsonObject { ["theme"] = new JsonObject { ["more"] = new JsonArray("a", reference) } } }.ToJsonString(), admin);
            refused.Status.ShouldBe(400, refused.Body);
            refusals.Add(refused.Body);
        }

        refusals.Distinct().Count().ShouldBe(1, "whether a variable is set is nobody's business");
        var all = string.Join('\n', (string[])[shown.Body, same.Body, changed.Body, .. refusals, .. (await server.AuditAsync()).Select(row => row.Params ?? "")]);
        all.ShouldNotContain("marker-");
        (await server.SendAsync("POST", "/api/admin/metadata/orders/push", null, admin)).Body.ShouldNotContain("marker-");
    }

    /// <summary>Texts for everybody carry what the operator wrote, and of an admin's overlay no variable of the operator's.</summary>
    [Fact]
    public async Task An_overlay_does_not_bring_a_variable_into_texts_for_everybody()
    {
        await using var server = await StartAsync(byOperator: false);
        var welcome = await server.SendAsync("GET", "/api/welcome", token: await server.SignInAsync());
        welcome.Status.ShouldBe(200, welcome.Body);
        welcome.Body.ShouldNotContain("marker-");
    }

    private Task<TestServer> StartAsync(bool byOperator) => TestServer.StartAsync(StateEngine.DuckDb, postgres, options =>
    {
        var config = Path.Combine(options.StateDir, byOperator ? "operators" : "none");
        Directory.CreateDirectory(config);
        File.WriteAllText(Path.Combine(byOperator ? config : options.StateDir, "instance.yaml"), References);
        return options with { ConfigDir = config, Variables = name => name switch { "NICE" => "marker-nice", "COUNT" => "7", _ => null } };
    });
}
