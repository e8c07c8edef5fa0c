namespace Agnes.Tidy;

/// <summary>Where the program on people's machines speaks to the engine. What others wrote goes through LocalSession, and so through the guard.</summary>
public sealed class LocalSqlTests
{
    private static readonly Dictionary<string, string> Speaking = new(StringComparer.Ordinal)
    {
        ["src/Agnes.Cli/Workspace/LocalSession.cs"] = "runs what LocalGuard admitted",
        ["src/Agnes.Cli/Workspace/LocalDatabase.cs"] = "writes views over parts whose names it quotes, and those of before as UserView composes them",
        ["src/Agnes.Cli/Workspace/LocalLock.cs"] = "closes the engine before what others wrote is opened",
        ["src/Agnes.Cli/Workspace/QueryErrors.cs"] = "asks the catalog for names; the statement is a parameter of the parser",
        ["src/Agnes.Cli/Workspace/VersionDiff.cs"] = "compares parts that it fetched, by columns whose names it quotes, behind the lock",
        ["src/Agnes.Cli/Workspace/Snapshotter.cs"] = "counts the rows of a file that it named",
    };

    [Fact]
    public void Nobody_else_runs_sql_on_a_laptop()
    {
        var found =
            from file in Repository.Sources("src/Agnes.Cli", ".cs")
            where file.Lines.Any(line => line.Contains("DuckDBCommand(", StringComparison.Ordinal) || line.Contains("ExecuteUnprepared(", StringComparison.Ordinal)
                || line.Contains("CreateCommand(", StringComparison.Ordinal) || line.Contains("CreateDbCommand(", StringComparison.Ordinal))
            select file.Path;

        found.ShouldBe(Speaking.Keys, ignoreOrder: true);
    }
}
