using System.Xml.Linq;

namespace Agnes.Tidy;

/// <summary>Which room may use which: the table of the architecture page, enforced.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Agnes.DuckDb"] = [],
        ["Agnes.Protocol"] = [],
        ["Agnes.Sql"] = ["Agnes.DuckDb"],
        ["Agnes.Engine"] = ["Agnes.DuckDb", "Agnes.Protocol", "Agnes.Sql"],
        ["Agnes.Connectors"] = ["Agnes.Engine", "Agnes.DuckDb", "Agnes.Protocol"],
        ["Agnes.Server"] = ["Agnes.Connectors", "Agnes.Engine", "Agnes.DuckDb", "Agnes.Protocol"],
        ["Agnes.Worker"] = ["Agnes.Connectors"],
        ["Agnes.Cli"] = ["Agnes.DuckDb", "Agnes.Protocol", "Agnes.Sql"],
    };

    [Fact]
    public void Projects_reference_only_the_rooms_they_may_use()
    {
        foreach (var (project, allowed) in Allowed)
        {
            var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, $"{project}.csproj"));
            var references = file.Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!));
            references.Except(allowed, StringComparer.Ordinal).ShouldBeEmpty($"{project} references a room it must not use");
        }
    }

    [Fact]
    public void Features_of_the_server_do_not_reach_into_one_another()
    {
        var features = Path.Combine(Repository.Root, "src/Agnes.Server/Features");
        if (!Directory.Exists(features)) return;
        var names = Directory.GetDirectories(features).Select(folder => Path.GetFileName(folder)!).ToArray();
        var reaching =
            from file in Repository.Sources("src/Agnes.Connectors", ".cs").Concat(Repository.Sources("src/Agnes.Engine", ".cs"))
            from line in file.Lines
            where names.Any(name => line.Contains($"Agnes.Server.Features.{name}", StringComparison.Ordinal))
            select $"{file.Path}: {line.Trim()}";
        reaching.ShouldBeEmpty();
    }
}
