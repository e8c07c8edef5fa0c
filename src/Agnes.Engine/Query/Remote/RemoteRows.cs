using Agnes.Protocol;

namespace Agnes.Engine.Query.Remote;

/// <summary>Rows that other systems answered with, in files that live as long as one statement.</summary>
/// <param name="folder">One that workers can read.</param>
internal sealed class RemoteRows(string folder, StatementLimits limits) : IDisposable
{
    private readonly List<string> _answers = []; // a folder for each question of the statement

    /// <summary>The whole table: for a statement that joins it with what is elsewhere.</summary>
    /// <param name="withRows">Else its columns alone.</param>
    public async Task<ScopedTable> FetchAsync(ScopedTable table, RowSource.Remote source, bool withRows, CancellationToken cancellation)
    {
        var sql = source.Dialect == SqlDialect.BigQuery ? RemoteSql.Whole(source.Relation)
            : $"SELECT * FROM {SqlText.Identifier(table.Name)}{(withRows ? "" : " WHERE false")}";
        List<RemoteTable> tables = [new RemoteTable(table.Name, source.Relation)];
        var question = RemoteSql.Question(source.Dialect, sql, tables, withRows ? long.MaxValue : 0, limits.ResultBytes);
        return table with { Source = new RowSource.Parts(await AskAsync(source.System, question, cancellation)) };
    }

    /// <returns>The files of the answer, in order.</returns>
    /// <exception cref="RemoteException">Nothing was asked that would cost more than the limit.</exception>
    public async Task<IReadOnlyList<string>> AskAsync(IRemoteTables system, RemoteQuestion question, CancellationToken cancellation)
    {
        // Where no row is wanted, none is read.
        if (question.RowsMax > 0) ThrowIfTooLarge(system, question, await EstimatedAsync(system, question, cancellation));
        var answer = Path.Combine(folder, $"{Guid.NewGuid():N}");
        _answers.Add(answer);
        await system.AnswerAsync(question, answer, cancellation);
        return AnswerFiles.In(answer);
    }

    private static async Task<RemoteEstimate> EstimatedAsync(IRemoteTables system, RemoteQuestion question, CancellationToken cancellation)
    {
        try
        {
            return await system.EstimateAsync(question, cancellation);
        }
        catch (RemoteException refused) when (refused is { Fault: RemoteFault.Question, Failure: { } failure })
        {
            throw new RemoteException(refused.Fault, refused.Message, refused) { Failure = failure with { IsOfEstimate = true } };
        }
    }

    private void ThrowIfTooLarge(IRemoteTables system, RemoteQuestion question, RemoteEstimate estimate)
    {
        var max = estimate.ScanBytesMax ?? limits.RemoteScanBytes;
        if (estimate.ScanBytes is not { } bytes || bytes <= max) return;
        throw new RemoteException(
            RemoteFault.Question,
            $"'{system.Connection}' would have to read {bytes >> 20} MiB for this; {max >> 20} MiB are allowed. "
            + "Filter more, or name fewer columns.")
        {
            Scan = new RemoteScan(bytes, max, [.. question.Tables.Select(table => RemoteSql.Shown(question.Dialect, table.Relation))])
            {
                Views = [.. question.Tables.Where(table => estimate.Views.Contains(table.Relation)).Select(table => table.Name)],
            },
        };
    }

    public void Dispose()
    {
        foreach (var answer in _answers.Where(Directory.Exists)) Directory.Delete(answer, recursive: true);
    }
}
