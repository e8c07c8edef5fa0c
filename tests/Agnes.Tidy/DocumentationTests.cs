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

    /// <summary>Ours by their names; one that only the product itself sets for its own children ends in <c>_IN_PROGRESS</c>.</summary>
    [GeneratedRegex(@"""((?:AGNES|SEED|SMTP|SENDGRID|EMAIL|GOOGLE|OIDC|DESKTOP)_[A-Z0-9_]+(?<!_IN_PROGRESS)|DATA_DIR|STATE_DIR|JWT_SECRET_KEY)""")]
    private static partial Regex Variable();
}
