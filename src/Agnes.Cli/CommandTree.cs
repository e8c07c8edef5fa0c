using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using Agnes.Cli.Commands;
using Agnes.Cli.Commands.Admin;
using Agnes.Cli.Settings;

namespace Agnes.Cli;

/// <summary>All commands by name, and the way from a command line to an exit code.</summary>
internal static class CommandTree
{
    private static readonly (string Name, Func<Host, Command> Build)[] Commands =
    [
        ("init", InitCommand.Build),
        ("pull", PullCommand.Build),
        ("query", QueryCommand.Build),
        ("catalog", CatalogCommand.Build),
        ("schema", SchemaCommand.Build),
        ("describe", host => DescribeCommand.Build(host, "describe")),
        ("sample", host => DescribeCommand.Build(host, "sample")),
        ("explore", ExploreCommand.Build),
        ("status", StatusCommand.Build),
        ("disk-info", DiskInfoCommand.Build),
        ("auth", AuthCommand.Build),
        ("admin", AdminCommand.Build),
    ];

    public static async Task<int> RunAsync(Host host, string[] args)
    {
        var context = "agnes";
        try
        {
            var parsed = BuildRoot(host, args).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            context = PathOf(parsed.CommandResult);
            if (args.Length == 0) return Help(host, parsed, ExitCode.Usage);
            if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or HelpWithExamples)) return UsageError(host, parsed);
            return await parsed.InvokeAsync(new InvocationConfiguration { Output = host.Out, Error = host.Error, EnableDefaultExceptionHandler = false });
        }
        catch (CliException failure)
        {
            host.Flush();
            host.Error.WriteLine(failure.IsBlock ? failure.Message : $"Error: {failure.Message}");
            if (failure.Hint is not null) host.Error.WriteLine(failure.Hint);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            host.Flush();
            host.Error.WriteLine("Interrupted.");
            return ExitCode.Interrupted;
        }
        catch (Exception defect)
        {
            return Defect(host, context, defect);
        }
    }

    /// <summary>Only the command that was asked for is made; all of them where help or a correction must name the others.</summary>
    private static RootCommand BuildRoot(Host host, string[] args)
    {
        var root = new RootCommand("Brings a company's data to its analysts and their AI agents: pull the tables you were granted, query them locally.");
        root.Options.OfType<VersionOption>().Single().Aliases.Add("-V");
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        var asked = Commands.Where(command => args is [var first, ..] && command.Name == first).ToArray();
        foreach (var command in asked.Length > 0 ? asked : Commands) root.Add(command.Build(host));
        return root;
    }

    private static int Help(Host host, ParseResult parsed, int exitCode)
    {
        HelpWithExamples.Write(parsed, host.Out);
        return exitCode;
    }

    private static int UsageError(Host host, ParseResult parsed)
    {
        // A group without its subcommand: what it offers says more than an error.
        if (parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0) return Help(host, parsed, ExitCode.Usage);
        var path = PathOf(parsed.CommandResult);
        if (parsed.CommandResult.Command.Subcommands.Count > 0)
        {
            var token = parsed.UnmatchedTokens[0];
            var near = Suggestions.Nearest(token, parsed.CommandResult.Command.Subcommands.Select(command => command.Name));
            host.Error.WriteLine($"Error: {path} has no command or option '{Redactor.Redact(token)}'.{(near is null ? "" : $" Did you mean '{near}'?")}");
        }
        else
        {
            foreach (var message in parsed.Errors.Select(error => error.Message).Distinct(StringComparer.Ordinal)) host.Error.WriteLine($"Error: {Redactor.Redact(message)}");
            var option = parsed.UnmatchedTokens.FirstOrDefault(token => token.StartsWith('-'));
            var near = option is null ? null : Suggestions.Nearest(option.Split('=')[0], parsed.CommandResult.Command.Options.Select(known => known.Name));
            if (near is not null) host.Error.WriteLine($"Did you mean '{near}'?");
        }

        host.Error.WriteLine($"See: {path} --help");
        return ExitCode.Usage;
    }

    private static int Defect(Host host, string context, Exception defect)
    {
        host.Flush();
        var folder = new ConfigFolder(ConfigFolder.DefaultPath());
        var logged = LastErrorLog.TryAppend(folder, host.Clock.GetUtcNow(), context, defect);
        host.Error.WriteLine($"Error: {defect.GetType().Name}: {Redactor.Redact(FirstLine(defect.Message))}{(logged ? $" (details: {folder.LastErrorLog})" : "")}");
        return ExitCode.Failed;
    }

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd();

    private static string PathOf(System.CommandLine.Parsing.CommandResult? result)
    {
        var names = new List<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = result; at is System.CommandLine.Parsing.CommandResult command; at = command.Parent)
        {
            names.Insert(0, command.Command is RootCommand ? "agnes" : command.Command.Name);
        }

        return string.Join(' ', names);
    }
}
