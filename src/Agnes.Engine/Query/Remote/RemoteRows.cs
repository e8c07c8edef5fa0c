using Agnes.Protocol;

namespace Agnes.Engine.Query.Remote;

/// <summary>Rows that other systems answered with, in files that live as long as one statement.</summary>
/// <param name="folder">One that workers can read.</param>
/// <param name="asked">Gets what other systems are asked.</param>
internal sealed class RemoteRows(string folder, StatementLimits limits, List<RemoteCharge> asked) : IDisposable
{
    private readonly List<string> _answers = []; // a folder for each question of the statement

    /// <summary>The rows and columns of a table that are needed.</summary>
    public static RemoteQuestion PartOf(ScopedTable table, RowSource.Remote source, TableNeed need, StatementLimits limits)
    {
        var sql = RemoteSql.Part(source.Dialect, source.Dialect == SqlDialect.BigQuery ? source.Relation : table.Name, need);
        return RemoteSql.Question(source.Dialect, sql, [new RemoteTable(table.Name, source.Relation)], long.MaxValue, limits.ResultBytes);
    }

    /// <summary>Why a question is not asked; null: it may be.</summary>
    public static string? TooMuch(IRemoteTables system, RemoteEstimate estimate, StatementLimits limits)
    {
        var max = estimate.ScanBytesMax ?? limits.RemoteScanBytes;
        return estimate.ScanBytes is { } bytes && bytes > max
            ? $"'{system.Connection}' would have to read {bytes >> 20} MiB for this; {max >> 20} MiB are allowed. Filter more, or name fewer columns."
            : null;
    }

    /// <summary>What a statement needs of a table that it joins with what is elsewhere.</summary>
    public async Task<ScopedTable> FetchAsync(ScopedTable table, RowSource.Remote source, TableNeed need, CancellationToken cancellation)
    {
        try
        {
            return await FetchAsync(table, source, PartOf(table, source, need, limits), cancellation);
        }
        catch (RemoteException e) when (need.Where is not null && IsOfText(e))
        {
            // A type there is not what it looks like here: then without the condition, which was for economy alone.
            return await FetchAsync(table, source, PartOf(table, source, need with { Where = null }, limits), cancellation);
        }
    }

    /// <summary>The columns of a table, and no row.</summary>
    public Task<ScopedTable> FetchEmptyAsync(ScopedTable table, RowSource.Remote source, CancellationToken cancellation)
    {
        var question = PartOf(table, source, TableNeed.Whole, limits) with { RowsMax = 0 };
        if (source.Dialect == SqlDialect.Engine) question = question with { Sql = $"{question.Sql} WHERE false" };
        return FetchAsync(table, source, question, cancellation);
    }

    private async Task<ScopedTable> FetchAsync(
        ScopedTable table, RowSource.Remote source, RemoteQuestion question, CancellationToken cancellation) =>
        table with { Source = new RowSource.Parts(await AskAsync(source.System, question, cancellation)) };

    private static bool IsOfText(RemoteException failure) =>
        failure is { Fault: RemoteFault.Question, Scan: null, Quota: null, IsTooLarge: false };

    /// <returns>The files of the answer, in order.</returns>
    /// <exception cref="RemoteException">Nothing was asked that would cost more than the limit.</exception>
    public async Task<IReadOnlyList<string>> AskAsync(IRemoteTables system, RemoteQuestion question, CancellationToken cancellation)
    {
        var answer = Path.Combine(folder, $"{Guid.NewGuid():N}");
        _answers.Add(answer);
        // Where no row is wanted, none is read.
        await (question.RowsMax > 0 ? PaidAsync(system, question, answer, cancellation) : system.AnswerAsync(question, answer, cancellation));
        return AnswerFiles.In(answer);
    }

    private async Task PaidAsync(IRemoteTables system, RemoteQuestion question, string answer, CancellationToken cancellation)
    {
        if (limits.Budget is { } opening) ThrowIfUsedUp(await opening.OpenAsync(cancellation));
        var estimate = await EstimatedAsync(system, question, cancellation);
        ThrowIfTooLarge(system, question, estimate);
        var charge = new RemoteCharge(system.Connection, estimate.ScanBytes ?? 0, question.OnceAs is not null);
        if (limits.Budget is { } budget) ThrowIfUsedUp(await budget.SpendAsync(charge, cancellation));
        asked.Add(charge);
        try
        {
            await system.AnswerAsync(question, answer, cancellation);
        }
        catch (RemoteException e) when (e is { IsPassing: false, IsTooLarge: false }) // one that is too large was answered, and is paid for
        {
            asked.Remove(charge);
            if (limits.Budget is { } paid) await paid.RefundAsync(charge);
            throw;
        }
    }

    private static void ThrowIfUsedUp(QuotaExceeded? used)
    {
        if (used is not null) throw new RemoteException(RemoteFault.Question, used.Message) { Quota = used };
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
        if (TooMuch(system, estimate, limits) is not { } message) return;
        List<string> relations = [.. question.Tables.Select(table => RemoteSql.Shown(question.Dialect, table.Relation))];
        throw new RemoteException(RemoteFault.Question, message)
        {
            Scan = new RemoteScan(estimate.ScanBytes!.Value, estimate.ScanBytesMax ?? limits.RemoteScanBytes, relations)
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
