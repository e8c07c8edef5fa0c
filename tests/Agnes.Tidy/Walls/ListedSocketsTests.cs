using System.Text.RegularExpressions;

namespace Agnes.Tidy.Walls;

/// <summary>Each file that opens a connection stands in <c>docs/operator/walls.md</c> with its rule; that no other does, <see cref="BannedTests"/> sees to.</summary>
public sealed partial class ListedSocketsTests
{
    /// <summary>Names of system calls, which are refused there.</summary>
    private static readonly string[] NoConnections = ["src/Agnes.Engine/Limits/Walls/SyscallFilter.cs", "src/Agnes.Engine/Limits/Walls/SyscallList.cs"];

    [Fact]
    public void Every_file_that_opens_a_connection_is_listed()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs/operator/walls.md"));
        var opening = Repository.Sources("src", ".cs", ".razor")
            .Where(file => !NoConnections.Contains(file.Path, StringComparer.Ordinal) && file.Lines.Any(line => BannedTests.OpensConnection(line)))
            .Select(file => file.Path).ToList();
        opening.Count.ShouldBeGreaterThan(3);
        opening.Where(path => !page.Contains($"`{path}`", StringComparison.Ordinal)).ShouldBeEmpty();
        Listed().Matches(page).Select(match => match.Groups["path"].Value).Where(path => !opening.Contains(path, StringComparer.Ordinal)).ShouldBeEmpty("listed, and opens none");
    }

    [GeneratedRegex(@"^\| `(?<path>src/[^`]+\.cs)`", RegexOptions.Multiline)]
    private static partial Regex Listed();
}
