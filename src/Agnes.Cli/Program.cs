using System.Text;
using Agnes.Cli;
using Agnes.Cli.Commands;
using Agnes.Cli.Sessions;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

// Before anything is made: tables, transcripts and tokens on a laptop are its user's alone.
OwnerOnly.FromNowOn();

// The version is answered before anything else is looked at, so that it works on a broken installation too.
if (args is ["--version" or "-V", ..])
{
    using var stdout = Console.OpenStandardOutput();
    stdout.Write(Encoding.UTF8.GetBytes($"agnes {ProgramVersion.Text}\n"));
    return ExitCode.Ok;
}

Terminal.UseUtf8();

// Run by the agent at every start and every redraw of its prompt: nothing of the rest is loaded for them.
if (HookCommands.TryRun(args, TimeProvider.System) is { } hooked) return hooked;

// Loading the engine (70 MB) and opening the workspace's database run beside the parsing of the command line.
if (args is ["query" or "explore", ..] && !args.Contains("--remote", StringComparer.Ordinal)) LocalSession.WarmUp();

using var host = new Host(TimeProvider.System);
return await CommandTree.RunAsync(host, args);
