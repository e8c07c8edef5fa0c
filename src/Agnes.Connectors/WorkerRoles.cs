using Agnes.Connectors.Events;
using Agnes.Engine.Foreign;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Engine.Query.Workers;
using Agnes.Engine.Workers;

namespace Agnes.Connectors;

/// <summary>What the server starts children for: the first argument names the role, the rest is said over their pipes.</summary>
public static class WorkerRoles
{
    /// <summary>By the role's name. The result is the process's exit code.</summary>
    public static IReadOnlyDictionary<string, Func<Stream, Stream, Task<int>>> All { get; } = new Dictionary<string, Func<Stream, Stream, Task<int>>>(StringComparer.Ordinal)
    {
        [ExtractWorkerMain.Role] = (input, output) => ExtractWorkerMain.RunAsync(ConnectorList.All, input, output, CancellationToken.None),
        [WorkerPoolOptions.Role] = (input, output) => QueryWorkerMain.RunAsync(input, output, CancellationToken.None),
        [RemoteBrokerOptions.Role] = (input, output) => RemoteBrokerMain.RunAsync(RemoteEngineList.All, input, output, CancellationToken.None),
        [EventWorkerMain.Role] = (input, output) => EventWorkerMain.RunAsync(EventSchemaList.Open, input, output, CancellationToken.None),
        [ForeignTables.Role] = (input, output) => ForeignTablesMain.RunAsync(input, output, CancellationToken.None),
    };

    /// <returns>Null where the arguments name no role of a child.</returns>
    public static Func<Task<int>>? Of(IReadOnlyList<string> args) =>
        args is [var role] && All.TryGetValue(role, out var run) ? () => run(Console.OpenStandardInput(), Console.OpenStandardOutput()) : null;
}
