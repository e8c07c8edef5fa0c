using Agnes.Engine.Parts;

namespace Agnes.Engine.Extracts;

/// <summary>Pulls tables from where they live into an extract. Runs in a child process; knows nothing of the server.</summary>
public abstract class Connector
{
    public abstract string Name { get; }

    /// <summary>Folders that the connector reads; the engine is locked to them before anything is opened.</summary>
    public virtual IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) => [];

    /// <summary>Writes the requested tables. A table that fails is reported to the writer and keeps its last good version; only what concerns all tables is thrown.</summary>
    public abstract Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation);
}
