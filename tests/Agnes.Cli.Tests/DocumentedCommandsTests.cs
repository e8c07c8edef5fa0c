using System.CommandLine;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Tests;

/// <summary>What a text tells an agent to run must exist, with each option that it names.</summary>
public sealed partial class DocumentedCommandsTests
{
    private static readonly string Root = FindRoot();

    /// <summary>What follows the program's name in a sentence.</summary>
    private static readonly string[] Prose = ["for", "says", "was", "that", "is", "on", "needs", "does", "command", "line", "sign-in", "agnes"];

    [Theory]
    [InlineData("AGENTS.md")]
    [InlineData("src/Agnes.Server/Features/Prompts/workspace.md")]
    [InlineData("src/Agnes.Server/Features/Distribution/Pages/ShowSetup.cs")]
    [InlineData("docs/analyst/README.md")]
    [InlineData("docs/admin/README.md")]
    public void Every_command_that_is_named_exists(string file)
    {
        var commands = Commands(File.ReadAllText(Path.Combine(Root, file))).ToList();
        commands.ShouldNotBeEmpty();
        commands.Select(Fault).OfType<string>().ShouldBeEmpty();
    }

    /// <summary>Guides, help, hooks, and every message of program and server: wherever a text of ours names a command.</summary>
    [Fact]
    public void Every_command_that_the_sources_name_exists()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Root, "src"), "*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".cs" or ".md" or ".razor" or ".yml" && !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)).ToList();
        files.Count(path => path.Contains("Skills", StringComparison.Ordinal)).ShouldBeGreaterThan(5);
        var checkedHere = 0;
        var faults = new List<string>();
        foreach (var path in files)
        {
            foreach (Match match in SourceCommand().Matches(File.ReadAllText(path)))
            {
                var command = Ending().Split(match.Value.Replace("\\\"", "\"", StringComparison.Ordinal))[0].Trim();
                if (Word().Matches(command) is not { Count: > 1 } words || Prose.Contains(words[1].Value)) continue;
                checkedHere++;
                if (Fault(command) is { } fault) faults.Add($"{Path.GetRelativePath(Root, path)}: {fault}");
            }
        }

        faults.ShouldBeEmpty();
        checkedHere.ShouldBeGreaterThan(200);
    }

    /// <summary>Guides, hooks, slash commands, workspace files and pages of documentation: each example is one that the program takes as it stands.</summary>
    [Fact]
    public void Every_example_is_taken_by_the_program()
    {
        string[] texts = [
            .. Directory.EnumerateFiles(Path.Combine(Root, "src", "Agnes.Cli", "Skills"), "*.md"), .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "README.md", SearchOption.AllDirectories),
            .. (string[])["src/Agnes.Server/Features/Prompts/workspace.md", "src/Agnes.Cli/Workspace/WorkspaceTexts.cs", "src/Agnes.Cli/Workspace/AgentCommands.cs", "AGENTS.md", "README.md"],
        ];
        var settings = new JsonObject();
        AgentHooks.Merge(settings).ShouldBeEmpty();
        var (tried, faults) = (0, new List<string>());
        foreach (var (path, text) in texts.Select(path => (path, File.ReadAllText(Path.Combine(Root, path)))).Append(("hooks", settings.ToString())))
        {
            foreach (var command in Commands(text))
            {
                if (NotTaken(command) is not { } fault) continue;
                tried++;
                if (fault.Length > 0) faults.Add($"{Path.GetFileName(path)}: {command}: {fault}");
            }
        }

        faults.ShouldBeEmpty();
        tried.ShouldBeGreaterThan(60);
    }

    [Theory]
    [InlineData("agnes admin grant create analysts table")]
    [InlineData("agnes query --format cvs \"SELECT 1\"")]
    [InlineData("agnes admin register-table orders --source-table \"*.csv\"")]
    [InlineData("agnes admin grant delete 1")]
    public void The_check_finds_what_the_program_would_not_take_or_what_does_something_else(string command) => NotTaken(command).ShouldNotBeNullOrEmpty();

    [Theory]
    [InlineData("agnes qeury \"SELECT 1\"")]
    [InlineData("agnes catalog --metrix")]
    [InlineData("agnes admin metrics improt x")]
    public void The_check_finds_what_does_not_exist(string command) => Fault(command).ShouldNotBeNull();

    [Fact]
    public void AGENTS_md_names_files_that_exist_and_CLAUDE_md_points_to_it()
    {
        var text = File.ReadAllText(Path.Combine(Root, "AGENTS.md"));
        foreach (var path in RepositoryPath().Matches(text).Select(match => match.Value).Distinct(StringComparer.Ordinal)) Path.Exists(Path.Combine(Root, path)).ShouldBeTrue(path);
        File.ReadAllText(Path.Combine(Root, "CLAUDE.md")).ShouldContain("AGENTS.md");
        File.ReadAllText(Path.Combine(Root, ".gitignore")).ShouldContain("config/.env\n");
    }

    /// <summary>Whatever follows the word agnes in a code span, a code block or a quoted example.</summary>
    private static IEnumerable<string> Commands(string text)
    {
        foreach (Match match in Command().Matches(text)) yield return match.Value.Trim();
    }

    private static string? Fault(string line)
    {
        using var host = new Host(TimeProvider.System, Stream.Null);
        Command command = CommandTree.Root(host, []);
        var words = Word().Matches(line).Select(match => match.Value.Trim('"', '\'')).Skip(1).TakeWhile(word => word is not ("|" or ">" or "#" or "<<'EOF'" or "→" or "&&" or "<" or "·")).ToList();
        var isValue = false;
        foreach (var word in words)
        {
            if (isValue)
            {
                isValue = false;
                continue;
            }

            if (word.StartsWith("--", StringComparison.Ordinal) || (word.StartsWith('-') && word.Length == 2))
            {
                var name = word.Split('=')[0];
                var known = command.Options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));
                if (known is null && name is not ("--help" or "--version")) return $"{line}: no option {name}";
                isValue = known is { Arity.MinimumNumberOfValues: > 0 } && !word.Contains('=', StringComparison.Ordinal);
            }
            else if (command.Subcommands.Count > 0)
            {
                if (word is "" or "…") return null;
                if (command.Subcommands.FirstOrDefault(sub => sub.Name == word) is not { } next) return $"{line}: no command '{word}'";
                command = next;
            }
        }
        return null;
    }

    /// <returns>What the program has against the example; empty: nothing. Null: it only names a command, without what follows it.</returns>
    private static string? NotTaken(string line)
    {
        var text = Placeholder().Replace(Comment().Split(line)[0], "x");
        if (Sketch().IsMatch(text)) return null;
        if (AllOfAFolder().IsMatch(text)) return "every file of the folder becomes one table";
        if (NumberAsId().IsMatch(text)) return "ids are no numbers";
        using var host = new Host(TimeProvider.System, Stream.Null);
        var words = Word().Matches(text).Select(match => match.Value).Skip(1).TakeWhile(word => word is not ("|" or ">" or "#" or "→" or "&&" or "||" or "<" or "·" or ">/dev/null" or "2>/dev/null" or "</dev/null")).ToArray();
        if (Array.FindIndex(words, word => word[0] is not ('"' or '\'') && word[^1] is '.' or ',' or ':' or ')') is >= 0 and var end) words = [.. words[..end], words[end][..^1]];
        words = [.. words.Select(word => word.Trim('"', '\''))];
        var root = CommandTree.Root(host, words);
        Command named = root;
        foreach (var word in words) named = named.Subcommands.FirstOrDefault(sub => sub.Name == word) ?? named;
        var isNameOnly = words.All(word => word == named.Name || root.Subcommands.Any(sub => Has(sub, word)));
        if (isNameOnly) return null;
        return string.Join(' ', root.Parse(words).Errors.Select(error => error.Message));

        static bool Has(Command command, string name) => command.Name == name || command.Subcommands.Any(sub => Has(sub, name));
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Agnes.slnx"))) folder = folder.Parent ?? throw new DirectoryNotFoundException("Agnes.slnx");
        return folder.FullName;
    }

    [GeneratedRegex(@"(?<![\w/.@-])agnes (?:[a-z]|--[a-z])[^`\n;{}]*", RegexOptions.CultureInvariant)]
    private static partial Regex Command();

    /// <summary>In a string or a text: up to its end.</summary>
    [GeneratedRegex(@"(?<![\w/.@-])agnes (?:[a-z]|--[a-z])(?:\\""|[^`""\n<;{}])*", RegexOptions.CultureInvariant)]
    private static partial Regex SourceCommand();

    /// <summary>Where a sentence goes on after a command.</summary>
    [GeneratedRegex(@":\*|[.,:)?!]+(?:\s|$)|'(?:\s|[.,:)]|$)| (?:or|and|where|when|lists|to|in|of) | [(–—→]", RegexOptions.CultureInvariant)]
    private static partial Regex Ending();

    [GeneratedRegex(@"\s+# ", RegexOptions.CultureInvariant)]
    private static partial Regex Comment();

    [GeneratedRegex("<[^<>]+>", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    /// <summary>Shows several commands at once, or leaves something out.</summary>
    [GeneratedRegex(@"…|<<|\[|\w\|\w|-completion|\\u", RegexOptions.CultureInvariant)]
    private static partial Regex Sketch();

    [GeneratedRegex(@"--source-table\s+[""']?\*\.", RegexOptions.CultureInvariant)]
    private static partial Regex AllOfAFolder();

    [GeneratedRegex(@"\b(?:delete|revoke|cancel)\s+\d+\b", RegexOptions.CultureInvariant)]
    private static partial Regex NumberAsId();

    [GeneratedRegex("\"[^\"]*\"|'[^']*'|\\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();

    [GeneratedRegex(@"(?<![\w/$])(config/[\w.]+(template|example)|docs/[\w/]+(\.md|\.yml)?|src/Agnes\.\w+|CONTRIBUTING\.md|\.ci/run)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex RepositoryPath();
}
