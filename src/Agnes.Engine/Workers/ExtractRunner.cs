using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;

namespace Agnes.Engine.Workers;

/// <summary>Runs connectors, each in a child process of its own.</summary>
/// <param name="connectors">Those that the child has as well; what each may reach is theirs to say.</param>
public sealed class ExtractRunner(DataFolder folder, Scratch scratch, Budget budget, IReadOnlyList<Connector> connectors, WorkerProgram? program = null)
{
    private static readonly TimeSpan PreviewTime = TimeSpan.FromSeconds(20);
    private readonly WorkerProgram _program = program ?? WorkerProgram.Default;

    public bool CanPreview(string connector) => connectors.Any(one => one.Name == connector && one.CanPreview);

    /// <summary>Looks at a table without bringing it, in the share of the one child of publishing, whose place the caller holds.</summary>
    /// <exception cref="WorkerFailedException">It cannot be read, or not in the time that a person waits; the message says what to do.</exception>
    public async Task<TablePreview> PreviewAsync(ExtractRequest request, CancellationToken cancellation, TimeSpan? limit = null)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(limit ?? PreviewTime);
        using var home = scratch.NewFolder("preview");
        // One thread reads in the order of the file, and no further than the rows that are shown.
        var worker = new WorkerRequest("preview", folder.Root, budget.Publishing with { Threads = 1 }, Extract: request);
        try
        {
            var line = await ExtractWorker.RunAsync(_program, home.Path, worker, ReachOf(request, new Reach([], [])), null, time.Token);
            return line.Preview ?? throw new WorkerFailedException("The extract worker answered something else.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException($"Looking at it took longer than {(limit ?? PreviewTime).TotalSeconds:0} seconds and was ended. It can be registered all the same: a sync takes the time that it needs.");
        }
    }

    public bool CanForecast(string connector) => connectors.Any(one => one.Name == connector && one.CanForecast);

    /// <summary>Says what a run of the requested tables would bring, in the same place.</summary>
    /// <exception cref="WorkerFailedException">None of them can be asked about, or not within <paramref name="limit"/>.</exception>
    public async Task<IReadOnlyList<TableForecast>> ForecastAsync(ExtractRequest request, TimeSpan limit, CancellationToken cancellation)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(limit);
        using var home = scratch.NewFolder("forecast");
        var worker = new WorkerRequest("forecast", folder.Root, budget.Publishing with { Threads = 1 }, Extract: request);
        try
        {
            var reach = ReachOf(request, new Reach([folder.Source(request.Source)], []));
            var line = await ExtractWorker.RunAsync(_program, home.Path, worker, reach, null, time.Token);
            return line.Forecasts ?? throw new WorkerFailedException("The extract worker answered something else.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException($"'{request.Source}' did not say within {limit.TotalSeconds:0} seconds what a run would bring. Name fewer tables.");
        }
    }

    /// <summary>Looks whether the source of a request without tables answers, in the same place.</summary>
    /// <exception cref="WorkerFailedException">It does not, or not within <paramref name="limit"/>; the message says what to do.</exception>
    public async Task<SourceCheck> CheckAsync(ExtractRequest request, TimeSpan limit, CancellationToken cancellation)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(limit);
        using var home = scratch.NewFolder("check");
        var worker = new WorkerRequest("check", folder.Root, budget.Publishing with { Threads = 1 }, Extract: request);
        try
        {
            var line = await ExtractWorker.RunAsync(_program, home.Path, worker, ReachOf(request, new Reach([], [])), null, time.Token);
            return line.Check ?? throw new WorkerFailedException("The extract worker answered something else.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException(
                $"'{request.Source}' did not answer within {limit.TotalSeconds:0} seconds. Look at its address, and at what lies between it and this machine.");
        }
    }

    /// <param name="known">When given, the same child prepares the source for publishing after the run: see <see cref="ExtractOutcome.Publication"/>.</param>
    /// <exception cref="WorkerFailedException">The run as a whole failed; the extract is as it was before.</exception>
    /// <param name="limits">Null: the usual ones.</param>
    /// <param name="share">Null: that of the one child that reads the disk.</param>
    /// <param name="save">Stores a checkpoint durably, to be given back in <see cref="ExtractRequest.Checkpoints"/>; null where none is taken.</param>
    public async Task<ExtractOutcome> RunAsync(
        ExtractRequest request, IProgress<ExtractEvent> progress, CancellationToken cancellation, IReadOnlyList<PublishedTable>? known = null, ExtractLimits? limits = null,
        Func<ExtractCheckpoint, CancellationToken, Task>? save = null, Share? share = null)
    {
        using var home = scratch.NewFolder("extract");
        request = request with { RunId = Path.GetFileName(home.Path) }; // what it stages is swept by whose folder this is
        using var handed = request.Program is null ? null : scratch.NewFolder("program");
        limits ??= ExtractLimits.Default;
        save ??= static (_, _) => throw new WorkerFailedException("Checkpoints of this run are stored nowhere.");
        var run = new ConnectorRun(limits, save, request.Program is null ? null : (wanted, stop) => RunProgramAsync(request, wanted, handed!.Path, limits, progress, save, stop));
        // What the program is told, its secret among it, is no business of the worker's.
        var told = handed is null ? request : request with { Options = new Dictionary<string, string> { [ExtractProgram.HandedOption] = handed.Path } };
        var worker = new WorkerRequest("extract", folder.Root, share ?? budget.Jobs, Extract: told, Source: request.Source, RunId: request.RunId, Known: known);
        var line = await ExtractWorker.RunAsync(_program, home.Path, worker, ReachOf(told, ExtractReach.Source(folder, request.Source, isWritten: true, isRead: known is not null)), progress, cancellation, run);
        return line.Outcome ?? throw new WorkerFailedException("The extract worker answered something else.");
    }

    private Task<ProgramOutcome> RunProgramAsync(
        ExtractRequest request, ProgramRequest wanted, string folder, ExtractLimits limits, IProgress<ExtractEvent> progress, Func<ExtractCheckpoint, CancellationToken, Task> save,
        CancellationToken cancellation) =>
        new ProgramRun(request.Program!, _program.Walls, folder, limits, progress, save)
            .RunAsync(wanted with { Connection = request.Source, Settings = request.Options }, cancellation);

    /// <param name="own">What it may reach whatever its connector reads.</param>
    private Reach ReachOf(ExtractRequest request, Reach own)
    {
        var connector = connectors.FirstOrDefault(connector => connector.Name == request.Connector);
        try
        {
            return own with { Reads = [.. own.Reads, .. connector?.Readable(folder, request) ?? []], Network = connector?.UsesNetwork ?? false };
        }
        catch (ArgumentException error)
        {
            throw new WorkerFailedException($"The connector cannot say what it reads: {error.Message}"); // e.g. a path that is none
        }
    }
}
