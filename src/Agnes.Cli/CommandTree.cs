using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using Agnes.Cli.Api;
using Agnes.Cli.Commands;
using Agnes.Cli.Commands.Admin;
using Agnes.Cli.Commands.Snapshots;
using Agnes.Cli.Mcp;
using Agnes.Cli.Output;
using Agnes.Cli.SelfUpgrade;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli;

/// <summary>All commands by name, and the way from a command line to an exit code.</summary>
internal static class CommandTree
{
    private static readonly string[] Names =
    [
        "init", "onboarded", "pull", "query", "catalog", "schema", "describe", "sample", "explore", "explain", "diff", "snapshot", "status", "disk-info", "statements", "verified", "mcp", "push", "capture-session", "mark-private", "statusline", "diagnose", "skills", "self-upgrade", "auth", "admin", "setup", "server",
    ];

    /// <summary>After a signal, for what a command has begun: another program that it started must not be left behind half stopped.</summary>
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(Host host, string[] args)
    {
        var context = "agnes";
        try
        {
            if (args is [CompletionScripts.Request or CompletionScripts.Show or CompletionScripts.Install, ..] && await CompletionScripts.TryRunAsync(host, args, (line, position) => Complete(host, line, position), CancellationToken.None) is { } completed) return completed;
            var parsed = Parse(host, args);
            context = PathOf(parsed.CommandResult);
            if (args.Length == 0) return Help(host, parsed, ExitCode.Usage);
            if (StrayOption(parsed) is { } stray && parsed.Action is not (HelpAction or HelpWithExamples)) return UnknownOption(host, parsed, stray);
            if (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or HelpWithExamples)) return UsageError(host, parsed);
            if (parsed.Action is not (HelpAction or HelpWithExamples) && (parsed.CommandResult.Command as AgnesCommand)?.Immediate?.Invoke(parsed) is { } exitCode) return exitCode;
            var configuration = new InvocationConfiguration
            {
                Output = host.Out,
                Error = host.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeToEnd,
            };
            return parsed.Action is HelpAction or HelpWithExamples
                ? await parsed.InvokeAsync(configuration)
                : await UpdateNotice.AroundAsync(host, args, () => parsed.InvokeAsync(configuration));
        }
        catch (CliException failure)
        {
            return Failed(host, failure);
        }
        catch (OperationCanceledException)
        {
            host.Flush();
            host.Error.WriteLine("Interrupted.");
            return ExitCode.Interrupted;
        }
        catch (Exception defect)
        {
            return (LocalTrouble.From(defect) ?? WrongAnswer.From(defect)) is { } trouble ? Failed(host, trouble) : Defect(host, context, defect);
        }
    }

    private static int Failed(Host host, CliException failure)
    {
        host.Flush();
        host.Error.WriteLine(DisplayText.Lines(failure.IsBlock ? failure.Message : $"Error: {failure.Message}"));
        if (failure.Hint is not null) host.Error.WriteLine(DisplayText.Lines(failure.Hint));
        return failure.ExitCode;
    }

    public static ParseResult Parse(Host host, string[] args) => Root(host, args).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

    /// <summary>Only the command that was asked for is made; all of them where help or a correction must name the others.</summary>
    internal static RootCommand Root(Host host, string[] args)
    {
        var root = new RootCommand("Brings a company's data to its analysts and their AI agents: pull the tables you were granted, query them locally.");
        root.Options.OfType<VersionOption>().Single().Aliases.Add("-V");
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        if (args is [var asked, ..] && Build(host, asked) is { } command)
        {
            root.Add(command);
            return root;
        }

        root.Add(new Option<string?>(CompletionScripts.Show) { Description = "Print the completion script for a shell: bash, zsh, fish or powershell.", HelpName = "shell", Arity = ArgumentArity.ZeroOrOne });
        root.Add(new Option<string?>(CompletionScripts.Install) { Description = "Write it where that shell looks for it.", HelpName = "shell", Arity = ArgumentArity.ZeroOrOne });
        foreach (var name in Names) root.Add(Build(host, name)!);
        return root;
    }

    private static IEnumerable<string> Complete(Host host, string line, int position) =>
        Root(host, []).Parse(line[..position], new ParserConfiguration { ResponseFileTokenReplacer = null }).GetCompletions(position).Select(item => item.InsertText ?? item.Label).Where(word => !word.StartsWith("/", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal);

    private static Command? Build(Host host, string name) => name switch
    {
        "init" => InitCommand.Build(host),
        "onboarded" => OnboardedCommand.Build(host),
        "pull" => PullCommand.Build(host),
        "query" => QueryCommand.Build(host),
        "catalog" => CatalogCommand.Build(host),
        "schema" => SchemaCommand.Build(host),
        "describe" or "sample" => DescribeCommand.Build(host, name),
        "explore" => ExploreCommand.Build(host),
        "explain" => ExplainCommand.Build(host),
        "diff" => DiffCommand.Build(host),
        "status" => StatusCommand.Build(host),
        "disk-info" => DiskInfoCommand.Build(host),
        "snapshot" => SnapshotCommand.Build(host),
        "diagnose" or "doctor" => DiagnoseCommand.Build(host, name),
        "skills" => SkillsCommand.Build(host),
        "push" => PushCommand.Build(host),
        "capture-session" or "mark-private" or "statusline" => HookCommandsInTree.Build(host, name),
        "statements" => StatementsCommand.Build(host),
        "verified" => VerifiedCommand.Build(host),
        "mcp" => McpCommand.Build(host),
        "self-upgrade" => SelfUpgradeCommand.Build(host),
        "auth" => AuthCommand.Build(host),
        "admin" => AdminCommand.Build(host),
        "setup" => SetupCommand.Build(host),
        "server" => ServerCommand.Build(host),
        _ => null,
    };

    /// <summary>A mistyped option must not pass for a table's name or a statement.</summary>
    private static string? StrayOption(ParseResult parsed)
    {
        var isPastEnd = false;
        var ends = parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.ArgumentResult>().SelectMany(argument => argument.Tokens).ToHashSet();
        foreach (var token in parsed.Tokens)
        {
            isPastEnd |= token.Type == System.CommandLine.Parsing.TokenType.DoubleDash;
            if (!isPastEnd && ends.Contains(token) && IsOptionLike(token.Value)) return token.Value;
        }

        return null;
    }

    private static int UnknownOption(Host host, ParseResult parsed, string option)
    {
        var name = option.Split('=')[0];
        var near = Suggestions.Nearest(name, parsed.CommandResult.Command.Options.Select(known => known.Name));
        host.Error.WriteLine($"Error: {PathOf(parsed.CommandResult)} has no option '{name}'.{(near is null ? "" : $" Did you mean '{near}'?")}");
        host.Error.WriteLine($"See: {PathOf(parsed.CommandResult)} --help");
        return ExitCode.Usage;
    }

    /// <summary>One or two dashes, then a word, perhaps with a value; a statement or a sentence has spaces before that.</summary>
    private static bool IsOptionLike(string token)
    {
        var start = token.StartsWith("--", StringComparison.Ordinal) ? 2 : 1;
        if (token.Length <= start || token[0] != '-' || !char.IsAsciiLetter(token[start])) return false;
        foreach (var c in token.AsSpan(start))
        {
            if (c == '=') return true;
            if (!char.IsAsciiLetterOrDigit(c) && c != '-') return false;
        }

        return true;
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
