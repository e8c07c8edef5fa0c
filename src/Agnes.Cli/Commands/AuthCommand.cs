using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes auth</c>: who you are to the server.</summary>
internal static class AuthCommand
{
    public static Command Build(Host host) => new AgnesCommand("auth", "Signs in and out, and keeps access tokens.")
    {
        Login(host), Logout(host), WhoAmI(host), ImportToken(host), TokenCommand.Build(host),
    };

    private static AgnesCommand Login(Host host)
    {
        var email = new Option<string?>("--email") { Description = "Your e-mail address; asked for where missing." };
        var password = new Option<string?>("--password") { Description = "Better left out: it is asked for without being shown, or read from the standard input." };
        var server = new Option<string?>("--server") { Description = "Address of the server; stored." };
        var command = new AgnesCommand("login", "Signs in with e-mail and password and stores the token.", "agnes auth login --server https://agnes.example.com --email you@example.com") { email, password, server };
        command.SetAction(async (parsed, cancellation) =>
        {
            var address = parsed.GetValue(server) is { } given ? ServerAddress.Parse(given) : host.Settings.Server();
            if (parsed.GetValue(server) is not null) PlainHttp.Require(host, address);
            var mail = parsed.GetValue(email) ?? Prompt.Line(host, "E-mail: ");
            if (string.IsNullOrWhiteSpace(mail)) throw new CliException("An e-mail address is needed: --email you@example.com", ExitCode.Usage);
            var secret = parsed.GetValue(password) ?? Prompt.Hidden(host, "Password: ");
            var body = new JsonObject { ["email"] = mail.Trim() };
            if (!string.IsNullOrEmpty(secret)) body["password"] = secret;
            using var api = host.ApiFor(address, null);
            var answer = await api.PostAsync("/auth/token", body, cancellation);
            if (answer.Status == 401 && ErrorText.Render(answer.Status, answer.Body).Contains("external authentication", StringComparison.OrdinalIgnoreCase))
            {
                throw new CliException("This account signs in through your company's identity provider.") { Hint = $"Create a token at {address}/tokens and store it: agnes auth import-token --token -" };
            }

            using var json = answer.OrFail().Json();
            var token = json.RootElement.TryGetProperty("access_token", out var access) ? access.GetString() : null;
            if (string.IsNullOrEmpty(token)) throw new CliException("The server's answer holds no access token.");
            if (parsed.GetValue(server) is not null) await host.Settings.SaveServerAsync(address, cancellation);
            await new StoredToken(token, mail.Trim(), address).WriteAsync(host.Settings.Folder, cancellation);
            host.Out.WriteLine($"Signed in to {address} as {mail.Trim()}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Logout(Host host)
    {
        var command = new AgnesCommand("logout", "Forgets the stored token.");
        command.SetAction(_ =>
        {
            File.Delete(host.Settings.Folder.TokenFile);
            host.Out.WriteLine("Signed out.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand WhoAmI(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("whoami", "Shows who the stored token says you are, without asking the server.") { json };
        command.SetAction(parsed =>
        {
            var (token, source) = host.Settings.TokenAndSource();
            if (token is null) throw new CliException("Not logged in.") { Hint = "Run: agnes auth login, or agnes auth import-token --token -" };
            var claims = Jwt.Decode(token) ?? throw new CliException("Not logged in: the stored token cannot be read.") { Hint = "Run: agnes auth login, or agnes auth import-token --token -" };
            var email = claims.Email ?? StoredToken.Read(host.Settings.Folder)?.Email ?? claims.Subject ?? "";
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, new JsonObject { ["email"] = email, ["server"] = host.Settings.Server().Url, ["token_source"] = source, ["expires_at"] = claims.Expires?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'") });
                return ExitCode.Ok;
            }

            host.Out.WriteLine($"Email: {email}");
            host.Out.WriteLine($"Server: {host.Settings.Server()}");
            host.Out.WriteLine($"Token: {source}{(claims.Expires is { } until ? $", {(until < host.Clock.GetUtcNow() ? "expired" : "valid until")} {until.UtcDateTime:yyyy-MM-dd HH:mm} UTC" : "")}");
            if (StoredToken.Warning(host.Settings.Folder) is { } warning) host.Error.WriteLine($"warn: {warning}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand ImportToken(Host host)
    {
        var token = new Option<string?>("--token") { Description = "The token, or '-' to read it from the standard input (keeps it out of the shell's history). AGNES_TOKEN counts too." };
        var file = new Option<string?>("--token-file") { Description = "A file that holds the token." };
        var server = new Option<string?>("--server") { Description = "Address of the server; stored." };
        var email = new Option<string?>("--email") { Description = "Your e-mail address, where the token does not say it." };
        var skip = new Option<bool>("--skip-verify") { Description = "Store it without asking the server whether it is valid." };
        var command = new AgnesCommand("import-token", "Stores an access token that was made in the browser.", "agnes auth import-token --server https://agnes.example.com --token - < token.txt") { token, file, server, email, skip };
        command.SetAction(async (parsed, cancellation) =>
        {
            var secret = await TokenInput.ReadAsync(parsed.GetValue(token), parsed.GetValue(file), cancellation)
                ?? throw new CliException("A token is needed: --token -, --token-file FILE, or AGNES_TOKEN.", ExitCode.Usage);
            var address = parsed.GetValue(server) ?? host.Settings.ConfiguredServer() ?? throw new CliException("No server is configured.") { Hint = "Add --server https://agnes.example.com" };
            var parsedAddress = ServerAddress.Parse(address);
            if (parsed.GetValue(server) is not null) PlainHttp.Require(host, parsedAddress);
            var claims = Jwt.Decode(secret) ?? throw new CliException("This is not an access token (a JSON Web Token has three parts joined by dots).");
            var mail = parsed.GetValue(email) ?? claims.Email;
            if (!parsed.GetValue(skip)) await VerifyAsync(host, parsedAddress, secret, cancellation);
            if (string.IsNullOrWhiteSpace(mail)) throw new CliException("The token does not say whose it is.") { Hint = "Add --email you@example.com" };
            if (parsed.GetValue(server) is not null) await host.Settings.SaveServerAsync(parsedAddress, cancellation);
            await new StoredToken(secret, mail, parsedAddress).WriteAsync(host.Settings.Folder, cancellation);
            host.Out.WriteLine($"Token of {mail} for {parsedAddress} stored.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task VerifyAsync(Host host, ServerAddress server, string token, CancellationToken cancellation)
    {
        using var api = host.ApiFor(server, token);
        var answer = await api.SendAsync(HttpMethod.Get, "/api/catalog/tables", null, TimeSpan.FromSeconds(15), null, cancellation);
        if (answer.Status == 401 || answer.Status >= 500) throw answer.Failure();
    }
}
