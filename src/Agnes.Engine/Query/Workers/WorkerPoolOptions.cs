using Agnes.Engine.Limits;

namespace Agnes.Engine.Query.Workers;

/// <summary>How query workers are started and what each may take.</summary>
/// <param name="Program">The program that has the role <c>query-worker</c>.</param>
/// <param name="Workers">Statements that run at once, besides short ones, which have a worker of their own.</param>
/// <param name="MemoryBytes">Resident memory of each; it is ended a quarter above.</param>
/// <param name="ShortMemoryBytes">The same for the worker of short statements.</param>
/// <param name="TempBytes">What each may spill.</param>
public sealed record WorkerPoolOptions(
    WorkerProgram Program,
    Scratch Scratch,
    int Workers,
    int Threads,
    long MemoryBytes,
    long ShortMemoryBytes,
    long TempBytes)
{
    public const string Role = "query-worker";

    /// <summary>Where the parts lie: all that workers can open besides their own scratch.</summary>
    public required string Parts { get; init; }
    private const long ShortBytes = 128L << 20;
    private const long SpoolBytesDefault = 512L << 20;
    private const long WorkerBytesMin = 160L << 20;

    /// <summary>On the scratch disk, for results whose readers are slow; half of it for one caller at most.</summary>
    public long SpoolBytes { get; init; } = SpoolBytesDefault;

    /// <summary>Deals the query workers' part of the budget anew: one small share for short statements, the rest in equal ones that are large enough to work with.</summary>
    public static WorkerPoolOptions From(Budget budget, WorkerProgram program, Scratch scratch, string parts, int processors)
    {
        var bytes = budget.Query.MemoryBytes * budget.QueryWorkers;
        var rest = bytes - ShortBytes;
        var workers = (int)Math.Clamp(rest / WorkerBytesMin, 1, Math.Min(budget.QueryWorkers, Math.Max(2, processors)));
        return new WorkerPoolOptions(program, scratch, workers, budget.Query.Threads, Math.Max(WorkerBytesMin, rest / workers), ShortBytes, budget.Query.TempBytes)
        {
            Parts = parts,
            SpoolBytes = Math.Max(SpoolBytesDefault, budget.Query.TempBytes),
        };
    }
}
