using System.IO.Pipelines;
using System.Text;
using Agnes.Engine.Limits;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Workers;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Engine.Tests.Query;

/// <summary>Two tables as parts on disk, of which most tests grant one, and a pool of workers that is shared by a class of tests.</summary>
public sealed class Bench : IAsyncDisposable
{
    public const string HiddenText = "the hidden row";
    private readonly TemporaryFolder _folder = new();

    public Bench()
    {
        Orders = Table("orders", "SELECT i AS id, i * 1.5 AS amount, 'customer ' || i % 10 AS customer, DATE '2026-01-01' + i::INTEGER AS day FROM range(1000) t(i)");
        Secrets = Table("secrets", $"SELECT i AS id, '{HiddenText} ' || i AS secret FROM range(10) t(i)");
        Pool = NewPool();
        Runner = new StatementRunner(Pool);
    }

    public ScopedTable Orders { get; }

    /// <summary>Is in the store, and in the scope of admins.</summary>
    public ScopedTable Secrets { get; }

    public WorkerPool Pool { get; }

    public StatementRunner Runner { get; }

    public string Folder => _folder.Path;

    /// <summary>All that workers can open.</summary>
    public string Parts => Directory.CreateDirectory(_folder["parts"]).FullName;

    public Scope Guest => Scope.Of([Orders]);

    public Scope Admin => Scope.Of([Orders, Secrets], nothingHidden: true);

    public WorkerPool NewPool(long memoryMiB = 512, int workers = 2) => new(
        new WorkerPoolOptions(WorkerProgram.Default, new Scratch(_folder["scratch"]), workers, 2, memoryMiB << 20, 256L << 20, 1L << 30) { Parts = Parts },
        TimeProvider.System, NullLogger<WorkerPool>.Instance);

    public ScopedTable Table(string name, string sql, int parts = 1)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        var paths = new List<string>();
        for (var i = 0; i < parts; i++)
        {
            paths.Add(Path.Combine(Parts, $"{name}-{Guid.NewGuid():N}.parquet"));
            connection.ExecuteUnprepared($"COPY ({sql}) TO {SqlText.Literal(paths[i])} (FORMAT parquet)");
        }
        return new ScopedTable(name, name, 1, "", [], new RowSource.Parts(paths));
    }

    public Task<(StatementOutcome Outcome, string Body)> RunAsync(string sql, Scope? scope = null, int limit = 1000, StatementLimits? limits = null, string caller = "guest") =>
        RunAsync(Runner, sql, scope ?? Guest, limit, limits, caller);

    public static async Task<(StatementOutcome Outcome, string Body)> RunAsync(StatementRunner runner, string sql, Scope scope, int limit = 1000, StatementLimits? limits = null, string caller = "guest")
    {
        using var body = new MemoryStream();
        var output = PipeWriter.Create(body, new StreamPipeWriterOptions(leaveOpen: true));
        var outcome = await runner.RunAsync(LeaseOf(caller), scope, sql, limit, output, limits ?? StatementLimits.Default, CancellationToken.None);
        await output.CompleteAsync();
        return (outcome, Encoding.UTF8.GetString(body.ToArray()));
    }

    /// <summary>One that does not end.</summary>
    public static Lease LeaseOf(string caller) => new(caller, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await Runner.DisposeAsync();
        _folder.Dispose();
    }
}
