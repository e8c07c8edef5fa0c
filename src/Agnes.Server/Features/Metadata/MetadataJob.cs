using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary>Asks about all tables that stay at their sources: on its schedule, and where an admin asks for it.</summary>
internal sealed class RefreshJob(MetadataRefresh refresh, StateDb state, ServerOptions options) : IJobHandler
{
    public string Kind => MetadataJobs.Refresh;

    public Lane Lane => Lane.Network;

    public bool FillsDisk => false;

    /// <summary>Nothing is started where there is nothing to ask about.</summary>
    public static JobSchedule Schedule(ServerOptions options, Func<Snapshot, bool> hasTables) => new(
        MetadataJobs.Refresh, options.Metadata.Every, options.Metadata.Every,
        snapshot => hasTables(snapshot) ? MetadataJobs.Request(JobSchedules.Trigger) : null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var tables = refresh.TablesOf(state.Snapshot);
        var counts = await MetadataRun.OverAsync(refresh, tables, options.Metadata.AtOnce, (_, _) => default, cancellation);
        return counts.ToResult(tables.Count);
    }
}

/// <summary>
/// The same for those who look on: at the start, after a change of the registry, and where an admin asks for it. Its input names the
/// tables.
/// </summary>
internal sealed class WarmUpJob(MetadataRefresh refresh, StateDb state, ServerOptions options, TimeProvider time) : IJobHandler
{
    public const string KindName = "cache-warmup";
    public const string Startup = "startup";
    public const string Manual = "manual";
    public const string RegistryChange = "registry_change";

    public string Kind => KindName;

    public Lane Lane => Lane.Network;

    public bool FillsDisk => false;

    public static JobRequest Request(string trigger, IEnumerable<string> tables, string? by = null)
    {
        var input = new JsonObject { ["tables"] = new JsonArray([.. tables.Select(id => (JsonNode)id)]) };
        return new(KindName, null, MetadataJobs.Key, trigger, by, input.ToJsonString());
    }

    /// <summary>The tables that a run is about.</summary>
    public static IReadOnlyList<string> TablesOf(JobRow job) => job.Input is null
        ? []
        : [.. JsonNode.Parse(job.Input)!["tables"]!.AsArray().Select(id => id!.GetValue<string>())];

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var ids = TablesOf(job.Job);
        var tables = ids.Select(state.Snapshot.Table).OfType<TableRow>().Where(refresh.IsAsked).ToList();
        var start = new JsonObject
        {
            ["run_id"] = job.Job.Id,
            ["trigger"] = job.Job.Trigger,
            ["started_at"] = Timestamps.Offset(time.GetUtcNow()),
            ["total"] = ids.Count,
        };
        job.Publish(WarmUpEvents.Start, start);
        var counts = await MetadataRun.OverAsync(
            refresh, tables, options.Metadata.WarmUpAtOnce, (row, done) => TellAsync(job, row, done, cancellation), cancellation);
        job.Publish(WarmUpEvents.Complete, new JsonObject
        {
            ["run_id"] = job.Job.Id,
            ["completed_at"] = Timestamps.Offset(time.GetUtcNow()),
            ["total"] = ids.Count,
            ["completed"] = counts.Succeeded,
            ["failed"] = counts.NoData + counts.Failed,
        });
        return counts.ToResult(ids.Count);
    }

    private async ValueTask TellAsync(JobContext job, TableRow row, Refreshed? done, CancellationToken stop)
    {
        if (done is null) await job.TableStartedAsync(row.Id, stop);
        else if (done.Error is { } error) await job.TableFailedAsync(row.Id, error, stop);
        else await job.TableDoneAsync(row.Id, JobStatus.Ok, done.Known!.Rows, done.Known.SizeBytes, stop);
        var step = job.Steps.Single(one => one.Name == row.Id);
        job.Publish(WarmUpEvents.Row, WarmUpJson.Of(row.Id, step, done?.Known?.RefreshedAt));
    }
}

/// <summary>How many tables something was said of.</summary>
internal sealed record MetadataCounts(int Succeeded, int NoData, int Failed)
{
    public JobResult ToResult(int total)
    {
        var result = new JsonObject { ["total"] = total, ["succeeded"] = Succeeded, ["no_data"] = NoData, ["failed"] = Failed };
        var status = NoData + Failed == 0 ? JobStatus.Ok : Succeeded > 0 ? JobStatus.Partial : JobStatus.Failed;
        return new JobResult(status, result.ToJsonString());
    }
}

internal static class MetadataRun
{
    /// <param name="tell">Called before (with null) and after each table.</param>
    public static async Task<MetadataCounts> OverAsync(
        MetadataRefresh refresh, IReadOnlyList<TableRow> tables, int atOnce, Func<TableRow, Refreshed?, ValueTask> tell,
        CancellationToken cancellation)
    {
        var (succeeded, noData, failed) = (0, 0, 0);
        var silent = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        var bound = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellation };
        await Parallel.ForEachAsync(tables, bound, async (row, stop) =>
        {
            await tell(row, null);
            var done = await refresh.RefreshAsync(row, silent, stop);
            if (done.IsNoData) Interlocked.Increment(ref noData);
            else if (done.Error is null) Interlocked.Increment(ref succeeded);
            else Interlocked.Increment(ref failed);
            await tell(row, done);
        });
        return new MetadataCounts(succeeded, noData, failed);
    }
}
