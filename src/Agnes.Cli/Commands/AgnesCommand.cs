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

    /// <summary>A limit in seconds, for hooks, which must not hold a session up.</summary>
    public static Option<int?> Within()
    {
        const int secondsMax = 86_400;
        var within = new Option<int?>("--within") { Description = "Give up after so many seconds. For hooks, which must not hold a session up.", HelpName = "SECONDS" };
        within.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var seconds) && seconds is < 1 or > secondsMax) result.AddError($"--within is a number of seconds from 1 to {secondsMax}.");
        });
        return within;
    }

    /// <exception cref="CliException">The time is over.</exception>
    public static async Task<int> WithinAsync(Host host, int? seconds, Func<CancellationToken, Task<int>> run, string what, string state, CancellationToken cancellation)
    {
        if (seconds is not { } limit) return await run(cancellation);
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(limit), host.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellation);
        try
        {
            return await run(both.Token);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new CliException($"{what} did not end within {limit} s. {state}");
        }
    }

    public static Option<int> Positive(this Option<int> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var value) && value < 1) result.AddError($"{option.Name} must be at least 1.");
        });
        return option;
    }
}
