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

    [GeneratedRegex("^([A-Z][A-Z0-9_]*)=")]
    private static partial Regex Assigned();

    /// <summary>Indentation, key, and whatever is set; a section has nothing there.</summary>
    [GeneratedRegex("^( *)([a-z_]+):[ ]*([^ #].*)?$")]
    private static partial Regex Key();

    /// <summary>Ours by their names; one that only the product itself sets for its own children ends in <c>_IN_PROGRESS</c>.</summary>
    [GeneratedRegex(@"""((?:AGNES|SEED|SMTP|GOOGLE|OIDC)_[A-Z0-9_]+(?<!_IN_PROGRESS)|DATA_DIR|STATE_DIR|JWT_SECRET_KEY)""")]
    private static partial Regex Variable();
}
