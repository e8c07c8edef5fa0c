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

    /// <summary>Ours by their names; one that only the product itself sets for its own children ends in <c>_IN_PROGRESS</c>.</summary>
    [GeneratedRegex(@"""((?:AGNES|SEED|SMTP|GOOGLE|OIDC)_[A-Z0-9_]+(?<!_IN_PROGRESS)|DATA_DIR|STATE_DIR|JWT_SECRET_KEY)""")]
    private static partial Regex Variable();
}
