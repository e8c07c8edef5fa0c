namespace Agnes.Engine.Query.Workers;

/// <summary>How query workers are started and what each may take.</summary>
/// <param name="Program">The executable; <c>agnes-server</c> itself in the product.</param>
/// <param name="Arguments">e.g. <c>["query-worker"]</c>.</param>
/// <param name="Workers">Statements that run at once, besides short ones.</param>
/// <param name="MemoryBytes">Resident memory of each; it is ended a quarter above.</param>
/// <param name="ScratchFolder">Where workers may spill; each gets its own folder below.</param>
public sealed record WorkerPoolOptions(
    string Program,
    IReadOnlyList<string> Arguments,
    int Workers,
    long MemoryBytes,
    int Threads,
    long TempBytes,
    string ScratchFolder);

/// <summary>The query workers of this process: started on first use, kept warm, one statement at a time each, replaced when ended.</summary>
public sealed class WorkerPool : IAsyncDisposable
{
    public WorkerPool(WorkerPoolOptions options, TimeProvider time)
    {
        Options = options;
        Time = time;
    }

    public WorkerPoolOptions Options { get; }

    internal TimeProvider Time { get; }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
