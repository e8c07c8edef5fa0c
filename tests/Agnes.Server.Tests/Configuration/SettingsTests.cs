using Agnes.Server.Platform.Config;
using Agnes.Testing;

namespace Agnes.Server.Tests.Configuration;

public sealed class SettingsTests
{
    [Fact]
    public void The_environment_wins_over_stored_secrets_and_those_over_the_file()
    {
        using var folder = new TemporaryFolder();
        var (config, state) = (Directory.CreateDirectory(folder["config"]).FullName, Directory.CreateDirectory(folder["state"]).FullName);
        File.WriteAllText(Path.Combine(config, "instance.yaml"), "config_version: 1\nauth:\n  allowed_domain: example.com\n  max_pat_days: 30\nemail:\n  smtp_host: a.example.com\n  smtp_user: u\n  smtp_password: ${JIRA_API_TOKEN}\n");
        File.WriteAllText(Path.Combine(state, "instance.yaml"), "email:\n  smtp_host: b.example.com\n");
        File.WriteAllText(Path.Combine(state, ".env_overlay"), "SMTP_USER=v\nJIRA_API_TOKEN=pw\n");
        var environment = new Dictionary<string, string> { ["CONFIG_DIR"] = config, ["SMTP_PORT"] = "25" };
        var layers = SettingLayers.Open(SettingList.All, config, state, environment.GetValueOrDefault);
        (layers.Find("SMTP_HOST"), layers.Find("SMTP_USER"), layers.Find("SMTP_PASSWORD"), layers.Find("SMTP_PORT")).ShouldBe(("b.example.com", "v", null, null), "the operator's stay with the operator's server");
        (layers.Find("AGNES_ALLOWED_DOMAINS"), layers.Find("NOTHING")).ShouldBe(("example.com", null));
        layers.Instance.Problems.ShouldBeEmpty();

        File.WriteAllText(Path.Combine(state, "instance.yaml"), "");
        layers = SettingLayers.Open(SettingList.All, config, state, environment.GetValueOrDefault);
        (layers.Find("SMTP_HOST"), layers.Find("SMTP_USER"), layers.Find("SMTP_PASSWORD"), layers.Find("SMTP_PORT")).ShouldBe(("a.example.com", "v", "pw", "25"));
        File.AppendAllText(Path.Combine(config, "instance.yaml"), "security:\n  allowed_private_hosts: [one, two]\n");
        environment["STATE_DIR"] = state;
        var options = ServerOptions.From([], environment.GetValueOrDefault);
        options.TokenDaysMax.ShouldBe(30);
        options.AllowedPrivateHosts.ShouldBe(["one", "two"]);
        options.EveryoneByHand.ShouldBeFalse();

        // What cannot be read may have restricted something.
        File.WriteAllText(Path.Combine(state, "instance.yaml"), "auth: [");
        var closed = ServerOptions.From([], environment.GetValueOrDefault);
        (closed.EveryoneByHand, closed.ConfigProblems.Count).ShouldBe((true, 1));
    }

    [Fact]
    public void What_decides_who_gets_in_is_not_taken_from_stored_secrets()
    {
        using var folder = new TemporaryFolder();
        var state = Directory.CreateDirectory(folder["state"]).FullName;
        File.WriteAllText(
            Path.Combine(state, ".env_overlay"),
            "JWT_SECRET_KEY=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nAGNES_ALLOW_ANY_DOMAIN=1\nAGNES_TRUSTED_PROXIES=0.0.0.0/0\nSEED_ADMIN_EMAIL=eve@example.com\nSCHEDULER_API_TOKEN=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
            + "OIDC_ISSUER=https://evil.example.com\nDOMAIN=evil.example.com\nSMTP_PASSWORD=pw\nOIDC_CLIENT_SECRET=s\n");
        var options = ServerOptions.From([], new Dictionary<string, string> { ["STATE_DIR"] = state, ["CONFIG_DIR"] = folder["none"], ["DATA_DIR"] = folder.Path }.GetValueOrDefault);
        (options.JwtSecretKey, options.SeedAdminEmail, options.SchedulerToken, options.Domain).ShouldBe((null, null, null, null));
        (options.SignIn.AllowAnyDomain, options.TrustedProxies.Count).ShouldBe((false, 0));
        var layers = SettingLayers.Open(SettingList.All, folder["none"], state, _ => null);
        (layers.Find("OIDC_ISSUER"), layers.Find("OIDC_CLIENT_SECRET"), layers.Find("SMTP_PASSWORD")).ShouldBe((null, "s", "pw"));
    }

    [Theory]
    [InlineData("${A}/x", "1/x")]
    [InlineData("$${A} ${A}", "${A} 1")]
    [InlineData("${B:-two} ${A:-two}", "two 1")]
    [InlineData("${B}", "")]
    [InlineData("${A", "${A")]
    [InlineData("$A", "$A")]
    public void References_are_resolved_in_texts(string text, string expected)
    {
        var missing = new List<string>();
        References.Resolve(text, name => name == "A" ? "1" : null, missing.Add, "a.b")!.GetValue<string>().ShouldBe(expected);
        missing.Count.ShouldBe(text == "${B}" ? 1 : 0);
    }
}
