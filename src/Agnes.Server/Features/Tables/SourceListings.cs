using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tables;

/// <summary>What sources say that they have, of those that say it all at once.</summary>
internal sealed class SourceListings(DataFolder folder, ServerOptions options, SecretStore secrets, IServiceProvider services)
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);

    /// <exception cref="RemoteException">The source cannot be asked, or does not answer in the time that a person waits.</exception>
    public async Task<IReadOnlyList<ListedTable>> OfAsync(Snapshot snapshot, SourceKind kind, string connection, CancellationToken stop)
    {
        var own = snapshot.Connections.GetValueOrDefault(connection) is { } named
            ? new Connection(named.Name, kind, named.Values)
            : new Connection(kind.Name, kind, Connection.Nothing);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(TimeMax);
        try
        {
            return await kind.ListAsync(ConnectionSecrets.OptionsOf(secrets, own, folder, options), services, time.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RemoteException(RemoteFault.System, $"{kind.Title} did not answer within {TimeMax.TotalSeconds:0} seconds.");
        }
    }
}
