using System.Collections.Concurrent;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Protocol;

namespace Agnes.Engine.Workers;

/// <summary>Takes what lies in <c>extracts/&lt;source&gt;/</c> into the part store and says what to commit. All reading is done in a child process.</summary>
public sealed class Publisher(DataFolder folder, Scratch scratch, Budget budget, WorkerProgram? program = null)
{
    private const int MisnamedMax = 20;
    private readonly WorkerProgram _program = program ?? WorkerProgram.Default;
    private readonly SemaphoreSlim _child = new(1, 1); // whose share is dealt once
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _gates = new(StringComparer.OrdinalIgnoreCase); // one per source folder

    /// <summary>The sources that have an extract, by folder name, in order. Names that are not allowed are left out.</summary>
    public IReadOnlyList<string> Sources() => !Directory.Exists(folder.Extracts)
        ? []
        : [.. Directory.EnumerateDirectories(folder.Extracts).Select(path => Path.GetFileName(path)!).Where(Identifiers.IsSource).Where(name => File.Exists(folder.ExtractFile(name))).Order(StringComparer.Ordinal)];

    /// <summary>Folders that have an extract and cannot be a source, at most a few.</summary>
    public IReadOnlyList<string> Misnamed() => !Directory.Exists(folder.Extracts)
        ? []
        : [.. Directory.EnumerateDirectories(folder.Extracts).Select(path => Path.GetFileName(path)!).Where(name => !Identifiers.IsSource(name) && File.Exists(Path.Combine(folder.Extracts, name, "extract.duckdb"))).Order(StringComparer.Ordinal).Take(MisnamedMax)];

    /// <summary>Prepares one source; two calls for the same source take turns.</summary>
    /// <param name="known">All tables that are published from this source now.</param>
    public async Task<Publication> PrepareAsync(string source, IReadOnlyList<PublishedTable> known, CancellationToken cancellation)
    {
        if (!Identifiers.IsSource(source)) return Publication.Failed(source, $"'{source}' cannot be the name of a source.");
        var gate = _gates.GetOrAdd(source, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellation);
        try
        {
            return await PrepareAloneAsync(source, known, cancellation);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Writes <c>analytics/server.duckdb</c>, a file of views for other tools; nothing of ours reads it.</summary>
    public async Task WriteAnalyticsAsync(IReadOnlyList<AnalyticsTable> tables, CancellationToken cancellation)
    {
        using var home = scratch.NewFolder("analytics");
        await RunAsync(home, new WorkerRequest("analytics", folder.Root, budget.Publishing, Analytics: tables), ExtractReach.Analytics(folder), cancellation);
    }

    /// <summary>Writes all rows of a table of several parts into one file in the store.</summary>
    public async Task<MadeWhole> ConsolidateAsync(IReadOnlyList<TablePart> parts, CancellationToken cancellation)
    {
        using var home = scratch.NewFolder("whole");
        var request = new WorkerRequest("consolidate", folder.Root, budget.Publishing, RunId: Path.GetFileName(home.Path), Parts: parts);
        var line = await RunAsync(home, request, ExtractReach.Store(folder), cancellation);
        return line.Whole ?? throw new WorkerFailedException("The extract worker answered something else.");
    }

    private async Task<WorkerLine> RunAsync(ScratchFolder home, WorkerRequest request, Reach reach, CancellationToken cancellation)
    {
        await _child.WaitAsync(cancellation);
        try
        {
            return await ExtractWorker.RunAsync(_program, home.Path, request, reach, null, cancellation);
        }
        finally
        {
            _child.Release();
        }
    }

    private async Task<Publication> PrepareAloneAsync(string source, IReadOnlyList<PublishedTable> known, CancellationToken cancellation)
    {
        using var home = scratch.NewFolder("prepare");
        var request = new WorkerRequest("prepare", folder.Root, budget.Publishing, Source: source, RunId: Path.GetFileName(home.Path), Known: known);
        WorkerLine line;
        try
        {
            line = await RunAsync(home, request, ExtractReach.Source(folder, source, isWritten: false, isRead: true), cancellation);
        }
        catch (WorkerCrashedException crash)
        {
            // A signal of its own making (no kill from outside) was the file's doing: one is enough.
            if (crash.IsOwnDoing) new AdoptionMarker(folder, source).Block();
            return Publication.Failed(source, $"the process that read it ended unexpectedly. {crash.Message}");
        }
        return line.Publication ?? throw new WorkerFailedException("The extract worker answered something else.");
    }
}
