using System.Text.Json.Nodes;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Brings an extract of ours in line with the registry: drops tables that are no longer registered, and pulls those that have a new name.</summary>
internal sealed class TidyJob(StateDb state, SourcePull pull, SourceKinds kinds) : IJobHandler
{
    public const string KindName = "tidy";

    public string Kind => KindName;

    /// <param name="own">Null where another program writes the extract.</param>
    public static async Task StartAsync(JobRunner jobs, Connection? own, IReadOnlyList<string> pulled, CancellationToken cancellation)
    {
        if (own is null) return;
        await StartAsync(jobs, own.Name, pulled, cancellation);
    }

    /// <param name="source">The folder below <c>extracts/</c>; of a connection that was removed as well.</param>
    public static async Task StartAsync(JobRunner jobs, string source, IReadOnlyList<string> pulled, CancellationToken cancellation)
    {
        var input = new JsonObject { ["source"] = source, ["tables"] = new JsonArray([.. pulled.Select(id => (JsonNode)JsonValue.Create(id))]) };
        await jobs.StartAsync(new JobRequest(KindName, source, null, "registry", null, input.ToJsonString()), cancellation);
    }

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var input = JsonNode.Parse(job.Job.Input!)!;
        var source = input["source"]!.GetValue<string>();
        if (kinds.OfFolder(state.Snapshot, source) is not { } own)
        {
            await pull.ForgetAsync(source, cancellation); // its connection was removed
            return JobResult.Ok;
        }

        var wanted = input["tables"]!.AsArray().Select(id => id!.GetValue<string>()).ToHashSet(StringComparer.Ordinal);
        var rows = kinds.RegisteredFor(state.Snapshot, own).Where(row => wanted.Contains(row.Id)).ToList();
        if (rows.Count == 0 && !pull.HasExtract(own)) return JobResult.Ok;
        var problem = await pull.RunAsync(new PullRun(job, _ => job.Job.CreatedAt), own, rows, cancellation);
        return problem is null ? JobResult.Ok : new JobResult(JobStatus.Failed, Error: problem);
    }
}
