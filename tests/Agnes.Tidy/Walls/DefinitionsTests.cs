namespace Agnes.Tidy.Walls;

/// <summary>What admins wrote about tables is handed out by one class, which answers for one asker. Nothing goes around it.</summary>
public sealed class DefinitionsTests
{
    private const string Metrics = "src/Agnes.Server/Features/Metrics";
    private const string Queries = "src/Agnes.Server/Features/VerifiedQueries";

    private static readonly (string Text, string Reason, string[] AllowedIn)[] Rules =
    [
        ("FROM metric_definitions", "only MetricStore reads the table", [$"{Metrics}/MetricStore.cs"]),
        ("FROM verified_queries", "only VerifiedQueryStore reads the table", [$"{Queries}/VerifiedQueryStore.cs"]),
        ("MetricStore.AllAsync(", "ask Definitions.OfAsync", [$"{Metrics}/Definitions.cs"]),
        ("VerifiedQueryStore.AllAsync(", "ask Definitions.OfAsync", [$"{Metrics}/Definitions.cs"]),
        (".EverythingAsync(", "ask Definitions.OfAsync: this one is no answer to anybody", [$"{Metrics}/DefinitionBinding.cs", "src/Agnes.Server/Features/Demo/DemoKnowledge.cs"]),
        (".OfEverything(", "ask Scopes.Of: this one is no answer to anybody", [$"{Metrics}/MetricCheck.cs",
            "src/Agnes.Server/Platform/Publications/TableQueries.cs", "src/Agnes.Server/Features/Sources/Jira/IssueRows.cs"]),
        ("Asker.Server(", "ask in the caller's name: Asker.Of", [$"{Metrics}/DefinitionBinding.cs", "src/Agnes.Server/Features/Demo/DemoKnowledge.cs"]),
    ];

    [Fact]
    public void Definitions_are_asked_for_in_the_name_of_an_asker()
    {
        var sources = Repository.Sources("src/Agnes.Server", ".cs", ".razor").ToList();
        var around =
            from file in sources
            from rule in Rules
            where !rule.AllowedIn.Contains(file.Path, StringComparer.Ordinal)
            from line in file.Lines.Select((text, index) => (text, index))
            where line.text.Contains(rule.Text, StringComparison.Ordinal) && !line.text.TrimStart().StartsWith("//", StringComparison.Ordinal) && !line.text.Contains("DELETE FROM", StringComparison.Ordinal)
            select $"{file.Path}:{line.index + 1}: {line.text.Trim()}  →  {rule.Reason}";
        around.ShouldBeEmpty();
        foreach (var (text, _, allowed) in Rules)
        {
            foreach (var path in allowed) sources.Single(file => file.Path == path).Lines.ShouldContain(line => line.Contains(text, StringComparison.Ordinal), $"{text} is not in {path} any more");
        }
    }
}
