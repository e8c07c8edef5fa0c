namespace Agnes.EndToEnd.Questions;

/// <summary>A business question, what an agent that knows only the workspace runs to answer it, and the answer.</summary>
/// <param name="By">Whose workspace: <c>finance</c>, <c>marketing</c> or <c>admin</c>.</param>
/// <param name="Steps">In this order; the last one prints the answer.</param>
/// <param name="Answer">As <c>--format csv</c> prints it, header included.</param>
internal sealed record Question(string Text, string By, IReadOnlyList<Step> Steps, string Answer)
{
    public override string ToString() => Text;
}

/// <param name="Arguments">After <c>agnes</c>.</param>
/// <param name="Shows">What the output must say for the next step to be more than a guess.</param>
/// <param name="ExitCode">Other than 0 where the step is a mistake that the message puts right.</param>
internal sealed record Step(string[] Arguments, string[] Shows, int ExitCode = 0)
{
    public static Step Metrics(params string[] shows) => new(["catalog", "--metrics"], shows);

    public static Step Metric(string id, params string[] shows) => new(["catalog", "--metrics", "--show", id], shows);

    public static Step Catalog(params string[] shows) => new(["catalog"], shows);

    public static Step Schema(string table, params string[] shows) => new(["schema", table], shows);

    public static Step Verified(params string[] shows) => new(["verified", "list"], shows);

    public static Step Query(string sql) => new(["query", "--format", "csv", sql], []);

    /// <summary>A statement that fails, and the words of the message that lead on.</summary>
    public static Step Mistake(string sql, params string[] shows) => new(["query", sql], shows, ExitCode: 1);
}
