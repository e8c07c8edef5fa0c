using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.SelfUpgrade;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes setup</c>: the first steps with a new server.</summary>
internal static class SetupCommand
{
    public static Command Build(Host host) => new AgnesCommand("setup", "First steps with a new server: its address, its first admin, its first tables.") { Init(host), Bootstrap(host), TestConnection(host), SetupChecks.FirstSync(host), SetupChecks.Verify(host) };

    private static AgnesCommand Init(Host host)
    {
        var server = new Option<string>("--server") { Description = "Address of the server.", DefaultValueFactory = _ => ServerAddress.Default };
        var insecure = PlainHttp.Option();
        var command = new AgnesCommand("init", "Stores the server's address, and the key that it signs this program with when it is first met.", "agnes setup init --server https://agnes.example.com") { server, insecure };
        command.SetAction(async (parsed, cancellation) =>
        {
            var address = ServerAddress.Parse(parsed.GetRequiredValue(server));
            PlainHttp.Require(host, address, parsed.GetValue(insecure));
            await host.Settings.SaveServerAsync(address, cancellation);
            await PlainHttp.KeepAsync(host, address, cancellation);
            host.Out.WriteLine($"Server: {address}");
            if (await ReleaseTrust.MeetAsync(host, address, cancellation) is { } key) host.Out.WriteLine($"Upgrades: signed with {key}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Bootstrap(Host host)
    {
        var email = new Argument<string>("email");
        var name = new Option<string?>("--name") { Description = "Full name." };
        var password = new Option<string?>("--password") { Description = "Better left out: it is asked for without being shown, or read from the standard input." };
        var server = new Option<string?>("--server") { Description = "Address of the server; stored." };
        var command = new AgnesCommand(
            "bootstrap",
            "Makes the first admin of a new server, once, and signs in as them. It asks for the one-time code that the server keeps in .bootstrap_code of its state folder; AGNES_BOOTSTRAP_TOKEN, where set, goes in its place.",
            "agnes setup bootstrap ana@example.com --server http://localhost:8000") { email, name, password, server };
        command.SetAction(async (parsed, cancellation) =>
        {
            var address = parsed.GetValue(server) is { } given ? ServerAddress.Parse(given) : host.Settings.Server();
            if (parsed.GetValue(server) is not null) PlainHttp.Require(host, address);
            var who = parsed.GetRequiredValue(email);
            var body = new JsonObject { ["email"] = who };
            if (parsed.GetValue(name) is { Length: > 0 } full) body["name"] = full;
            if ((parsed.GetValue(password) ?? Prompt.Hidden(host, "Password: ")) is { Length: > 0 } secret) body["password"] = secret;
            var key = Environment.GetEnvironmentVariable("AGNES_BOOTSTRAP_TOKEN") is { Length: > 0 } set ? set : Prompt.Hidden(host, "One-time code (.bootstrap_code in the server's state folder): ")?.Trim();
            using var api = host.ApiFor(address, null, key is { Length: > 0 } ? new("X-Bootstrap-Token", key) : null);
            var answer = await api.PostAsync("/auth/bootstrap", body, cancellation);
            if (answer.Status == 403 && ErrorText.Brief(answer.Status, answer.Body).Contains("closed", StringComparison.OrdinalIgnoreCase))
            {
                host.Out.WriteLine($"{address} has an admin already. Sign in: agnes auth login --email {who}");
                return ExitCode.Ok;
            }

            using var issued = answer.OrFail().Json();
            if (parsed.GetValue(server) is not null) await host.Settings.SaveServerAsync(address, cancellation);
            await new StoredToken(Columns.Field(issued.RootElement, "access_token"), who, address).WriteAsync(host.Settings.Folder, cancellation);
            host.Out.WriteLine($"{who} is the admin of {address}, and signed in here. Next: agnes admin register-table --help");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand TestConnection(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("test-connection", "Asks the server how it is.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var health = (await host.Api.GetAsync("/api/health", cancellation)).OrFail().Json();
            var status = Columns.Field(health.RootElement, "status");
            if (parsed.GetValue(json)) JsonText.Write(host, health.RootElement);
            else host.Out.WriteLine($"{host.Api.Server}: {status}");
            return status is "ok" or "healthy" ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }
}
