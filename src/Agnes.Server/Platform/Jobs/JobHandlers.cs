namespace Agnes.Server.Platform.Jobs;

/// <summary>Does the work of one kind of job.</summary>
internal interface IJobHandler
{
    string Kind { get; }

    /// <summary>Where its jobs wait for their turn; a request may name another.</summary>
    Lane Lane => Lane.Disk;

    /// <summary>Whether its work takes room on the disk; then it fails while less than the reserve is free.</summary>
    bool FillsDisk => true;

    Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation);
}

/// <summary>Who does which kind of job, and the lanes that these wait in.</summary>
internal sealed class JobHandlers
{
    private readonly Dictionary<string, IJobHandler> _byKind;

    /// <exception cref="InvalidOperationException">Two handlers of one kind, or two sizes of one lane.</exception>
    public JobHandlers(IEnumerable<IJobHandler> handlers)
    {
        _byKind = handlers.ToDictionary(handler => handler.Kind, StringComparer.Ordinal);
        Lanes = [.. Lane.BuiltIn.Concat(_byKind.Values.Select(handler => handler.Lane)).Distinct()];
        if (Lanes.GroupBy(lane => lane.Name).FirstOrDefault(same => same.Count() > 1) is { } twice) throw new InvalidOperationException($"The lane '{twice.Key}' has two sizes.");
    }

    public IReadOnlyList<Lane> Lanes { get; }

    public IJobHandler? Of(string kind) => _byKind.GetValueOrDefault(kind);

    /// <summary>A kind that nobody here knows fails quickly, in the light lane.</summary>
    public Lane LaneOf(JobRequest request) => request.Lane ?? Of(request.Kind)?.Lane ?? Lane.Light;
}
