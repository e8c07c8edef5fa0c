using System.Text.Json.Nodes;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>How far a job over many issues is: its checkpoint, and in the end its result. Several issues are worked on at once.</summary>
internal abstract class IssueRun
{
    private const int LoggedMax = 200;
    private const int ShownMax = 20;
    private readonly List<string> _failures = []; // ShownMax
    private long _failed;
    private long _missing;

    /// <summary>The last key of a list that is done.</summary>
    public string? After { get; set; }

    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Jira has no such issue, or does not show it.</summary>
    public long Missing => Interlocked.Read(ref _missing);

    public string Write()
    {
        var saved = Result();
        saved["after"] = After;
        AddTo(saved);
        return saved.ToJsonString();
    }

    public JsonObject Result()
    {
        var result = Counts();
        (result["missing"], result["failed"]) = (Missing, Failed);
        lock (_failures)
        {
            if (_failures.Count > 0) result["failures"] = new JsonArray([.. _failures.Select(one => (JsonNode)JsonValue.Create(one))]);
        }

        return result;
    }

    public JobResult End(string what) => new(
        Failed == 0 ? JobStatus.Ok : JobStatus.Partial, Result().ToJsonString(), Failed == 0 ? null
            : $"{Failed} issues could not be {what}.");

    public void Miss() => Interlocked.Increment(ref _missing);

    public async ValueTask FailAsync(JobContext job, string key, string why, CancellationToken stop)
    {
        var count = Interlocked.Increment(ref _failed);
        lock (_failures)
        {
            if (_failures.Count < ShownMax) _failures.Add($"{key}: {why}");
        }

        if (count <= LoggedMax) await job.LogAsync($"{key}: {why}", stop);
    }

    protected abstract JsonObject Counts();

    /// <summary>What a later attempt needs besides.</summary>
    protected virtual void AddTo(JsonObject saved)
    {
    }

    /// <param name="checkpoint">Of the attempt before; null: there was none.</param>
    /// <returns>Null: this is the first.</returns>
    protected JsonObject? Take(string? checkpoint)
    {
        if (checkpoint is null || JsonNode.Parse(checkpoint) is not JsonObject saved) return null;
        (_missing, _failed) = ((long?)saved["missing"] ?? 0, (long?)saved["failed"] ?? 0);
        After = (string?)saved["after"];
        foreach (var one in (saved["failures"] as JsonArray ?? []).Take(ShownMax)) _failures.Add((string)one!);
        return saved;
    }
}
