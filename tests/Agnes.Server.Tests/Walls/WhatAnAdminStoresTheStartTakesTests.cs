using System.Text.Json.Nodes;
using Agnes.Server.Features.Configuration;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;

namespace Agnes.Server.Tests.Walls;

/// <summary>No value that an admin can store, in the overlay or as a stored secret, keeps the next start from succeeding.</summary>
public sealed class WhatAnAdminStoresTheStartTakesTests(Postgres postgres)
{
    private const string Config = "/api/admin/server-config";

    /// <summary>At and beyond the ends of what a number, a choice or a text can be.</summary>
    private static readonly string[] Odd = ["0", "-1", "1", "65536", "99999", "9223372036854775807", "1.5", "true", "[]", "[\"a\"]", "{}", "\"\"", "\" \"", "\"x\"", "\"0\"", "\"${SMTP_PORT:-0}\"", "\"http://[\""];

    /// <summary>Every key of the form with every odd value: what the server takes, the next start takes without a word; what it does not, it answers with 422 or 400.</summary>
    [Fact]
    public async Task What_is_accepted_starts_and_what_would_not_is_refused_at_the_write()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var admin = await server.SignInAsync();
        foreach (var path in Keys().Where(path => SettingList.All.Find(path)?.Rule is not null))
        {
            foreach (var value in Odd)
            {
                File.Delete(Path.Combine(server.StateDir, InstanceConfig.FileName));
                var answer = await server.SendAsync("POST", Config, new JsonObject { ["sections"] = Nested(path, JsonNode.Parse(value)!), ["confirm_danger"] = true }.ToJsonString(), admin);
                if (answer.Status != 200) (answer.Status is 422 or 400 && answer.Body.Contains(path, StringComparison.Ordinal)).ShouldBeTrue($"{path} = {value}: {answer.Status} {answer.Body}");
                else if (!value.Contains('$', StringComparison.Ordinal)) Start(server.StateDir).ConfigProblems.ShouldBeEmpty($"{path} = {value}");
            }
        }

        foreach (var (path, value) in ((string, int)[])[("email.smtp_port", 0), ("email.smtp_port", 65_536), ("auth.max_pat_days", 99_999), ("auth.max_pat_days", 0)])
            (await server.SendAsync("POST", Config, new JsonObject { ["sections"] = Nested(path, value), ["confirm_danger"] = true }.ToJsonString(), admin)).Status.ShouldBe(422, path);
        (await server.SendAsync("PUT", "/api/admin/secrets/SMTP_PORT", """{"value":"0"}""", admin)).Status.ShouldBe(422);
        (await server.SendAsync("PUT", "/api/admin/secrets/SMTP_PORT", """{"value":"2525"}""", admin)).Status.ShouldBe(204);
        (await server.SendAsync("PUT", "/api/admin/secrets/SMTP_CA_FILE", """{"value":"/dev/zero"}""", admin)).Status.ShouldBe(400, "whose certificates count is the operator's");
    }

    /// <summary>As it may stand there from before, or by hand. Every key that is known, with those that only a file can have, and every variable that a stored secret can stand for.</summary>
    [Fact]
    public void Whatever_stands_in_the_overlay_or_among_the_secrets_the_server_starts()
    {
        using var folder = new TemporaryFolder();
        var state = Directory.CreateDirectory(folder["state"]).FullName;
        var tried = 0;
        foreach (var path in Keys().Concat(SettingList.All.All.Select(setting => setting.Key).OfType<string>()).Distinct(StringComparer.Ordinal))
        {
            foreach (var value in Odd)
            {
                var overlay = new JsonObject { ["email"] = new JsonObject { ["smtp_host"] = "mail.example.com" } };
                File.WriteAllText(Path.Combine(state, InstanceConfig.FileName), InstanceConfig.Merge(overlay, Nested(path, JsonNode.Parse(value)!)).ToJsonString());
                Should.NotThrow(() => Start(state), $"{path}: {value}");
                tried++;
            }
        }

        File.Delete(Path.Combine(state, InstanceConfig.FileName));
        foreach (var name in SettingList.All.All.SelectMany(setting => setting.Variables))
        {
            foreach (var value in (string[])["0", "-1", "99999", "x", "/dev/null", "http://["])
            {
                File.WriteAllText(Path.Combine(state, SecretStore.FileName), $"SMTP_HOST=mail.example.com\n{name}={value}\n");
                Should.NotThrow(() => Start(state), $"{name}={value}");
                tried++;
            }
        }

        tried.ShouldBeGreaterThan(800);
    }

    [Fact]
    public void What_is_out_of_range_is_named_and_the_operators_own_holds()
    {
        using var folder = new TemporaryFolder();
        var state = Directory.CreateDirectory(folder["state"]).FullName;
        File.WriteAllText(Path.Combine(state, InstanceConfig.FileName), "email:\n  smtp_host: mail.example.com\n  smtp_port: 0\nauth:\n  max_pat_days: 99999\n  everyone_membership: maybe\n");
        File.WriteAllText(Path.Combine(state, SecretStore.FileName), "SMTP_PORT=70000\n");

        var started = Start(state);
        (started.SignIn.Mail!.Smtp!.Port, started.TokenDaysMax).ShouldBe((587, null));
        started.EveryoneByHand.ShouldBeTrue("what nobody understands may have been meant to close it");
        foreach (var key in (string[])["email.smtp_port", "auth.max_pat_days", "auth.everyone_membership", "SMTP_PORT"]) started.ConfigProblems.ShouldContain(problem => problem.StartsWith($"{key} must be", StringComparison.Ordinal), key);

        Start(state, ("AGNES_PAT_DAYS_MAX", "30"), ("AGNES_EVERYONE_MEMBERSHIP", "all")).ShouldSatisfyAllConditions(own => own.TokenDaysMax.ShouldBe(30), own => own.EveryoneByHand.ShouldBeFalse());
        foreach (var (name, value) in ((string, string)[])[("AGNES_PAT_DAYS_MAX", "99999"), ("AGNES_EVERYONE_MEMBERSHIP", "maybe")])
            Should.Throw<OptionsException>(() => Start(state, (name, value))).Message.ShouldContain(value);
        Should.Throw<OptionsException>(() => Start(state, ("SMTP_HOST", "mail.example.com"), ("SMTP_PORT", "0"))).Message.ShouldBe("SMTP_PORT must be a number from 1 to 65535, not '0'.");
    }

    /// <summary>The dotted keys of all that the form knows.</summary>
    private static IEnumerable<string> Keys() =>
        KnownFields.Of(SettingList.All, new SourceKinds(SourceList.All)).SelectMany(section => Keys(section.Value!.AsObject(), section.Key));

    private static IEnumerable<string> Keys(JsonObject fields, string path) => fields.SelectMany(field =>
        field.Value!["fields"] is JsonObject below ? Keys(below, $"{path}.{field.Key}") : [$"{path}.{field.Key}"]);

    private static JsonObject Nested(string path, JsonNode value)
    {
        foreach (var key in path.Split('.').Reverse()) value = new JsonObject { [key] = value };
        return value.AsObject();
    }

    private static ServerOptions Start(string state, params (string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
        (variables["DATA_DIR"], variables["STATE_DIR"], variables["CONFIG_DIR"]) = (Path.Combine(state, "data"), state, Path.Combine(state, "none"));
        return ServerOptions.From([], variables.GetValueOrDefault);
    }
}
