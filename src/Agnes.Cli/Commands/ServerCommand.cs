using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes server</c>: what an operator does with a server that runs under Docker Compose or Kamal. Run in the folder with its files; the exit code is that of the program behind it.</summary>
internal static partial class ServerCommand
{
    private const string App = "app";
    private const string StateFolder = "/data/state";
    private const string NoDocker = "It needs Docker with Compose, in the folder that holds the server's compose file.";
    private const string NoKamal = "It needs Kamal, in the folder that holds config/deploy.yml.";

    public static Command Build(Host host) => new AgnesCommand(
        "server",
        "Looks after a server that runs under Docker Compose or Kamal, in the folder that holds its files. Exit codes are those of docker and kamal.",
        "agnes server status",
        "agnes server logs --since 1h --follow",
        "agnes server backup --output ./backup")
    {
        Status(host),
        Logs(host),
        Restart(host),
        Deploy(host),
        Rollback(host),
        Backup(host),
    };

    private static AgnesCommand Status(Host host)
    {
        var command = new AgnesCommand("status", "Shows the server's containers.");
        command.SetAction((_, cancellation) => ComposeAsync(host, ["ps"], cancellation));
        return command;
    }

    private static AgnesCommand Logs(Host host)
    {
        var service = Service();
        var follow = new Option<bool>("--follow", "-f") { Description = "Stay, and print what comes." };
        var since = new Option<string?>("--since") { Description = "How far back: '1h', or a time." };
        var tail = new Option<int>("--tail", "-n") { Description = "The most lines of each container.", DefaultValueFactory = _ => 100 }.Positive();
        var command = new AgnesCommand("logs", "Shows what a service logged.", "agnes server logs --since 1h", "agnes server logs scheduler --follow") { service, follow, since, tail };
        command.SetAction((parsed, cancellation) =>
        {
            List<string> arguments = ["logs", $"--tail={parsed.GetValue(tail).ToString(CultureInfo.InvariantCulture)}"];
            if (parsed.GetValue(follow)) arguments.Add("--follow");
            if (parsed.GetValue(since) is { } time) arguments.Add($"--since={time}");
            return ComposeAsync(host, [.. arguments, parsed.GetRequiredValue(service)], cancellation);
        });
        return command;
    }

    private static AgnesCommand Restart(Host host)
    {
        var service = Service();
        var command = new AgnesCommand("restart", "Restarts a service.") { service };
        command.SetAction((parsed, cancellation) => ComposeAsync(host, ["restart", parsed.GetRequiredValue(service)], cancellation));
        return command;
    }

    private static AgnesCommand Deploy(Host host)
    {
        var staging = new Option<bool>("--staging") { Description = "To the destination 'staging' instead of production." };
        var command = new AgnesCommand("deploy", "Brings the current version out with Kamal.") { staging };
        command.SetAction((parsed, cancellation) => ChildProgram.RunAsync(host, "kamal", parsed.GetValue(staging) ? ["deploy", "--destination=staging"] : ["deploy"], NoKamal, cancellation));
        return command;
    }

    private static AgnesCommand Rollback(Host host)
    {
        var version = Named("version", "The version to go back to, as 'kamal app containers' lists it.");
        version.Arity = ArgumentArity.ZeroOrOne;
        var command = new AgnesCommand("rollback", "Goes back to a version that was out before, with Kamal.", "agnes server rollback 1.4.2") { version };
        command.SetAction((parsed, cancellation) => ChildProgram.RunAsync(host, "kamal", parsed.GetValue(version) is { } known ? ["rollback", known] : ["rollback"], NoKamal, cancellation));
        return command;
    }

    /// <summary>The embedded database is one file that changes while the server runs: copied from under it, it could not be opened again. So the server stops for the copy.</summary>
    private static AgnesCommand Backup(Host host)
    {
        var output = new Option<string>("--output") { Description = "The folder in which a new folder with the copy is made.", DefaultValueFactory = _ => "./backup" };
        var command = new AgnesCommand(
            "backup", "Copies the server's state, keys included, to a folder of this machine. The server stops for the seconds that takes.", "agnes server backup --output ./backup") { output };
        command.SetAction(async (parsed, cancellation) =>
        {
            var folder = Path.GetFullPath(Path.Combine(parsed.GetRequiredValue(output), $"backup_{host.Clock.GetUtcNow().ToString("yyyyMMdd_HHmmss", CultureInfo.InvariantCulture)}"));
            if (Directory.Exists(folder)) throw new CliException($"'{folder}' is there already; try again in a second.");
            var stopped = await ComposeAsync(host, ["stop", App], cancellation);
            if (stopped != 0) return stopped;
            int copied, started;
            try
            {
                OwnerOnly.Close(folder);
                copied = await ComposeAsync(host, ["cp", $"{App}:{StateFolder}", Path.Combine(folder, "state")], cancellation);
            }
            finally
            {
                started = await ComposeAsync(host, ["start", App], CancellationToken.None); // whatever happened to the copy
            }

            if (started != 0) host.Error.WriteLine("warn: the server did not start again. Look: agnes server logs");
            if (copied != 0) throw new CliException($"The copy is not complete: {folder}", copied);
            host.Out.WriteLine($"{folder}: state and keys. Keep it where only you can read it.");
            return started;
        });
        return command;
    }

    private static Task<int> ComposeAsync(Host host, IReadOnlyList<string> arguments, CancellationToken cancellation) => ChildProgram.RunAsync(host, "docker", ["compose", .. arguments], NoDocker, cancellation);

    private static Argument<string> Service()
    {
        var service = Named("service", "The service, as the compose file calls it.");
        service.DefaultValueFactory = _ => App;
        return service;
    }

    /// <summary>A name that no program could take for an option.</summary>
    private static Argument<string> Named(string name, string description)
    {
        var argument = new Argument<string>(name) { Description = description };
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !Name().IsMatch(result.Tokens[0].Value)) result.AddError($"'{result.Tokens[0].Value}' is no {name}.");
        });
        return argument;
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    private static partial Regex Name();
}
