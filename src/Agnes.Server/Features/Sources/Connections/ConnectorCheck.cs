using Agnes.Engine.Extracts;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Connections;

/// <summary>The check of a connection that its connector makes, in a child process.</summary>
internal static class ConnectorCheck
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    public static async Task<ConnectionCheck?> RunAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop)
    {
        using var entered = await services.GetRequiredService<PublishingGate>().AskAsync(stop);
        try
        {
            var request = new ExtractRequest("check", connection.Name, connection.Kind.Connector!, [], Options: options);
            var found = await services.GetRequiredService<ExtractRunner>().CheckAsync(request, TimeMax, stop);
            return new ConnectionCheck(found.Tables, "tables") { IsCut = found.Tables >= SourceCheck.CountedMax };
        }
        catch (WorkerFailedException failure)
        {
            throw new RemoteException(RemoteFault.System, failure.Message, failure);
        }
    }
}
