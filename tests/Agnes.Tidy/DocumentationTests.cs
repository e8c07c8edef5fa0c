using System.Text.RegularExpressions;

namespace Agnes.Tidy;

/// <summary>The documentation is a contract: what can be set is written down for whoever sets it.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void Every_environment_variable_that_the_programs_read_is_documented()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Where(page => !page.Contains("/decisions/", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .ToList();
        var read =
            from file in Repository.Sources("src", ".cs")
            from line in file.Lines
            from Match match in Variable().Matches(line)
            select match.Groups[1].Value;

        var names = read.Distinct(StringComparer.Ordinal).ToList();
        names.Count.ShouldBeGreaterThan(20);
        names.Where(name => !pages.Any(page => page.Contains($"`{name}`", StringComparison.Ordinal))).ShouldBeEmpty();
    }

    /// <summary>How many requirements each section of V6 to V10 has in ASVS 5.0.0, as published.</summary>
    private static readonly (int Chapter, int[] Sections)[] Asvs = [(6, [3, 12, 8, 6, 8, 4, 2, 4]), (7, [3, 4, 2, 5, 3, 2]), (8, [4, 4, 3, 2]), (9, [3, 4]), (10, [2, 3, 5, 16, 5, 2, 3])];

    [Fact]
    public void Every_requirement_of_the_security_standard_has_its_line_and_every_test_that_it_names_exists()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operator", "security.md"));
        var expected =
            from chapter in Asvs
            from section in Enumerable.Range(1, chapter.Sections.Length)
            from requirement in Enumerable.Range(1, chapter.Sections[section - 1])
            select $"{chapter.Chapter}.{section}.{requirement}";
        Requirement().Matches(page).Select(match => match.Groups["number"].Value).ShouldBe(expected);

        var sources = Repository.Sources("tests/Agnes.Server.Tests", ".cs").Concat(Repository.Sources("tests/Agnes.Cli.Tests", ".cs")).ToLookup(file => Path.GetFileNameWithoutExtension(file.Path), file => string.Join('\n', file.Lines), StringComparer.Ordinal);
        var named = NamedTest().Matches(page).Select(match => (Class: match.Groups[1].Value, Method: match.Groups[2].Value)).ToList();
        named.Count.ShouldBeGreaterThan(30);
        named.Where(test => !sources[test.Class].Any(source => test.Method.Length == 0 || source.Contains($" {test.Method}(", StringComparison.Ordinal))).ShouldBeEmpty();
    }

    [GeneratedRegex(@"^\| (?<number>\d+\.\d+\.\d+) \([123]\) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Requirement();

    [GeneratedRegex(@"`([A-Z][A-Za-z]+Tests)(?:\.([A-Za-z_]+))?`")]
    private static partial Regex NamedTest();

    [Fact]
    public void Every_setting_that_the_templates_offer_is_read()
    {
        var sources = string.Join('\n', Repository.Sources("src", ".cs").SelectMany(file => file.Lines));
        var variables = Templates(".env.template", Assigned()).Select(match => match.Groups[1].Value).ToList();
        variables.Count.ShouldBeGreaterThan(5);
        variables.Where(name => !sources.Contains($"\"{name}\"", StringComparison.Ordinal)).ShouldBeEmpty();

        var section = "";
        var keys = new List<string>();
        foreach (var match in Templates("instance.yaml.example", Key()))
        {
            if (match.Groups[1].Value.Length == 0) section = match.Groups[2].Value;
            if (match.Groups[3].Value.Length > 0) keys.Add(match.Groups[1].Value.Length == 0 ? section : $"{section}.{match.Groups[2].Value}");
        }

        keys.Count.ShouldBeGreaterThan(4);
        keys.Where(key => !sources.Contains($"\"{key}\"", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static IEnumerable<Match> Templates(string name, Regex line) => File.ReadLines(Path.Combine(Repository.Root, "config", name)).Select(text => line.Match(text)).Where(match => match.Success);

    /// <summary>Whoever sets a server up finds all that can be set, set or commented out.</summary>
    [Fact]
    public void Every_setting_that_the_server_reads_stands_in_the_templates_and_the_pages_for_operators()
    {
        var read = Repository.Sources("src/Agnes.Server", ".cs").SelectMany(file => file.Lines).SelectMany(line => Asked().Matches(line)).Select(match => match.Groups[1].Value).Except(NotSettings).Distinct(StringComparer.Ordinal).ToList();
        read.Count.ShouldBeGreaterThan(65);
        var offered = Templates(".env.template", AssignedOrNot()).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        read.Where(name => !offered.Contains(name)).ShouldBeEmpty();
        var pages = string.Join('\n', Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs", "operator"), "*.md").Select(File.ReadAllText));
        read.Where(name => !pages.Contains($"`{name}`", StringComparison.Ordinal)).ShouldBeEmpty();

        var keys = Regex.Matches(string.Join('\n', Repository.Sources("src/Agnes.Server/Platform/Config", ".cs").Single(file => file.Path.EndsWith("ReadKeys.cs", StringComparison.Ordinal)).Lines
            .Concat(Repository.Sources("src/Agnes.Server/Platform/Config", ".cs").Single(file => file.Path.EndsWith("SettingLayers.cs", StringComparison.Ordinal)).Lines.Where(line => line.Contains("\"] = \"", StringComparison.Ordinal)))),
            "\"([a-z_]+(?:\\.[a-z_]+)+)\"").Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        keys.Count.ShouldBeGreaterThan(25);
        ExampleKeys().Order(StringComparer.Ordinal).ShouldBe(keys.Order(StringComparer.Ordinal));
    }

    /// <summary>What the runtime sets, or the product only forbids to set.</summary>
    private static readonly string[] NotSettings = ["DOTNET_ROOT", "PATH", "HOME"];

    /// <summary>Dotted, also of lines that are commented out.</summary>
    private static IEnumerable<string> ExampleKeys()
    {
        var path = new List<(int Indent, string Key)>();
        foreach (var match in Templates("instance.yaml.example", KeyOrNot()))
        {
            var indent = match.Groups[1].Length + match.Groups[2].Length - (match.Groups[1].Value.Contains('#', StringComparison.Ordinal) ? 2 : 0);
            path.RemoveAll(above => above.Indent >= indent);
            path.Add((indent, match.Groups[3].Value));
            if (match.Groups[4].Value.Length > 0 && path.Count > 1) yield return string.Join('.', path.Select(step => step.Key));
        }
    }

    /// <summary>In whichever way a variable is asked for.</summary>
    [GeneratedRegex(@"(?:Setting|[sS]etting|read\.\w+|environment|[vV]ariables|GetEnvironmentVariable|Number|Days|Seconds|Secret)\((?:setting, |environment, |read, )?""([A-Z][A-Z0-9_]+)""")]
    private static partial Regex Asked();

    [GeneratedRegex("^(?:# )?([A-Z][A-Z0-9_]*)=")]
    private static partial Regex AssignedOrNot();

    [GeneratedRegex("^( *(?:# )?)( *)([a-z_]+):(?: +([^ #].*)| *(?:#.*)?)$")]
    private static partial Regex KeyOrNot();

    [GeneratedRegex("^([A-Z][A-Z0-9_]*)=")]
    private static partial Regex Assigned();

    /// <summary>Indentation, key, and whatever is set; a section has nothing there.</summary>
    [GeneratedRegex("^( *)([a-z_]+):[ ]*([^ #].*)?$")]
    private static partial Regex Key();

    /// <summary>Ours by their names; one that only the product itself sets for its own children ends in <c>_IN_PROGRESS</c>.</summary>
    [GeneratedRegex(@"""((?:AGNES|SEED|SMTP|SENDGRID|EMAIL|GOOGLE|OIDC|DESKTOP)_[A-Z0-9_]+(?<!_IN_PROGRESS)|DATA_DIR|STATE_DIR|JWT_SECRET_KEY)""")]
    private static partial Regex Variable();
}
