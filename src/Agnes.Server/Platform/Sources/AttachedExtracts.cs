using System.Collections.Concurrent;
using Agnes.Connectors.Attached;
using Agnes.Engine.Parts;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// Remote tables of extracts that other programs write: they are asked in a broker that has the extract and attaches what its
/// <c>_remote_attach</c> names, as far as whoever runs the server allows it.
/// </summary>
internal sealed partial class AttachedExtracts(SourceKinds kinds, DataFolder folder, IServiceProvider services, TimeProvider time, ILogger log)
{
    /// <summary>Where whoever runs the server puts extensions, below the data folder.</summary>
    public const string ExtensionsFolder = "duckdb-extensions";

    private readonly ConcurrentDictionary<string, AskedConnection> _open = new(StringComparer.Ordinal); // one for each folder at most

    /// <summary>The extract that a registered table is a view of; null for all other tables.</summary>
    public IRemoteTables? Of(TableRow row, Snapshot snapshot) =>
        snapshot.PublishedTable(row.Name) is { QueryMode: TableRules.ModeRemote } published && kinds.OfFolder(snapshot, published.Source) is null
            ? _open.GetOrAdd(published.Source, source => new AskedConnection(source, () => Open(source), time, log))
            : null;

    public Task EndAsync() => Task.WhenAll(_open.Values.Select(connection => connection.EndAsync()));

    private IRemoteTables Open(string source)
    {
        var options = services.GetRequiredService<ServerOptions>();
        LogPolicy(log, string.Join(", ", options.Attach.Extensions), string.Join(", ", options.Attach.Tokens.Keys), string.Join(", ", options.Attach.Urls));
        var extensions = Path.Combine(options.DataDir, ExtensionsFolder);
        var settings = new AttachSettings(
            folder.ExtractFile(source), extensions, options.Attach.Extensions, options.Attach.Tokens, options.Attach.Urls);
        return services.GetRequiredService<RemoteBrokers>().Open(AttachSettings.Kind, source, settings.ToOptions(), folder.Source(source), extensions);
    }

    [LoggerMessage(EventId = 6603, Level = LogLevel.Information, Message = "Extracts of other programs may attach extensions {Extensions}, with tokens in {Variables}, at {Urls}.")]
    private static partial void LogPolicy(ILogger log, string extensions, string variables, string urls);
}
