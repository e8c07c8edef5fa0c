using Agnes.Protocol;

namespace Agnes.Engine.Query.Remote;

/// <summary>Rows that other systems answered with, in files that live as long as one statement.</summary>
/// <param name="folder">One that workers can read.</param>
internal sealed class RemoteRows(string folder, StatementLimits limits) : IDisposable
{
    private readonly List<string> _answers = []; // a folder for each question of the statement

    /// <summary>All rows of a table.</summary>
    public static RemoteQuestion WholeOf(ScopedTable table, RowSource.Remote source, StatementLimits limits) =>
        new($"SELECT * FROM {SqlText.Identifier(table.Name)}", [new RemoteTable(table.Name, source.Relation)], long.MaxValue, limits.ResultBytes);

    public static string TooMuch(IRemoteTables system, long bytes, StatementLimits limits) =>
        $"'{system.Connection}' would have to read {bytes >> 20} MiB for this; {limits.RemoteScanBytes >> 20} MiB are allowed. "
        + "Filter more, or name fewer columns.";

    /// <summary>The whole table: for a statement that joins it with what is elsewhere.</summary>
    /// <param name="withRows">Else its columns alone.</param>
    public async Task<ScopedTable> FetchAsync(ScopedTable table, RowSource.Remote source, bool withRows, CancellationToken cancellation)
    {
        var whole = WholeOf(table, source, limits);
        var question = withRows ? whole : whole with { Sql = $"{whole.Sql} WHERE false" };
        return table with { Source = new RowSource.Parts(await AskAsync(source.System, question, cancellation)) };
    }

    /// <returns>The files of the answer, in order.</returns>
    /// <exception cref="RemoteException">Nothing was asked that would cost more than the limit.</exception>
    public async Task<IReadOnlyList<string>> AskAsync(IRemoteTables system, RemoteQuestion question, CancellationToken cancellation)
    {
        var estimate = await system.EstimateAsync(question, cancellation);
        if (estimate.ScanBytes > limits.RemoteScanBytes)
        {
            throw new RemoteException(RemoteFault.Question, TooMuch(system, estimate.ScanBytes.Value, limits))
            {
                Scan = new RemoteScan(estimate.ScanBytes.Value, limits.RemoteScanBytes, [.. question.Tables.Select(table => table.Relation)]),
            };
        }

        var answer = Path.Combine(folder, $"{Guid.NewGuid():N}");
        _answers.Add(answer);
        await system.AnswerAsync(question, answer, cancellation);
        return AnswerFiles.In(answer);
    }

    public void Dispose()
    {
        foreach (var answer in _answers.Where(Directory.Exists)) Directory.Delete(answer, recursive: true);
    }
}
