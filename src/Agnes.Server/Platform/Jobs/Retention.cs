using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>Something that grows with use. Whoever keeps such a thing registers what of it is old and how it goes.</summary>
internal interface IRetained
{
    /// <summary>In the audit entry and the documentation.</summary>
    string Name { get; }

    TimeSpan KeptFor { get; }

    /// <summary>
    /// Removes the oldest from before <paramref name="before"/>, about <paramref name="batch"/> of them, in one short write.
    /// </summary>
    /// <returns>How many; none: there is nothing old left.</returns>
    Task<int> RemoveAsync(DateTime before, int batch, CancellationToken cancellation);
}

/// <summary>Ends what is older than it is kept for, in batches, so that other writes come in between.</summary>
internal sealed class RetentionJob(StateDb state, IEnumerable<IRetained> kinds, TimeProvider time) : IJobHandler
{
    public const string KindName = "retention";
    public const string Action = "retention";
    private const int BatchMax = 5_000;

    public string Kind => KindName;

    public Lane Lane => Lane.Light;

    /// <summary>It makes room.</summary>
    public bool FillsDisk => false;

    public static JobRequest Request(string trigger) => new(KindName, null, KindName, trigger, null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var removed = new JsonObject();
        var now = time.Micros();
        foreach (var kind in kinds)
        {
            long total = 0;
            int count;
            while ((count = await kind.RemoveAsync(now - kind.KeptFor, BatchMax, cancellation)) > 0) total += count;
            if (total > 0) removed[kind.Name] = total;
        }

        if (removed.Count > 0) await state.WriteAsync(write => { write.Audit(null, Action, null, (JsonObject)removed.DeepClone(), "ok"); return Task.CompletedTask; }, cancellation);
        return new JobResult(JobStatus.Ok, removed.ToJsonString());
    }
}

/// <summary>Rows of a table without a key, by their time: there a delete is fast, but takes as long as there are rows.</summary>
/// <param name="sliceSql">The time up to which about <c>@batch</c> of the oldest rows from before <c>@before</c> reach.</param>
/// <param name="deleteSql">Removes what is not younger than <c>@slice</c>.</param>
internal abstract class RetainedRows(StateDb state, string sliceSql, string deleteSql) : IRetained
{
    public abstract string Name { get; }

    public abstract TimeSpan KeptFor { get; }

    public async Task<int> RemoveAsync(DateTime before, int batch, CancellationToken cancellation)
    {
        if ((await state.ReadAsync<DateTime?>(sliceSql, new { before, batch }, cancellation)).FirstOrDefault() is not { } slice) return 0;
        return await state.WriteAsync(write => write.ExecuteAsync(deleteSql, new { slice }), cancellation);
    }
}

internal sealed class RetainedAudit(StateDb state, ServerOptions options) : RetainedRows(
    state,
    "SELECT max(timestamp) FROM (SELECT timestamp FROM audit_log WHERE timestamp < @before ORDER BY timestamp LIMIT @batch) AS oldest",
    "DELETE FROM audit_log WHERE timestamp <= @slice")
{
    public override string Name => "audit";

    public override TimeSpan KeptFor => options.Limits.KeepAudit;
}

/// <summary>Jobs that ended, with their logs and steps.</summary>
internal sealed class RetainedJobs(StateDb state, ServerOptions options) : IRetained
{
    /// <summary>A job may have 10,000 lines.</summary>
    private const int BatchMax = 50;

    public string Name => "jobs";

    public TimeSpan KeptFor => options.Limits.KeepJobs;

    public Task<int> RemoveAsync(DateTime before, int batch, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            var ids = await write.QueryAsync<string>(JobSql.Expired, new { before, limit = Math.Min(batch, BatchMax) });
            foreach (var id in ids)
            {
                await write.ExecuteAsync(JobSql.DeleteLog, new { id });
                await write.ExecuteAsync(JobSql.DeleteSteps, new { id });
                await write.ExecuteAsync(JobSql.Delete, new { id });
            }

            return ids.Count;
        },
        cancellation);
}
