using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Agnes.Cli.Commands;

/// <summary>A command with examples, which say more to a reader (or an agent) than a list of options.</summary>
internal sealed class AgnesCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help, and the examples below it.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult, parseResult.InvocationConfiguration.Output);
        return ExitCode.Ok;
    }

    public static void Write(ParseResult parsed, TextWriter output)
    {
        parsed.InvocationConfiguration.Output = output;
        new HelpAction().Invoke(parsed);
        if (parsed.CommandResult.Command is not AgnesCommand { Examples.Count: > 0 } command) return;
        output.Write("Examples:\n");
        foreach (var example in command.Examples) output.Write($"  {example}\n");
        output.Write('\n');
    }
}

/// <summary>Options that many commands share.</summary>
internal static class Shared
{
    public static Option<bool> Json() => new("--json") { Description = "Print JSON on stdout, and nothing else there." };

    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "Print nothing on success; warnings still go to stderr." };

    public static Option<T> Positive<T>(this Option<T> option)
        where T : IComparable<T>
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Errors.Any() is false && result.GetValueOrDefault<T>() is { } value && value.CompareTo(default) <= 0) result.AddError($"{option.Name} must be at least 1.");
        });
        return option;
    }
}
