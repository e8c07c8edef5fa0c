using System.CommandLine;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin break-glass</c>: the way in when no admin can get in. It opens the server's state, which is the server program's own business.</summary>
internal static class BreakGlassCommand
{
    private const string Program = "agnes-server";

    public static Command Build(Host host) => new Command("break-glass", "The way in when no admin can get in any more. Runs on the server's machine, for who may write its files.") { Grant(host) };

    private static AgnesCommand Grant(Host host)
    {
        var email = new Argument<string>("email");
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var command = new AgnesCommand("grant-admin", "Makes somebody an active admin. On the embedded state the server must not run.", "agnes admin break-glass grant-admin ana@example.com") { email, yes };
        command.SetAction((parsed, cancellation) =>
        {
            var who = parsed.GetRequiredValue(email);
            List<string> arguments = ["break-glass", "grant-admin", who];
            if (parsed.GetValue(yes)) arguments.Add("--yes");
            return ChildProgram.RunAsync(host, Program, arguments, $"It is part of the server. Run it where the server is installed: {Program} break-glass grant-admin {who}", cancellation);
        });
        return command;
    }
}
