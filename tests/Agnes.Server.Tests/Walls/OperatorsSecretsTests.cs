using System.Text.Json.Nodes;
using Agnes.Emulators.Smtp;
using Agnes.Engine.Outbound;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.SignIn;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>An admin is an admin of data: what the operator alone knows is neither read by them nor sent where they say.</summary>
public sealed class OperatorsSecretsTests(Postgres postgres)
{
    private const string Config = "/api/admin/server-config";
    private const string SigningKey = "marker-signing-key-marker-signing-key";
    private const string ThePassword = "marker-mail-password";
    private static readonly Letter Hello = new("ana@example.com", "Hello", "Hello.");

    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal)
    {
        ["JWT_SECRET_KEY"] = SigningKey,
        ["PLAIN"] = "marker-plain",
        ["SMTP_PASSWORD"] = ThePassword,
        ["SMTP_USE_TLS"] = "0",
        ["SERVER_URL"] = "https://data.example.com",
    };

    /// <summary>The attack as it worked: the signing key as the password of a mail server of one's own, which then gets it with the next reset mail.</summary>
    [Fact]
    public async Task The_signing_key_is_no_mail_password_at_a_server_that_an_admin_chose()
    {
        await using var theirs = SmtpServer.Start();
        theirs.Account = $"u:{SigningKey}";
        await using (var server = await StartAsync())
        {
            var admin = await server.SignInAsync();
            foreach (var email in (string[])
            [
                """{"smtp_password":"${JWT_SECRET_KEY}"}""", $$"""{"smtp_host":"localhost","smtp_port":{{theirs.Port}} }""", """{"smtp_host":"127.0.0.1"}""", """{"smtp_host":"169.254.169.254"}""",
                """{"smtp_host":"${PLAIN}.example.com"}""", """{"smtp_password":"x${NOBODY_SET_THIS}"}""", """{"smtp_user":"${SMTP_USER:-u}${PLAIN}"}""",
            ])
            {
                var answer = await server.SendAsync("POST", Config, """{"sections":{"email":EMAIL}}""".Replace("EMAIL", email, StringComparison.Ordinal), admin);
                answer.Status.ShouldBe(400, $"{email}: {answer.Body}");
                answer.Body.ShouldNotContain("marker");
            }

            var network = await server.SendAsync("POST", Config, """{"sections":{"security":{"allowed_private_hosts":["localhost"]}},"confirm_danger":true}""", admin);
            (network.Status, network.Body.Contains("AGNES_ALLOWED_PRIVATE_HOSTS", StringComparison.Ordinal)).ShouldBe((400, true), network.Body);
            File.Exists(Path.Combine(server.StateDir, "instance.yaml")).ShouldBeFalse("nothing was accepted");
        }

        // An overlay from before: what it says of the key is nothing, its server is not gone to, and the operator is told by the key's name.
        var old = $"email:\n  smtp_host: localhost\n  smtp_port: {theirs.Port}\n  smtp_user: u\n  smtp_password: ${{JWT_SECRET_KEY}}\nsecurity:\n  allowed_private_hosts: [localhost]\n";
        await using var later = await StartAsync(old);
        (await later.SendAsync("POST", "/auth/password/reset", $"email={TestServer.AdminEmail}")).Status.ShouldBeLessThan(400);
        (await Should.ThrowAsync<MailException>(later.Services.GetRequiredService<IMailTransport>().SendAsync(Hello, CancellationToken.None))).Message.ShouldContain("private");
        (theirs.Connections, theirs.SignIns.Count).ShouldBe((0, 0));
        var problems = (await later.SendAsync("GET", Config, token: await later.SignInAsync())).Json["problems"]!.ToJsonString();
        (problems.Contains("email.smtp_password", StringComparison.Ordinal), problems.Contains("security.allowed_private_hosts", StringComparison.Ordinal), problems.Contains("marker", StringComparison.Ordinal)).ShouldBe((true, true, false), problems);
    }

    [Fact]
    public async Task The_operators_password_stays_with_the_operators_server_which_may_be_anywhere()
    {
        await using var theirs = SmtpServer.Start();
        await using var own = SmtpServer.Start();
        (theirs.Account, own.Account) = ($"agnes:{ThePassword}", $"agnes:{ThePassword}");

        // The host is the admin's, in a network that the operator opened; password and user are the operator's.
        _environment["AGNES_ALLOWED_PRIVATE_HOSTS"] = "localhost";
        _environment["SMTP_USER"] = "agnes";
        await using (var server = await StartAsync($"email:\n  smtp_host: localhost\n  smtp_port: {theirs.Port}\n  smtp_user: agnes\n  smtp_password: ${{SMTP_PASSWORD}}\n"))
        {
            (await Should.ThrowAsync<MailException>(server.Services.GetRequiredService<IMailTransport>().SendAsync(Hello, CancellationToken.None))).Message.ShouldContain("530");
            (theirs.Connections, theirs.SignIns.Count).ShouldBe((1, 0));
        }

        // The host is the operator's, and not on the list; an admin's port does not lead the password elsewhere on it.
        _environment.Remove("AGNES_ALLOWED_PRIVATE_HOSTS");
        (_environment["SMTP_HOST"], _environment["SMTP_PORT"]) = ("localhost", $"{own.Port}");
        await using var operators = await StartAsync($"email:\n  smtp_host: mail.example.com\n  smtp_port: {theirs.Port}\n");
        await operators.Services.GetRequiredService<IMailTransport>().SendAsync(Hello, CancellationToken.None);
        (own.SignIns.Single(), theirs.Connections).ShouldBe(($"agnes:{ThePassword}", 1));
    }

    /// <summary>Whoever says which certificate is trusted says who gets the password.</summary>
    [Fact]
    public async Task The_operators_password_is_not_sent_to_whom_an_admins_certificate_vouches_for()
    {
        using var certificate = MailTransportTests.Make("localhost");
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["ca.pem"], certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await using var theirs = SmtpServer.StartWithStartTls(certificate);
        theirs.Account = $"agnes:{ThePassword}";
        (_environment["SMTP_HOST"], _environment["SMTP_PORT"], _environment["SMTP_USER"], _environment["SMTP_USE_TLS"]) = ("localhost", $"{theirs.Port}", "agnes", "1");
        await using (var server = await StartAsync(stored: $"SMTP_CA_FILE={folder["ca.pem"]}\nSSL_CERT_FILE={folder["ca.pem"]}\n"))
        {
            (await Should.ThrowAsync<MailException>(server.Services.GetRequiredService<IMailTransport>().SendAsync(Hello, CancellationToken.None))).Message.ShouldContain("not trusted");
            theirs.SignIns.ShouldBeEmpty();
            var admin = await server.SignInAsync();
            var problems = (await server.SendAsync("GET", Config, token: admin)).Json["problems"]!.ToJsonString();
            foreach (var name in (string[])["SMTP_CA_FILE", "SSL_CERT_FILE"])
            {
                problems.ShouldContain(name);
                (await server.SendAsync("PUT", $"/api/admin/secrets/{name}", """{"value":"/x"}""", admin)).Status.ShouldBe(400, name);
                (await server.SendAsync("DELETE", $"/api/admin/secrets/{name}", token: admin)).Status.ShouldBe(204, name);
            }

            var unknown = await server.SendAsync("PUT", "/api/admin/secrets/NOBODY_READS_THIS", """{"value":"marker-x"}""", admin);
            (unknown.Status, unknown.Text("detail").Contains("SMTP_PASSWORD", StringComparison.Ordinal), unknown.Body.Contains("marker", StringComparison.Ordinal)).ShouldBe((400, true, false));
            (await server.SendAsync("GET", Config, token: admin)).Json["problems"]!.AsArray().ShouldBeEmpty();
        }

        // The operator may say so.
        _environment["SMTP_CA_FILE"] = folder["ca.pem"];
        await using var operators = await StartAsync();
        await operators.Services.GetRequiredService<IMailTransport>().SendAsync(Hello, CancellationToken.None);
        theirs.SignIns.ShouldBe([$"agnes:{ThePassword}"]);
    }

    /// <summary>Whichever the secret: at a destination that admins chose, in one way or the other, the operator's is not found, in whichever way it was set.</summary>
    [Fact]
    public void Every_secret_of_the_operator_stays_away_from_a_destination_of_an_admin()
    {
        var tried = 0;
        foreach (var credential in SettingList.All.Credentials.Where(credential => credential.Destination.Length > 0))
        {
            foreach (var secret in credential.Secrets.Concat(credential.With))
            {
                foreach (var byEnvironment in (bool[])[true, false])
                {
                    foreach (var byStore in (bool[])[true, false])
                    {
                        if (Layers(credential, secret, byEnvironment, byStore) is not { } layers) continue;
                        tried++;
                        layers.OwnerOf(credential).ShouldBe(SettingOwner.Admins, credential.Name);
                        foreach (var name in secret.Variables.Append(secret.Key).OfType<string>()) layers.Find(name).ShouldBeNull($"{credential.Name}: {name}");
                    }
                }
            }
        }

        tried.ShouldBeGreaterThan(15);
    }

    /// <summary>Null: it cannot be set in this way.</summary>
    private static SettingLayers? Layers(Credential credential, Setting secret, bool byEnvironment, bool byStore)
    {
        var destination = credential.Destination[0];
        var stored = destination.Variables.FirstOrDefault(name => !SettingList.All.IsOperators(name));
        if ((byEnvironment ? secret.Variables.LastOrDefault() : secret.Key) is not { } set || (byStore ? stored : destination.Key) is not { } chosen) return null;
        using var folder = new TemporaryFolder();
        var (config, state) = (Directory.CreateDirectory(folder["config"]).FullName, Directory.CreateDirectory(folder["state"]).FullName);
        if (!byEnvironment) File.WriteAllText(Path.Combine(config, "instance.yaml"), Yaml(set, "marker"));
        File.WriteAllText(Path.Combine(state, byStore ? ".env_overlay" : "instance.yaml"), byStore ? $"{chosen}=https://eve.example.com\n" : Yaml(chosen, "https://eve.example.com"));
        return SettingLayers.Open(SettingList.All, config, state, name => byEnvironment && name == set ? "marker" : null);
    }

    private static string Yaml(string path, string value) => string.Concat(path.Split('.').Select((key, depth) => $"{(depth == 0 ? "" : "\n")}{new string(' ', depth * 2)}{key}:")) + $" {value}\n";

    private Task<TestServer> StartAsync(string? overlay = null, string? stored = null) => TestServer.StartAsync(StateEngine.DuckDb, postgres, options =>
    {
        Directory.CreateDirectory(options.StateDir);
        if (overlay is not null) File.WriteAllText(Path.Combine(options.StateDir, "instance.yaml"), overlay);
        if (stored is not null) File.WriteAllText(Path.Combine(options.StateDir, SecretStore.FileName), stored);
        (_environment["DATA_DIR"], _environment["STATE_DIR"], _environment["CONFIG_DIR"]) = (options.DataDir, options.StateDir, Path.Combine(options.StateDir, "none"));
        (_environment["SEED_ADMIN_EMAIL"], _environment["SEED_ADMIN_PASSWORD"]) = (TestServer.AdminEmail, TestServer.AdminPassword);
        return ServerOptions.From(["--urls", options.Urls], _environment.GetValueOrDefault) with { RateLimits = false };
    });
}
