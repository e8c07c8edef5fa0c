using Agnes.Engine.Parts;
using DuckDB.NET.Data;

namespace Agnes.Engine.Extracts;

/// <summary>Pulls tables from where they live into an extract. Runs in a child process; knows nothing of the server.</summary>
public abstract class Connector
{
    public abstract string Name { get; }

    /// <summary>Folders that the connector reads; its process and the engine are locked to them before anything is opened.</summary>
    public virtual IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) => [];

    /// <summary>Whether it makes connections; otherwise the kernel refuses them to its process.</summary>
    public virtual bool UsesNetwork => false;

    /// <summary>Whether it can show what a table would be without bringing it.</summary>
    public virtual bool CanPreview => false;

    /// <summary>Looks at the one table that is requested, and writes nothing but to the folder for temporary files.</summary>
    /// <param name="connection">Of one thread, locked to what the connector reads.</param>
    /// <exception cref="WorkerFailedException">It cannot be read; the message says what to mend.</exception>
    public virtual Task<TablePreview> PreviewAsync(ExtractRequest request, DataFolder folder, DuckDBConnection connection, string tempFolder, CancellationToken cancellation) =>
        throw new NotSupportedException();

    /// <summary>Reaches the source of a request that has no tables, signs in there, and counts what may be read. It is told nothing else.</summary>
    /// <exception cref="WorkerFailedException">One of them cannot be done; the message says which, and what to mend.</exception>
    public virtual Task<SourceCheck> CheckAsync(ExtractRequest request, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Whether it can say what a run would bring.</summary>
    public virtual bool CanForecast => false;

    /// <summary>Says of each requested table how it would be pulled now, in their order. No row is asked for, and nothing is written.</summary>
    /// <param name="previous">Tables of the last good extract, by name, case-insensitive.</param>
    /// <exception cref="WorkerFailedException">None of them can be asked about; what concerns one is its <see cref="TableForecast.Fault"/>.</exception>
    public virtual Task<IReadOnlyList<TableForecast>> ForecastAsync(
        ExtractRequest request, IReadOnlyDictionary<string, ExtractTable> previous, DataFolder folder, CancellationToken cancellation) =>
        throw new NotSupportedException();

    /// <summary>Writes the requested tables. A table that fails is reported to the writer and keeps its last good version; only what concerns all tables is thrown.</summary>
    public abstract Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation);
}
