using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Jobs;

/// <summary>A row of <c>jobs</c>.</summary>
internal sealed record JobRow
{
    public required string Id { get; init; }
    public required string Kind { get; init; }
    public string? Subject { get; init; }

    /// <summary>What the job has to itself, a line each: of two unfinished jobs with one key only the first is taken.</summary>
    public string? Key { get; init; }
    public required string Lane { get; init; }
    public required string Status { get; init; }

    /// <summary><c>api</c>, <c>schedule</c>, <c>start</c>, <c>registry</c>, <c>file</c> or <c>demo</c>.</summary>
    public required string Trigger { get; init; }
    public string? RequestedBy { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime? StartedAt { get; init; }
    public DateTime? FinishedAt { get; init; }
    public DateTime? HeartbeatAt { get; init; }
    public DateTime? CancelRequestedAt { get; init; }
    public string? Owner { get; init; }
    public string? Progress { get; init; }
    public string? Checkpoint { get; init; }
    public string? Error { get; init; }
    public string? Result { get; init; }
    public string? Input { get; init; }
    public int? Attempts { get; init; }
}

/// <summary>What a job did to one table.</summary>
internal sealed record JobStepRow
{
    public required string Name { get; init; }

    /// <summary><c>running</c>, <c>ok</c>, <c>unchanged</c>, <c>failed</c> or <c>skipped</c>.</summary>
    public required string Status { get; init; }
    public string? Phase { get; init; }
    public long? Rows { get; init; }
    public long? Bytes { get; init; }
    public DateTime? StartedAt { get; init; }
    public DateTime? FinishedAt { get; init; }
    public string? Error { get; init; }
}

internal sealed record JobLogLine
{
    public long Seq { get; init; }
    public DateTime Ts { get; init; }
    public required string Line { get; init; }
}

internal static class JobStatus
{
    public const string Queued = "queued";
    public const string Running = "running";
    public const string Ok = "ok";

    /// <summary>Some of it failed, and the rest was done.</summary>
    public const string Partial = "partial";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";
}

/// <summary>How a job ended.</summary>
/// <param name="Status">One of <see cref="JobStatus"/>.</param>
/// <param name="Result">A JSON object, shown with the run.</param>
internal sealed record JobResult(string Status, string? Result = null, string? Error = null)
{
    public static readonly JobResult Ok = new(JobStatus.Ok);

    /// <summary>Asked in the transaction that ends the job: what is to be started next, if anything. Nothing that another write brought meanwhile is missed.</summary>
    public Func<StateWrite, Task<JobRequest?>>? Next { get; init; }
}

/// <param name="Key">What the job has to itself until it ends; null: any number may run at once.</param>
/// <param name="Input">A JSON object that the kind's handler reads; stored, so nothing secret.</param>
internal sealed record JobRequest(string Kind, string? Subject, string? Key, string Trigger, string? RequestedBy, string? Input = null)
{
    /// <summary>Where one is not enough, e.g. a key for each source of a run.</summary>
    public IReadOnlyList<string> Keys { get; init; } = Key is null ? [] : [Key];

    /// <summary>Takes those of its keys that nobody has, and is refused only where somebody has them all.</summary>
    public bool TakesWhatIsFree { get; init; }

    /// <summary>Null: the lane of its kind.</summary>
    public Lane? Lane { get; init; }
}

internal abstract record JobStart
{
    public sealed record Started(string Id) : JobStart;

    /// <summary>One with the key is unfinished.</summary>
    public sealed record Busy(string Id) : JobStart;

    public sealed record QueueFull : JobStart;
}
