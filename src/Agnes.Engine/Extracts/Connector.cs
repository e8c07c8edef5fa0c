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

    /// <summary>Writes the requested tables. A table that fails is reported to the writer and keeps its last good version; only what concerns all tables is thrown.</summary>
    public abstract Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation);
}
