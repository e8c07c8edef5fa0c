using Agnes.Engine.Parts;

namespace Agnes.Engine.Extracts;

/// <summary>Pulls tables from where they live into an extract. Runs in a child process; knows nothing of the server.</summary>
public abstract class Connector
{
    public abstract string Name { get; }

    /// <summary>Folders that the connector reads; its process and the engine are locked to them before anything is opened.</summary>
    public virtual IReadOnlyList<string> Readable(DataFolder folder, ExtractRequest request) => [];

    /// <summary>Whether it makes connections; otherwise the kernel refuses them to its process.</summary>
    public virtual bool UsesNetwork => false;

    /// <summary>Writes the requested tables. A table that fails is reported to the writer and keeps its last good version; only what concerns all tables is thrown.</summary>
    public abstract Task RunAsync(ExtractRequest request, ExtractWriter writer, IProgress<ExtractEvent> progress, CancellationToken cancellation);
}
