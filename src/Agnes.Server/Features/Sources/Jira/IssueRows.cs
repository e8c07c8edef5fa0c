using System.IO.Pipelines;
using System.Text.Json;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>
/// Asks the tables of issues as the system, in a query worker like everybody: what is newer than their parts is in the
/// answer.
/// </summary>
internal sealed class IssueRows(StateDb state, StatementRunner runner, Scopes scopes)
{
    private const int RowsMax = 5_000_000;
    private const string Table = "issues";
    private static readonly StatementLimits Limits = new(TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), 1L << 30, int.MaxValue);

    /// <param name="conditions">Over the columns of <c>issues</c>, of constants and checked texts alone.</param>
    /// <returns>The keys of issues, in order; empty where there is no such table yet.</returns>
    /// <exception cref="InvalidOperationException">The statement failed.</exception>
    public async Task<IReadOnlyList<string>> KeysAsync(string conditions, CancellationToken stop)
    {
        var snapshot = state.Snapshot;
        if (!snapshot.PublishedNamesOf(JiraKind.KindName).Contains(Table)) return [];
        using var answer = new MemoryStream();
        var output = PipeWriter.Create(answer, new StreamPipeWriterOptions(leaveOpen: true));
        var sql = $"SELECT issue_key FROM {Table} WHERE {conditions} ORDER BY issue_key";
        var outcome = await runner.RunAsync(Lease.OfSystem("jira", stop), scopes.OfEverything(snapshot), sql, RowsMax, output, Limits,
            stop);
        await output.CompleteAsync();
        if (!outcome.IsOk) throw new InvalidOperationException($"The table of issues could not be asked: {outcome.Message}");
        answer.Position = 0;
        using var rows = await JsonDocument.ParseAsync(answer, cancellationToken: stop);
        return [.. rows.RootElement.GetProperty("rows").EnumerateArray().Select(row => row[0].GetString()).OfType<string>()];
    }
}
