using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Connectors.Answers;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>
/// Runs the queries of materialized tables. They run as the system: an admin wrote them, and whoever is granted the table reads the answer
/// and nothing behind it. Nothing is sent anywhere that was not parsed, looked at, and written anew.
/// </summary>
internal sealed class TableQueries(
    StateDb state, SourceKinds kinds, StatementRunner runner, AskedSources asked, Scopes scopes, Scratch scratch, RemoteQuota quota,
    AuditLog audit, ServerOptions options)
{
    private const string AuditedAs = "materialize";

    /// <summary>An admin waits for the answer of a registration.</summary>
    private static readonly TimeSpan CheckTime = TimeSpan.FromSeconds(30);

    /// <summary>The answer and the parts that are made of it lie on the disk at once.</summary>
    private const int CopiesMax = 2;

    /// <summary>People's statements come first; a run has time.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(10);

    /// <summary>The answer of a table's query. Whatever became of it stands in the audit, as the system's doing.</summary>
    /// <param name="run">The run that wants it. One that was cut off and is repeated finds the job that a source which bills has run
    /// for it.</param>
    /// <param name="folder">Gets a folder of the table's name; whole where the outcome is ok.</param>
    public async Task<StatementOutcome> TakeAsync(string run, Connection own, TableRow row, string folder, CancellationToken stop)
    {
        row = asked.WithQuery(row);
        var outcome = await AnsweredAsync(run, own, row, Path.Combine(folder, row.Name), stop);
        var what = new JsonObject
        {
            ["run"] = run,
            ["sql_sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(row.SourceQuery ?? ""))),
            ["tables"] = new JsonArray([.. outcome.Tables.Select(table => (JsonNode)table)]),
        };
        quota.Describe(outcome.Asked, what);
        await audit.AppendAsync(
            null, AuditedAs, row.Id, what, StatementAnswer.AuditedAs(outcome), (int)outcome.Elapsed.TotalMilliseconds,
            CancellationToken.None);
        return outcome;
    }

    private Task<StatementOutcome> AnsweredAsync(string run, Connection own, TableRow row, string answer, CancellationToken stop)
    {
        if (row.SourceQuery is not { } sql)
            return Failed(StatementStatus.EngineError, $"It has no query, and '{own.Name}' has no project to take the table from.");
        var limits = StatementLimits.Default with
        {
            Time = options.Limits.SyncTotal,
            Wait = WaitMax,
            ResultBytes = Math.Max(1, scratch.Room / CopiesMax),
            PerCaller = int.MaxValue, // runs are few, and each does one after the other
        };
        if (!own.Kind.IsAsked)
        {
            Directory.CreateDirectory(answer);
            var file = Path.Combine(answer, AnswersConnector.OnlyFile);
            return runner.TakeAsync(Own(stop), scopes.OfEverything(state.Snapshot), sql, file, limits, stop);
        }

        if (asked.Find(own.Kind, own.Name) is not var (system, settings))
            return Failed(StatementStatus.RemoteFailed, $"The connection '{own.Name}' is no more.");
        limits = limits with { RemoteScanBytes = own.Kind.MaterializeBytesMax(own with { Settings = settings }) };
        var query = QueryOf(own, sql, system, settings) with { Once = $"{run}\n{row.Id}" };
        return runner.TakeFromSourceAsync(Own(stop), query, answer, limits, stop);

        static Task<StatementOutcome> Failed(StatementStatus status, string why) => Task.FromResult(StatementOutcome.Failed(status, why));
    }

    private SourceQuery QueryOf(Connection own, string sql, IRemoteTables system, IReadOnlyDictionary<string, string> settings) =>
        new(sql, system, own.Kind.RelationOf) { Dialect = own.Kind.Dialect, Projects = own.Kind.CatalogsOf(settings, options) };

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

        if (asked.Find(own.Kind, own.Name) is not var (system, settings)) return (row with { ReadsTables = null }, null);
        var outcome = await runner.CheckAtSourceAsync(Own(stop), QueryOf(own, sql, system, settings), limits, stop);
        return (row with { ReadsTables = TableReads.Write(outcome.Tables) }, outcome.IsOk || outcome.IsPassing ? null : outcome.Message);
    }

    private static Lease Own(CancellationToken stop) => Lease.OfSystem("materialize", stop);
}
