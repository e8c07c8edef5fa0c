using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// The connections whose tables stay at their source. One is opened by its first question, kept, and ended when what is set for it has changed or
/// it has been removed: questions that are under way there end with it.
/// </summary>
internal sealed class AskedSources : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Open> _open = new(StringComparer.Ordinal); // under _gate, and the next; at most one for each connection
    private readonly List<Task> _ending = [];
    private readonly SourceKinds _kinds;
    private readonly StateDb _state;
    private readonly SecretStore _secrets;
    private readonly DataFolder _folder;
    private readonly IServiceProvider _services;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    public AskedSources(
        SourceKinds kinds, StateDb state, SecretStore secrets, DataFolder folder, IServiceProvider services, TimeProvider time, ILogger<AskedSources> log)
    {
        (_kinds, _state, _secrets, _folder, _services, _time, _log) = (kinds, state, secrets, folder, services, time, log);
        state.Changed += EndChanged;
    }

    /// <summary>
    /// Where a table is that is asked at its source; null for all others. A connection is always as it is set now, whatever a request has pinned.
    /// </summary>
    public RowSource.Remote? Of(TableRow row)
    {
        return _kinds.IsAsked(row) && SystemOf(row) is { } system
            ? new RowSource.Remote(system, _kinds.OfType(row.SourceType)!.RelationOf(row))
            : null;
    }

    /// <summary>
    /// What answers the questions of a table's connection, also of a table that is materialized; null where there is none.
    /// </summary>
    public IRemoteTables? SystemOf(TableRow row)
    {
        if (_kinds.OfType(row.SourceType) is not { IsAsked: true } kind) return null;
        var name = row.Connection ?? kind.Name;
        lock (_gate)
        {
            var now = _state.Snapshot;
            var set = now.Connections.GetValueOrDefault(name);
            if (set is null ? row.Connection is not null || !kind.HasDefault : set.Kind != kind.Name) return null;
            if (!_open.TryGetValue(name, out var open) || open.Set != set || open.Secrets != _secrets.Version)
            {
                End(name);
                _open[name] = open = new Open(set, _secrets.Version, OpenOf(_kinds.ConnectionOf(now, row)!));
            }

            return open.Connection;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _state.Changed -= EndChanged;
        Task[] ending;
        lock (_gate)
        {
            foreach (var name in _open.Keys.ToList()) End(name);
            ending = [.. _ending];
        }

        await Task.WhenAll(ending);
    }

    private AskedConnection OpenOf(Connection connection) => new(
        connection.Name,
        () => connection.Kind.Ask(connection, ConnectionSecrets.OptionsOf(_secrets, connection, _folder), _services),
        _time,
        _log);

    private void EndChanged(Snapshot before, Snapshot now)
    {
        if (ReferenceEquals(before.Connections, now.Connections)) return;
        lock (_gate)
        {
            var changed = _open.Where(one => one.Value.Set != now.Connections.GetValueOrDefault(one.Key)).Select(one => one.Key).ToList();
            foreach (var name in changed) End(name);
        }
    }

    /// <summary>Under the lock.</summary>
    private void End(string name)
    {
        _ending.RemoveAll(task => task.IsCompleted);
        if (_open.Remove(name, out var open)) _ending.Add(open.Connection.EndAsync());
    }

    /// <param name="Set">The connection's row that it was opened with; null for the default one of a kind.</param>
    /// <param name="Secrets">What was stored then.</param>
    private sealed record Open(ConnectionRow? Set, object Secrets, AskedConnection Connection);
}
