using System.Text.Json;

namespace Agnes.Engine.Extracts;

/// <summary>The child's side: <c>agnes-server extract-worker</c>.</summary>
public static class ExtractWorkerMain
{
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<Connector> connectors, Stream input, Stream output, CancellationToken cancellation)
    {
        _ = connectors;
        await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new WorkerLine(Error: "not wired yet", Done: true), WorkerJson.Default.WorkerLine), cancellation);
        return 1;
    }
}
