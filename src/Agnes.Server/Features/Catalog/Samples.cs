using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources.Metadata;

namespace Agnes.Server.Features.Catalog;

/// <summary>
/// First rows of tables. Those of a table that stays at its source are kept for an hour: asking for them takes time there, and of a view
/// money. Whoever is given them has been found to be allowed to read the table.
/// </summary>
internal sealed class Samples(StatementRunner runner, RemoteQuota quota, AuditLog audit, TimeProvider time)
{
    /// <summary>At most twice as many are kept.</summary>
    private const int KeptMax = 512;

    /// <summary>A larger one is not kept.</summary>
    private const int KeptBytesMax = 64 << 10;

    private const long BytesMax = 16L << 20;
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    private readonly RecentCache<Key, Kept> _kept = new(KeptMax);

    /// <summary>An array of JSON objects.</summary>
    /// <param name="table">Of the asker's scope.</param>
    /// <returns>Why there are none, or the rows.</returns>
    public async Task<(StatementOutcome? Failure, byte[] Rows)> OfAsync(HttpContext context, ScopedTable table, int rows)
    {
        var remote = table.Source as RowSource.Remote;
        // A registration that changes anything may have changed what is to be seen.
        var key = remote is null
            ? null
            : new Key(table.Id, table.Rendition, TableMetadata.SourceOf(remote), context.Snapshot().RegistryVersion, rows);
        if (key is not null && _kept.TryGet(key, out var kept) && kept.Until > time.GetUtcNow())
            return (null, kept.Rows);

        using var sample = new MemoryStream();
        var output = PipeWriter.Create(sample, new StreamPipeWriterOptions(leaveOpen: true));
        using var budget = quota.For(context.Caller().UserId);
        var limits = StatementLimits.Default with { ResultBytes = BytesMax, Budget = remote is null ? null : budget };
        var outcome = await runner.SampleAsync(context.Lease(), table, rows, output, limits, context.RequestAborted);
        await output.CompleteAsync();
        if (remote is not null) await NoteAsync(context.Caller().UserId, table, rows, outcome);
        if (!outcome.IsOk) return (outcome, []);
        var body = sample.ToArray();
        if (key is not null && body.Length <= KeptBytesMax) _kept.Set(key, new Kept(body, time.GetUtcNow() + KeptFor));
        return (null, body);
    }

    /// <summary>As every statement that another system was asked, with what it read there.</summary>
    private ValueTask NoteAsync(string userId, ScopedTable table, int rows, StatementOutcome outcome)
    {
        var what = new JsonObject { ["limit"] = rows, ["rows"] = outcome.Rows };
        quota.Describe(outcome.Asked, what);
        return audit.AppendAsync(
            userId, "sample", $"table:{table.Id}", what, StatementAnswer.AuditedAs(outcome), (int)outcome.Elapsed.TotalMilliseconds, CancellationToken.None);
    }

    private sealed record Key(string Id, string Rendition, string Source, long Registry, int Rows);

    private sealed record Kept(byte[] Rows, DateTimeOffset Until);
}
