using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Agnes.Cli.Commands;

/// <summary>A command with examples, which say more to a reader (or an agent) than a list of options.</summary>
internal sealed class AgnesCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Tried before the action, on the spot and without signal handling (Ctrl-C just ends the program). Null: the action has to do it.</summary>
    public Func<ParseResult, int?>? Immediate { get; set; }
}

/// <summary>The usual help, and the examples below it.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    private const string WhereToStart = """
        Where to start:
          agnes catalog                            which tables are yours, and where their rows are
          agnes catalog --metrics                  how the company calculates its figures
          agnes schema orders                      a table's columns
          agnes query "SELECT count(*) FROM orders"
          agnes skills show agnes-data-querying    all of it on one page
          agnes diagnose                           when something does not work

        """;

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
        if (parsed.CommandResult.Command is RootCommand) output.Write(WhereToStart);
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

    public static Option<int> Positive(this Option<int> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var value) && value < 1) result.AddError($"{option.Name} must be at least 1.");
        });
        return option;
    }
}
