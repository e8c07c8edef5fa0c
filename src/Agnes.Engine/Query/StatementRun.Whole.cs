using System.IO.Pipelines;
using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Workers;
using Agnes.Protocol;
using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>Statements of which every row is kept: the answer is whole, or there is none.</summary>
internal sealed partial class StatementRun
{
    /// <summary>Into one file, over tables of a scope.</summary>
    public async Task<StatementOutcome> TakeAsync(Scope scope, string sql, string file)
    {
        var (parsed, failure) = await ParsedAsync(sql);
        if (parsed is null) return failure!;
        var verdict = Guard.Check(parsed, scope);
        if (verdict.Plan is null || parsed.Shape != StatementShape.Select) return RefusedBy(verdict);
        var plan = verdict.Plan is StatementPlan.PushDown one ? new StatementPlan.Mixed(one.Tables) : verdict.Plan;
        return await EndedAsync(async () =>
        {
            using var rows = new RemoteRows(pool.Fetched, limits, _asked);
            return await AtSystemAsync(plan, async stop =>
            {
                var footprint = plan is StatementPlan.Local local
                    ? local.Footprint
                    : await FetchAsync(plan.Tables, parsed.Rewritten ?? sql, rows, stop);
                return await TakeLocalAsync(parsed.Rewritten ?? sql, footprint, file);
            });
        });
    }

    /// <summary>Into a folder of files, by one other system.</summary>
    public async Task<StatementOutcome> TakeAsync(SourceQuery query, string folder)
    {
        var (asked, failure) = await AskedOfAsync(query);
        if (asked is null) return failure!;
        return await EndedAsync(() => AtSystemAsync(asked.Plan, async stop =>
        {
            var bytes = await CheapAsync(query.System, asked.Question, stop);
            await AnsweredAsync(query.System, asked.Question, bytes ?? 0, folder, stop);
            return Refused(StatementStatus.Ok, "") with { Tables = [.. asked.Plan.Tables.Select(table => table.Name)] };
        }));
    }

    /// <summary>
    /// What the system says to the same question without answering it; <see cref="StatementOutcome.Tables"/> are those that it names.
    /// </summary>
    public async Task<StatementOutcome> CheckAsync(SourceQuery query)
    {
        var (asked, failure) = await AskedOfAsync(query);
        if (asked is null) return failure!;
        var outcome = await EndedAsync(() => AtSystemAsync(asked.Plan, async stop =>
        {
            await query.System.EstimateAsync(asked.Question, stop);
            return Refused(StatementStatus.Ok, "");
        }));
        return outcome with { Tables = [.. asked.Plan.Tables.Select(table => table.Name)] };
    }

    /// <summary>What the system failed at by its own word is not paid for; what it left open may be, and what was too large is.</summary>
    private async Task AnsweredAsync(IRemoteTables system, RemoteQuestion question, long bytes, string folder, CancellationToken stop)
    {
        var charge = new RemoteCharge(system.Connection, bytes, question.OnceAs is not null);
        _asked.Add(charge);
        try
        {
            await system.AnswerAsync(question, folder, stop);
        }
        catch (RemoteException e) when (e is { IsPassing: false, IsTooLarge: false })
        {
            _asked.Remove(charge);
            throw;
        }
    }

    private async Task<StatementOutcome> TakeLocalAsync(string sql, Footprint footprint, string file)
    {
        // On lines of its own: a comment at its end hides nothing of ours.
        var whole = $"SELECT * FROM (\n{sql}\n)";
        var (columns, failure) = await DescribedAsync(whole, footprint);
        if (columns is null) return failure!;
        var statement = new KnownStatement(ParsedStatement.Of(StatementShape.Select), int.MaxValue);
        statement.TookLong();
        // Parquet has no form for some types (the sum of integers), and would hold other values.
        var storable = $"SELECT {ParquetTypes.SelectList(columns)} FROM (\n{sql}\n)";
        var request = new RunRequest(0, RowsForm.Parquet, storable, int.MaxValue, limits.ResultBytes, "", []) { File = file };
        var outcome = await RunOnPoolAsync(null, statement, footprint, request);
        if (!outcome.IsOk) return outcome;
        if (outcome.Truncated) return Refused(StatementStatus.TooLarge, TooMuch);
        footprint.Verify(); // the rows count only if the parts were whole until they had been read
        return outcome with { Bytes = new FileInfo(file).Length };
    }

    private string TooMuch =>
        $"Query error: The result is larger than {limits.ResultBytes >> 20} MiB. Select fewer columns, aggregate, or filter more.";

    private async Task<(IReadOnlyList<TableColumn>? Columns, StatementOutcome? Failure)> DescribedAsync(string sql, Footprint footprint)
    {
        var (json, failure) = await TrustedAsync(run => run.RunOnPoolAsync(
            null, new KnownStatement(ParsedStatement.Of(StatementShape.Select), int.MaxValue), footprint,
            new RunRequest(0, RowsForm.Objects, $"DESCRIBE {sql}", int.MaxValue, limits.ResultBytes, "", [])));
        if (json is null) return (null, failure);
        using (json)
        {
            return ([.. json.RootElement.EnumerateArray().Select(column =>
                new TableColumn(column.GetProperty("column_name").GetString()!, column.GetProperty("column_type").GetString()!))], null);
        }
    }

    /// <summary>Runs something within this statement, whose body is for us.</summary>
    private async Task<(JsonDocument? Body, StatementOutcome? Failure)> TrustedAsync(Func<StatementRun, Task<StatementOutcome>> ask)
    {
        using var answer = new MemoryStream();
        var pipe = PipeWriter.Create(answer, new StreamPipeWriterOptions(leaveOpen: true));
        var outcome = await ask(new StatementRun(pool, known, lease, limits, pipe, cancellation));
        await pipe.CompleteAsync();
        return outcome.IsOk ? (JsonDocument.Parse(answer.ToArray()), null) : (null, outcome);
    }

    /// <summary>
    /// An estimate that is refused refuses the question; where the system fails to say, the limit cannot be held and is not.
    /// </summary>
    /// <returns>The bytes that it would read; null: it does not say.</returns>
    private async Task<long?> CheapAsync(IRemoteTables system, RemoteQuestion question, CancellationToken stop)
    {
        RemoteEstimate estimate;
        try
        {
            estimate = await system.EstimateAsync(question, stop);
        }
        catch (RemoteException e) when (e.IsPassing)
        {
            return null;
        }

        if (limits.RemoteScanBytes == 0 || estimate.ScanBytes is not { } bytes || bytes <= limits.RemoteScanBytes) return estimate.ScanBytes;
        throw new RemoteException(
            RemoteFault.Question,
            $"'{system.Connection}' would have to read {bytes} bytes for this; max_bytes_per_materialize allows {limits.RemoteScanBytes}. "
            + "Filter more, name fewer columns, or have the limit raised (0: none).")
        {
            Scan = new RemoteScan(bytes, limits.RemoteScanBytes, [.. question.Tables.Select(table => table.Relation)]),
        };
    }

    /// <summary>
    /// The question, written anew: in the engine's dialect as the engine writes it, with a name of one word for each table.
    /// </summary>
    private async Task<(AskedQuestion? Asked, StatementOutcome? Failure)> AskedOfAsync(SourceQuery query)
    {
        if (query.Dialect == SqlDialect.BigQuery) return AskedInBigQuery(query);
        var (parsed, failure) = await ParsedAsync(query.Sql);
        if (parsed is null) return (null, failure);
        if (StatementGuard.Check(parsed, SourceNames.Refuse) is { } refusal) return (null, RefusedBy(GuardVerdict.Refuse(refusal)));
        if (parsed.Shape != StatementShape.Select) return (null, Refused(StatementStatus.NotASelect, StatementGuard.OnlySelect));
        try
        {
            var tables = parsed.Tables.DistinctBy(SourceNames.Of, StringComparer.OrdinalIgnoreCase).ToList();
            var sql = await CanonicalAsync(parsed.Rewritten ?? query.Sql);
            if (tables.Exists(table => table.Schema.Length > 0)) sql = await WithOneWordAsync(sql, tables);
            List<ScopedTable> named = [.. tables.Select(table => ScopedOf(query, table))];
            var plan = new StatementPlan.PushDown(query.System, named);
            return (new AskedQuestion(plan, WholeOf(query, plan, sql)), null);
        }
        catch (RemoteException e)
        {
            var isSaid = e.Message.StartsWith("Query error", StringComparison.Ordinal);
            return (null, Refused(StatementStatus.EngineError, isSaid ? e.Message : $"Query error: {e.Message}"));
        }
    }

    private (AskedQuestion? Asked, StatementOutcome? Failure) AskedInBigQuery(SourceQuery query)
    {
        var reading = BigQueryStatements.Read(query);
        if (reading.Refusal is { } refusal) return (null, RefusedBy(GuardVerdict.Refuse(refusal)));
        var plan = (StatementPlan.PushDown)reading.Plan!;
        return (new AskedQuestion(plan, WholeOf(query, plan, reading.Sql!)), null);
    }

    private RemoteQuestion WholeOf(SourceQuery query, StatementPlan.PushDown plan, string sql)
    {
        var tables = plan.Tables.Select(table => new RemoteTable(table.Name, ((RowSource.Remote)table.Source).Relation));
        var question = RemoteSql.Question(query.Dialect, sql, [.. tables], long.MaxValue, limits.ResultBytes);
        return query.Once is { } once && question.OnceAs is not null
            ? question with { OnceAs = RemoteSql.NameOf(once, sql), IsAskedAgain = true }
            : question;
    }

    private static ScopedTable ScopedOf(SourceQuery query, NamedTable table)
    {
        var name = SourceNames.Of(table);
        return new ScopedTable(name, name, 0, "", [], new RowSource.Remote(query.System, query.RelationOf(table.Schema, table.Name)));
    }

    /// <exception cref="RemoteException">It cannot be written so.</exception>
    private async Task<string> WithOneWordAsync(string sql, IReadOnlyList<NamedTable> tables)
    {
        var tree = await TextAsync($"SELECT json_serialize_sql({SqlText.Literal(sql)}::VARCHAR)::VARCHAR AS text");
        var written = await TextAsync($"SELECT json_deserialize_sql({SqlText.Literal(SourceNames.Rename(tree))}::JSON) AS text");
        var renamed = await CanonicalAsync(written);
        // What is sent must name what was looked at.
        var (parsed, failure) = await ParsedAsync(renamed);
        var expected = tables.Select(SourceNames.Of).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (parsed is null) throw new RemoteException(RemoteFault.Question, failure!.Message!);
        var isSame = parsed.Shape == StatementShape.Select && parsed.Tables.All(table => table.IsOurs)
            && expected.SetEquals(parsed.Tables.Select(table => table.Name));
        return isSame
            ? renamed
            : throw new RemoteException(
                RemoteFault.Question, "The query cannot be written for the source. Give its tables names of their own (AS).");
    }

    private async Task<string> TextAsync(string sql)
    {
        var (json, failure) = await TrustedAsync(run => run.RunTrustedAsync(sql, [], 1));
        if (json is null) throw new RemoteException(RemoteFault.Question, failure!.Message!);
        using (json) return json.RootElement[0].GetProperty("text").GetString()!;
    }

    private sealed record AskedQuestion(StatementPlan.PushDown Plan, RemoteQuestion Question);
}
