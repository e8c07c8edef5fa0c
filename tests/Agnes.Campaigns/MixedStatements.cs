using System.IO.Pipelines;
using System.Text.Json;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Workers;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Campaigns;

/// <summary>
/// Joins of a table here with one in a PostgreSQL, of which a part is fetched, beside the same statements over both tables here.
/// </summary>
internal sealed class MixedStatements : IAsyncDisposable
{
    private const string Name = "sales";
    private const string Orders =
        "SELECT i AS id, i * 1.5 AS amount, 'customer ' || i % 10 AS customer, DATE '2026-01-01' + i::INTEGER AS day FROM range(1000) t(i)";

    private const int RowsMax = 100_000;
    private const long WorkerBytes = 512L << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly StatementRunner _runner;
    private readonly RandomJoins _joins;
    private readonly List<string> _asked = [];

    private MixedStatements(int seed)
    {
        _joins = new RandomJoins(seed);
        var program = new WorkerProgram(ServerProcess.Program("agnes-server"), []);
        var scratch = new Scratch(_folder["scratch"]);
        var options = new WorkerPoolOptions(program, scratch, Workers: 2, Threads: 2, WorkerBytes, WorkerBytes, WorkerBytes)
        {
            Parts = Parts,
        };
        _runner = new StatementRunner(new WorkerPool(options, TimeProvider.System, NullLogger<WorkerPool>.Instance));
    }

    private string Parts => Directory.CreateDirectory(_folder["parts"]).FullName;

    private Scope There { get; set; } = null!;

    private Scope Here { get; set; } = null!;

    public static async Task<MixedStatements> StartAsync(TwinTables twins, int seed)
    {
        var mixed = new MixedStatements(seed);
        // Equal texts of unequal bytes there: a condition that is sent may find more rows, and never fewer.
        await twins.ExecuteAsync("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
        await twins.ExecuteAsync("""
            CREATE TABLE stock AS SELECT i AS id, (CASE WHEN i % 11 <> 0 THEN i * 1.25 - 40 END)::numeric(12,2) AS amount,
                (CASE WHEN i % 13 <> 0 THEN (ARRAY['apple', 'Zebra', 'Äpfel', 'pear', 'it''s', '', 'a%b', ' e '])[i % 8 + 1] END)
                    COLLATE loose AS name,
                CASE WHEN i % 17 <> 0 THEN DATE '2026-01-01' + i::integer END AS day,
                TIMESTAMP '2026-01-01 10:00:00' + i * INTERVAL '7919 seconds' AS moment, i / 7.0::double precision AS ratio,
                CASE WHEN i % 5 <> 0 THEN i % 3 = 0 END AS large, (i % 6)::integer AS grade,
                CASE WHEN i % 19 <> 0 THEN TIMESTAMPTZ '2026-01-01 10:00:00+00' + i * INTERVAL '3607 seconds' END AS seen
            FROM generate_series(0::bigint, 119) t(i)
            """);
        var system = new Noted(twins.Tables, mixed._asked);
        var relation = TwinTables.RelationOf("stock");
        var there = new ScopedTable(Name, Name, 0, "", [], new RowSource.Remote(system, relation));
        var mirror = await twins.AnswerAsync("SELECT * FROM stock", ["stock"]);
        var copied = Path.Combine(mixed.Parts, "stock");
        Directory.Move(mirror, copied);
        var here = there with { Source = new RowSource.Parts(AnswerFiles.In(copied)) };
        var orders = mixed.Local("orders", Orders);
        (mixed.There, mixed.Here) = (Scope.Of([orders, there]), Scope.Of([orders, here]));
        return mixed;
    }

    public async Task RoundAsync(CampaignRun run)
    {
        var sql = _joins.Next();
        _asked.Clear();
        var (there, theirs) = await RunAsync(sql, There, run.Cancellation);
        var (here, ours) = await RunAsync(sql, Here, run.Cancellation);
        if (there.Status != here.Status) run.Fail($"{sql}\n    {there.Status} {there.Message}\n    {here.Status} {here.Message}");
        if (!there.IsOk || !here.IsOk) return;
        var sent = string.Join("; ", _asked);
        if (!RandomStatements.Compare(run, $"{sql}\n    {sent}", theirs, ours)) return;
        run.Add("joins as here");
        if (sent.Contains(" WHERE ", StringComparison.Ordinal)) run.Add("joins of which conditions travelled");
    }

    public async ValueTask DisposeAsync()
    {
        await _runner.DisposeAsync();
        _folder.Dispose();
    }

    private ScopedTable Local(string name, string sql)
    {
        var path = Path.Combine(Parts, $"{name}.parquet");
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.ExecuteUnprepared($"COPY ({sql}) TO {SqlText.Literal(path)} (FORMAT parquet)");
        TableColumn[] columns = [new("id", "BIGINT"), new("amount", "DECIMAL(21,1)"), new("customer", "VARCHAR"), new("day", "DATE")];
        return new ScopedTable(name, name, 1, "", columns, new RowSource.Parts([path]));
    }

    private async Task<(StatementOutcome Outcome, List<string> Rows)> RunAsync(string sql, Scope scope, CancellationToken cancellation)
    {
        using var body = new MemoryStream();
        var output = PipeWriter.Create(body, new StreamPipeWriterOptions(leaveOpen: true));
        var lease = new Lease("campaign", CancellationToken.None);
        var outcome = await _runner.RunAsync(lease, scope, sql, RowsMax, output, StatementLimits.Default, cancellation);
        await output.CompleteAsync();
        if (!outcome.IsOk) return (outcome, []);
        using var json = JsonDocument.Parse(body.ToArray());
        return (outcome, [.. json.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetRawText())]);
    }

    /// <summary>Notes what is sent.</summary>
    private sealed class Noted(IRemoteTables system, List<string> asked) : IRemoteTables
    {
        public string Connection => system.Connection;

        public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) =>
            system.DescribeAsync(relation, cancellation);

        public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) =>
            system.EstimateAsync(question, cancellation);

        public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation)
        {
            asked.Add(question.Sql);
            return system.AnswerAsync(question, folder, cancellation);
        }
    }
}
