using System.Collections.Concurrent;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary>What became of one table.</summary>
/// <param name="Error">Why nothing was said; null: something was.</param>
/// <param name="IsNoData">The source knows no such table.</param>
internal sealed record Refreshed(TableMetadata? Known, string? Error = null, bool IsNoData = false);

/// <summary>
/// Asks sources what they have of the tables that stay there, and keeps what they say. What was known stays where they fail.
/// </summary>
internal sealed class MetadataRefresh(AskedSources sources, SourceKinds kinds, MetadataCache cache)
{
    private const string Gone = "The table's connection is no more, or cannot be asked as it is set.";

    /// <summary>The tables that there is something to ask about, by their ids.</summary>
    public IReadOnlyList<TableRow> TablesOf(Snapshot snapshot) =>
        [.. snapshot.TablesById.Values.Where(kinds.IsAsked).OrderBy(row => row.Id, StringComparer.Ordinal)];

    /// <summary>Whether a source has something to say of the table.</summary>
    public bool IsAsked(TableRow row) => kinds.IsAsked(row);

    public Task<Refreshed> RefreshAsync(TableRow row, CancellationToken stop) =>
        RefreshAsync(row, new ConcurrentDictionary<string, string>(StringComparer.Ordinal), stop);

    /// <param name="silent">
    /// Connections that did not answer, with what is said of that: they are not asked about their other tables, since each would be waited
    /// for in vain.
    /// </param>
    public async Task<Refreshed> RefreshAsync(TableRow row, ConcurrentDictionary<string, string> silent, CancellationToken stop)
    {
        if (sources.Of(row) is not { } remote) return new Refreshed(null, Gone);
        var connection = remote.System.Connection;
        if (silent.TryGetValue(connection, out var said))
        {
            await cache.FailAsync(row.Id, remote, said, stop);
            return new Refreshed(null, said);
        }

        try
        {
            var described = await remote.System.DescribeAsync(remote.Relation, stop);
            return new Refreshed(await cache.SaveAsync(row.Id, remote, described, stop));
        }
        catch (RemoteException failure)
        {
            if (failure.IsPassing) silent.TryAdd(connection, failure.Message);
            await cache.FailAsync(row.Id, remote, failure.Message, stop);
            return new Refreshed(null, failure.Message, failure.IsMissing);
        }
    }
}
