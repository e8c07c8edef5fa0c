using Agnes.Engine.Query.Remote;

namespace Agnes.Engine.Query;

/// <summary>Where a statement would run and what that would cost, without running it.</summary>
/// <param name="Failure">Why it cannot be said, or may not be run; null: it may.</param>
public sealed record StatementExplanation(StatementOutcome? Failure, StatementPath Path, IReadOnlyList<ExplainedStep> Steps);

/// <summary>Which way a statement goes.</summary>
public enum StatementPath
{
    /// <summary>All of it is here.</summary>
    Local,

    /// <summary>One other system answers all of it.</summary>
    PushDown,

    /// <summary>What is needed of what is elsewhere is fetched, and joined here.</summary>
    Mixed,
}

/// <summary>A part of a statement that runs in one place.</summary>
/// <param name="System">The connection that is asked; null: here.</param>
/// <param name="Estimate">What that system says it would cost; null: here, or it does not say.</param>
/// <param name="ScanBytesMax">More than this is refused there; null: here.</param>
/// <param name="Fault">Why this part would fail; null: it would not.</param>
public sealed record ExplainedStep(
    string? System, IReadOnlyList<ScopedTable> Tables, RemoteEstimate? Estimate, long? ScanBytesMax, string? Fault)
{
    /// <summary>Of a table that is fetched: the columns that are; null: all.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Of a table that is fetched: which rows are, in the system's dialect; null: all.</summary>
    public string? Where { get; init; }
}
