using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;

namespace Agnes.Engine.Extracts;

/// <summary>Runs connectors, each in a child process of its own.</summary>
/// <param name="connectors">Those that the child has as well; what each may reach is theirs to say.</param>
public sealed class ExtractRunner(DataFolder folder, Scratch scratch, Budget budget, IReadOnlyList<Connector> connectors, WorkerProgram? program = null)
{
    private readonly WorkerProgram _program = program ?? WorkerProgram.Default;

    /// <param name="known">When given, the same child prepares the source for publishing after the run: see <see cref="ExtractOutcome.Publication"/>.</param>
    /// <exception cref="WorkerFailedException">The run as a whole failed; the extract is as it was before.</exception>
    public async Task<ExtractOutcome> RunAsync(ExtractRequest request, IProgress<ExtractEvent> progress, CancellationToken cancellation, IReadOnlyList<PublishedTable>? known = null)
    {
        using var home = scratch.NewFolder("extract");
        request = request with { RunId = Path.GetFileName(home.Path) }; // what it stages is swept by whose folder this is
        var worker = new WorkerRequest("extract", folder.Root, budget.Jobs, Extract: request, Source: request.Source, RunId: request.RunId, Known: known);
        var line = await ExtractWorker.RunAsync(_program, home.Path, worker, ReachOf(request, known is not null), progress, cancellation);
        return line.Outcome ?? throw new WorkerFailedException("The extract worker answered something else.");
    }

    private Reach ReachOf(ExtractRequest request, bool isRead)
    {
        var connector = connectors.FirstOrDefault(connector => connector.Name == request.Connector);
        try
        {
            return ExtractReach.Source(folder, request.Source, isWritten: true, isRead) with { Reads = connector?.Readable(folder, request) ?? [], Network = connector?.UsesNetwork ?? false };
        }
        catch (ArgumentException error)
        {
            throw new WorkerFailedException($"The connector cannot say what it reads: {error.Message}"); // e.g. a path that is none
        }
    }
}
