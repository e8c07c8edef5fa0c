using System.CommandLine;
using Agnes.Cli.Sessions;

namespace Agnes.Cli.Commands;

/// <summary>The commands of the hooks as the tree knows them: for help, and for wrong options. Their work begins before the tree.</summary>
internal static class HookCommandsInTree
{
    public static Command Build(Host host, string name)
    {
        if (name == "capture-session")
        {
            var verbose = new Option<bool>("--verbose") { Description = "Say on stderr what was done." };
            var capture = new AgnesCommand(name, "For the session-start hook: notes the agent's session (JSON on stdin) for the next push. Never fails, prints nothing.", "echo '{\"session_id\":\"S\",\"transcript_path\":\"/x/S.jsonl\"}' | agnes capture-session --verbose") { verbose };
            capture.SetAction(parsed => HookCommands.Capture(host.Clock, parsed.GetValue(verbose)));
            return capture;
        }

        var command = name == "statusline"
            ? new AgnesCommand(name, "For the agent's status line: shows whether the session is private, else how old the pulled tables are. No network.", "echo '{\"session_id\":\"S\"}' | agnes statusline")
            : new AgnesCommand(name, "Inside a session of the agent (CLAUDE_CODE_SESSION_ID is set): its transcript will not be uploaded.", "agnes mark-private");
        command.SetAction(_ => name == "statusline" ? HookCommands.StatusLine(host.Clock) : HookCommands.MarkPrivate(host.Clock));
        return command;
    }
}
