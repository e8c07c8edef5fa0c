using Agnes.Connectors.Answers;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// Runs the queries of materialized tables. They run as the system: an admin wrote them, and whoever is granted the table reads the
/// answer and
/// nothing behind it. Nothing is sent anywhere that was not parsed, looked at, and written anew.
/// </summary>
internal sealed class TableQueries(
    StateDb state, SourceKinds kinds, StatementRunner runner, AskedSources asked, Scopes scopes, Scratch scratch, ServerOptions options)
{
    /// <summary>An admin waits for the answer of a registration.</summary>
    private static readonly TimeSpan CheckTime = TimeSpan.FromSeconds(30);

    /// <summary>The answer and the parts that are made of it lie on the disk at once.</summary>
    private const int CopiesMax = 2;

    /// <summary>People's statements come first; a run has time.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(10);

    /// <param name="folder">Gets a folder of the table's name; whole where the outcome is ok.</param>
    public Task<StatementOutcome> TakeAsync(Connection own, TableRow row, string folder, CancellationToken stop)
    {
        var answer = Path.Combine(folder, row.Name);
        var limits = StatementLimits.Default with
        {
            Time = options.Limits.SyncTotal,
            Wait = WaitMax,
            ResultBytes = Math.Max(1, scratch.Room / CopiesMax),
            RemoteScanBytes = own.Kind.MaterializeBytesMax(own),
            PerCaller = int.MaxValue, // runs are few, and each does one after the other
        };
        if (!own.Kind.IsAsked)
        {
            Directory.CreateDirectory(answer);
            var file = Path.Combine(answer, AnswersConnector.OnlyFile);
            return runner.TakeAsync(Own(stop), scopes.OfEverything(state.Snapshot), row.SourceQuery!, file, limits, stop);
        }

        return asked.SystemOf(row) is { } system
            ? runner.TakeFromSourceAsync(Own(stop), new SourceQuery(row.SourceQuery!, system, own.Kind.RelationOf), answer, limits, stop)
            : Task.FromResult(StatementOutcome.Failed(StatementStatus.RemoteFailed, $"The connection '{own.Name}' is no more."));
    }

    /// <summary>What is wrong with the query of a table that is to be registered, and what it reads. No row is read.</summary>
    /// <returns>The row, which says now what its query reads. Unchanged where it has none that runs here.</returns>
    public async Task<(TableRow Row, string? Fault)> CheckAsync(TableRow row, CancellationToken stop)
    {
        if (row is not { QueryMode: TableRules.ModeMaterialized, SourceQuery: { } sql }) return (row with { ReadsTables = null }, null);
        if (kinds.ConnectionOf(state.Snapshot, row) is not { Kind.TakesAnswers: true } own) return (row with { ReadsTables = null }, null);
        var limits = StatementLimits.Default with { Time = CheckTime, PerCaller = int.MaxValue };
        if (!own.Kind.IsAsked)
        {
            var check = await runner.CheckAsync(Own(stop), scopes.OfEverything(state.Snapshot), sql, "", limits, stop);
            // A table without data yet has no columns to look at; the run will.
            var isFine = check.Status is StatementStatus.Ok or StatementStatus.TableNotReady or StatementStatus.RemoteFailed;
            return (row with { ReadsTables = TableReads.Write(check.Tables) }, isFine ? null : check.Message);
        }

        if (asked.SystemOf(row) is not { } system) return (row with { ReadsTables = null }, null);
        var outcome = await runner.CheckAtSourceAsync(Own(stop), new SourceQuery(sql, system, own.Kind.RelationOf), limits, stop);
        return (row with { ReadsTables = TableReads.Write(outcome.Tables) }, outcome.IsOk || outcome.IsPassing ? null : outcome.Message);
    }

    private static Lease Own(CancellationToken stop) => Lease.OfSystem("materialize", stop);
}
