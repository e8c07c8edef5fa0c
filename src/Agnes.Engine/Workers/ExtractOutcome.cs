using Agnes.Engine.Extracts;
using Agnes.Engine.Publishing;

namespace Agnes.Engine.Workers;

/// <summary>What became of a run.</summary>
/// <param name="Ok">Written, or found unchanged.</param>
/// <param name="Publication">What the same child prepared right after the run, when it was asked to; saves a second process.</param>
public sealed record ExtractOutcome(
    IReadOnlyList<ExtractedTable> Ok,
    IReadOnlyList<FailedTable> Failed,
    IReadOnlyList<string> Warnings,
    Publication? Publication = null);
