using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Agnes.Engine.Parts;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Sql.BigQuery;

namespace Agnes.Server.Platform.Sources;

/// <summary>
/// The connections whose tables stay at their source. One is opened by its first question, kept, and ended when what is set for it has changed or
/// it has been removed: questions that are under way there end with it.
/// </summary>
internal sealed class AskedSources : IAsyncDisposable
{
    private static readonly TimeSpan ConfiguredFor = TimeSpan.FromSeconds(10);

    /// <summary>Made once for each version of the registry, and gone with it.</summary>
    private readonly ConditionalWeakTable<ImmutableDictionary<string, TableRow>,
        ILookup<(string Bucket, string Table), TableRow>> _paths = [];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Open> _open = new(StringComparer.Ordinal); // under _gate, and the next; at most one for each connection
    private readonly List<Task> _ending = [];
    private readonly SourceKinds _kinds;
    private readonly AttachedExtracts _extracts;
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
        _extracts = new AttachedExtracts(kinds, folder, services, time, log);
        state.Changed += EndChanged;
    }

    /// <summary>
    /// Where a table is that is asked at its source; null for all others. A connection is always as it is set now, whatever a request has pinned.
    /// </summary>
    public RowSource.Remote? Of(TableRow row)
    {
        if (row.QueryMode != TableRules.ModeRemote) return null;
        if (!_kinds.IsAsked(row)) return _extracts.Of(row, _state.Snapshot) is { } attached ? new RowSource.Remote(attached, SqlText.Identifier(row.Name)) : null;
        if (_kinds.OfType(row.SourceType) is not { } kind || OpenedFor(row, kind) is not { } open) return null;
        return new RowSource.Remote(open.Asked, kind.RelationOf(row, open.Catalog)) { Dialect = kind.Dialect };
    }

    /// <summary>Whether the table stays at its source: at a connection of this server's, or at one that its extract names.</summary>
    public bool IsAsked(TableRow? row) => _kinds.IsAsked(row) || (row is not null && Of(row) is not null);

    /// <summary>A connection of a kind that is asked, by its name, with what is set for it but secrets; null where there is none.</summary>
    public (IRemoteTables System, IReadOnlyDictionary<string, string> Settings)? Find(SourceKind kind, string name) =>
        OpenedOf(kind, name) is { } open ? (open.Asked, open.Settings) : null;

    /// <summary>The query of a table that is materialized whole; the row itself where it has one, or its source has none.</summary>
    public TableRow WithQuery(TableRow row)
    {
        if (row is not { QueryMode: TableRules.ModeMaterialized, SourceQuery: null }) return row;
        if (_kinds.OfType(row.SourceType) is not { MaterializesWhole: true } kind || OpenedFor(row, kind) is not { } open) return row;
        return row with { SourceQuery = kind.QueryOfWhole(row, open.Catalog) };
    }

    private Open? OpenedFor(TableRow row, SourceKind kind) =>
        row.Connection == kind.Name && !_state.Snapshot.Connections.ContainsKey(kind.Name) ? null : OpenedOf(kind, row.Connection ?? kind.Name);

    private Open? OpenedOf(SourceKind kind, string name)
    {
        lock (_gate)
        {
            var set = _state.Snapshot.Connections.GetValueOrDefault(name);
            if (set is null ? name != kind.Name || !kind.HasDefault : set.Kind != kind.Name) return null;
            if (!_open.TryGetValue(name, out var open) || open.Set != set || open.Secrets != _secrets.Version || IsOutdated(open))
            {
                End(name);
                _open[name] = open = OpenOf(set, new Connection(name, kind, set?.Values ?? Connection.Nothing));
            }

            return open;
        }
    }

    /// <summary>The registered tables that a path names, which is in the words of a source with a language of its own.</summary>
    public TablesAtPath At(Snapshot snapshot, TableReference reference)
    {
        if (reference.Project is { } project && CatalogsOf(snapshot) is [var first, ..] all
            && !all.Contains(project, StringComparer.Ordinal)) return new TablesAtPath([], first);
        var index = _paths.GetValue(
            snapshot.TablesById, tables => tables.Values.ToLookup(row => (row.Bucket ?? "", row.SourceTable ?? "")));
        var rows = index[(reference.Dataset ?? "", reference.Table)].Where(row => Of(row) is { Dialect: SqlDialect.BigQuery } remote
            && (reference.Project is not { } named || remote.Relation == $"{named}.{reference.Dataset}.{reference.Table}"));
        return new TablesAtPath([.. rows.OrderBy(row => row.Connection is not null).ThenBy(row => row.Id, StringComparer.Ordinal)], null);
    }

    /// <summary>Of all connections, the default one's first.</summary>
    private List<string> CatalogsOf(Snapshot snapshot)
    {
        var connections = _kinds.All.Where(kind => kind is { IsAsked: true, Dialect: SqlDialect.BigQuery })
            .SelectMany(kind => _kinds.ConnectionsOf(snapshot, kind));
        return [.. connections.Select(one => OpenedOf(one.Kind, one.Name)?.Catalog).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Under the lock. What the configuration says of a default connection is looked at again after a while.</summary>
    private bool IsOutdated(Open open)
    {
        if (open.Set is not null || _time.GetElapsedTime(open.Looked) < ConfiguredFor) return false;
        var now = open.Of.Kind.SettingsOf(open.Of, _services);
        open.Looked = _time.GetTimestamp();
        return now.Count != open.Settings.Count || now.Any(pair => open.Settings.GetValueOrDefault(pair.Key) != pair.Value);
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

        await Task.WhenAll([.. ending, _extracts.EndAsync()]);
    }

    private Open OpenOf(ConnectionRow? set, Connection connection)
    {
        var settings = connection.Kind.SettingsOf(connection, _services);
        var whole = connection with { Settings = settings };
        var asked = new AskedConnection(
            connection.Name,
            () => connection.Kind.Ask(
                whole, ConnectionSecrets.OptionsOf(_secrets, whole, _folder, _services.GetRequiredService<ServerOptions>()), _services),
            _time,
            _log);
        return new Open(connection, set, _secrets.Version, settings, asked)
        {
            Catalog = connection.Kind.CatalogOf(settings),
            Looked = _time.GetTimestamp(),
        };
    }

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
        if (_open.Remove(name, out var open)) _ending.Add(open.Asked.EndAsync());
    }

    /// <param name="Set">The connection's row that it was opened with; null for the default one of a kind.</param>
    /// <param name="Secrets">What was stored then.</param>
    /// <param name="Settings">Of it that is no secret.</param>
    private sealed record Open(
        Connection Of, ConnectionRow? Set, object Secrets, IReadOnlyDictionary<string, string> Settings, AskedConnection Asked)
    {
        public string? Catalog { get; init; }

        /// <summary>When the configuration was looked at.</summary>
        public long Looked { get; set; }
    }
}
