using System.Text.Json.Nodes;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Registry.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary>Brings an extract of ours in line with the registry: drops tables that are no longer registered, and pulls those that have a new name.</summary>
internal sealed class TidyJob(StateDb state, SourcePull pull, SourceKinds kinds) : IJobHandler
{
    public const string KindName = "tidy";

    public string Kind => KindName;

    /// <param name="own">Null where another program writes the extract.</param>
    public static async Task StartAsync(JobRunner jobs, Connection? own, IReadOnlyList<string> pulled, CancellationToken cancellation)
    {
        if (own is null) return;
        var input = new JsonObject { ["source"] = own.Name, ["tables"] = new JsonArray([.. pulled.Select(id => (JsonNode)JsonValue.Create(id))]) };
        await jobs.StartAsync(new JobRequest(KindName, own.Name, null, "registry", null, input.ToJsonString()), cancellation);
    }

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var input = JsonNode.Parse(job.Job.Input!)!;
        if (kinds.OfFolder(state.Snapshot, input["source"]!.GetValue<string>()) is not { } own) return JobResult.Ok;
        var wanted = input["tables"]!.AsArray().Select(id => id!.GetValue<string>()).ToHashSet(StringComparer.Ordinal);
        var rows = kinds.RegisteredFor(state.Snapshot, own).Where(row => wanted.Contains(row.Id)).ToList();
        if (rows.Count == 0 && !pull.HasExtract(own)) return JobResult.Ok;
        var problem = await pull.RunAsync(job, own, rows, cancellation);
        return problem is null ? JobResult.Ok : new JobResult(JobStatus.Failed, Error: problem);
    }
}
