using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Agnes.Server.Features.Sync;

internal sealed record SyncLock(bool Locked);

internal sealed record RunLog(IReadOnlyList<RunLogLine> Lines);

internal sealed record RunLogLine(long Seq, string Ts, string Line);

internal sealed record CancelledRun(string Id, string Status);

/// <summary>For the description, as are the records below: written by <see cref="TriggerSync"/>.</summary>
/// <param name="Tables"><c>all</c>, or a list of ids.</param>
internal sealed record TriggeredAnswer(string Status, JsonNode Tables, string Message, string RunId, IReadOnlyList<string>? Unknown = null);

/// <summary>Written by <see cref="PlanSync"/>.</summary>
internal sealed record SyncPlanAnswer(IReadOnlyList<PlannedTableAnswer> Tables, IReadOnlyList<string> Unknown);

/// <summary>Written by <see cref="SyncForecasts"/>.</summary>
internal sealed record PlannedTableAnswer(
    string Id, string Name, string? Connection, string SchemaContract, bool Pulled, bool Due, string Why, string? How, string? Since,
    long? Rows, long? Bytes, string? Note, IReadOnlyList<string> BlockedBy);

/// <summary>Written by <see cref="ListRuns"/>.</summary>
/// <param name="Next">The <c>before</c> of the next page.</param>
internal sealed record RunListAnswer(IReadOnlyList<RunAnswer> Runs, string? Next);

/// <summary>Written by <see cref="RunJson"/>.</summary>
/// <param name="Tables"><c>all</c>, or a list of ids.</param>
/// <param name="Result">As its kind of run left it.</param>
/// <param name="Steps">What became of each table; where one run is asked for.</param>
internal sealed record RunAnswer(
    string Id, string Status, string Trigger, string? RequestedBy, string? Connection, JsonNode Tables, string CreatedAt, string? StartedAt,
    string? FinishedAt, long? DurationMs, JsonNode? Result, string? Error, int Attempts, IReadOnlyList<RunStepAnswer>? Steps = null);

internal sealed record RunStepAnswer(
    string Table, string Status, string? Phase, long? Rows, long? Bytes, string? StartedAt, string? FinishedAt, long? DurationMs,
    string? Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SyncLock))]
[JsonSerializable(typeof(RunLog))]
[JsonSerializable(typeof(CancelledRun))]
internal sealed partial class SyncJson : JsonSerializerContext;
