using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Agnes.Protocol;
using Agnes.Server.Features.VerifiedQueries;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>
/// The only way to what admins wrote about tables, metrics and verified queries. An asker gets the set of those that exist for them, and looks an id up in it, so that a
/// hidden and a never-existing one take the same steps and the same time.
/// </summary>
/// <remarks>
/// A definition exists for whoever may read every table that it declares, that the engine bound it to, and that its text has the name of. One that the engine could not
/// bind reads nobody knows what, and is for admins. The tables are found out once for each change of definitions, registry or publications, whoever asks; a set is made once
/// for each set of groups and change of access.
/// </remarks>
internal sealed class Definitions(StateDb state) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private Loaded? _loaded; // under _turn
    private Resolved? _resolved;

    /// <summary>What exists for the asker.</summary>
    public Task<VisibleDefinitions> OfAsync(HttpContext context) => OfAsync(context.Snapshot(), context.Caller(), context.RequestAborted);

    /// <inheritdoc cref="OfAsync(HttpContext)"/>
    public async Task<VisibleDefinitions> OfAsync(Snapshot snapshot, Caller caller, CancellationToken stop) => (await ResolvedAsync(snapshot, stop)).Of(snapshot, caller);

    /// <summary>What there is: for the server's own work, never for an answer to somebody.</summary>
    public async Task<VisibleDefinitions> EverythingAsync(Snapshot snapshot, CancellationToken stop) => (await ResolvedAsync(snapshot, stop)).All;

    public void Dispose() => _turn.Dispose();

    private async Task<Resolved> ResolvedAsync(Snapshot snapshot, CancellationToken stop)
    {
        if (Volatile.Read(ref _resolved) is { } known && known.IsOf(snapshot)) return known;
        await _turn.WaitAsync(stop);
        try
        {
            if (_resolved is { } made && made.IsOf(snapshot)) return made;
            if (_loaded is not { } loaded || loaded.Version != snapshot.DefinitionsVersion) _loaded = loaded = await LoadAsync(snapshot.DefinitionsVersion, stop);
            var resolved = new Resolved(snapshot, loaded);
            Volatile.Write(ref _resolved, resolved);
            return resolved;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<Loaded> LoadAsync(long version, CancellationToken stop)
    {
        var metrics = await MetricStore.AllAsync(state, stop);
        var queries = await VerifiedQueryStore.AllAsync(state, stop);
        return new Loaded(version, [.. metrics.Select(Draft)], [.. queries.Select(Draft)]);
    }

    private static Draft<MetricRow> Draft(MetricRow metric) => new(
        metric.Id,
        metric,
        IsOpen: metric.Bound,
        [.. metric.DeclaredTables()],
        Mentions.WordsOf(metric.ToJson()));

    private static Draft<VerifiedQueryRow> Draft(VerifiedQueryRow query) => new(
        query.Id,
        query,
        IsOpen: query.Bound && query.IsCanonical,
        [.. MetricJson.Strings(query.SqlTables)],
        Mentions.WordsOf(JsonSerializer.SerializeToNode(query.ToView(), ProtocolJson.Default.VerifiedQuery)!));

    private sealed record Loaded(long Version, ImmutableArray<Draft<MetricRow>> Metrics, ImmutableArray<Draft<VerifiedQueryRow>> Queries);

    /// <summary>Everything, with the tables that each must be allowed for, and the sets that were asked for since.</summary>
    private sealed class Resolved(Snapshot snapshot, Loaded loaded)
    {
        private const int SetsMax = 250;

        private readonly ImmutableArray<Definition<MetricRow>> _metrics = [.. loaded.Metrics.Select(draft => draft.Resolve(snapshot))];
        private readonly ImmutableArray<Definition<VerifiedQueryRow>> _queries = [.. loaded.Queries.Select(draft => draft.Resolve(snapshot))];
        private readonly RecentCache<(string Groups, long Access), VisibleDefinitions> _sets = new(SetsMax);
        private VisibleDefinitions? _all;

        private (long, long, long) Version { get; } = VersionOf(snapshot);

        public VisibleDefinitions All => _all ??= new VisibleDefinitions(_metrics, _queries);

        public bool IsOf(Snapshot asked) => Version == VersionOf(asked);

        public VisibleDefinitions Of(Snapshot asked, Caller caller)
        {
            if (caller.IsAdmin) return All;
            var key = (caller.GroupKey, asked.AccessVersion);
            if (_sets.TryGet(key, out var set)) return set;
            set = new VisibleDefinitions([.. _metrics.Where(metric => metric.IsFor(asked, caller))], [.. _queries.Where(query => query.IsFor(asked, caller))]);
            _sets.Set(key, set);
            return set;
        }

        private static (long, long, long) VersionOf(Snapshot of) => (of.DefinitionsVersion, of.RegistryVersion, of.PublicationVersion);
    }
}

/// <summary>The definitions that exist for one asker.</summary>
internal sealed class VisibleDefinitions(ImmutableArray<Definition<MetricRow>> metrics, ImmutableArray<Definition<VerifiedQueryRow>> queries)
{
    private readonly FrozenDictionary<string, Definition<MetricRow>> _metrics = metrics.ToFrozenDictionary(metric => metric.Id, StringComparer.Ordinal);
    private readonly FrozenDictionary<string, Definition<VerifiedQueryRow>> _queries = queries.ToFrozenDictionary(query => query.Id, StringComparer.Ordinal);

    /// <summary>By name.</summary>
    public IEnumerable<MetricRow> Metrics => metrics.Select(metric => metric.Row);

    /// <summary>By id.</summary>
    public IEnumerable<VerifiedQueryRow> Queries => queries.Select(query => query.Row);

    public Definition<MetricRow>? Metric(string id) => _metrics.GetValueOrDefault(id);

    public Definition<VerifiedQueryRow>? Query(string id) => _queries.GetValueOrDefault(id);
}

/// <summary>A definition with what of it follows from itself alone.</summary>
/// <param name="IsOpen">The engine has bound all of it, and an admin vouches for it where that is asked.</param>
/// <param name="Tables">That it declares and reads; each of them must be one.</param>
/// <param name="Words">Of its text; each may be the name of a table.</param>
internal sealed record Draft<T>(string Id, T Row, bool IsOpen, ImmutableArray<string> Tables, FrozenSet<string> Words)
{
    public Definition<T> Resolve(Snapshot snapshot)
    {
        var tables = new Dictionary<(string?, string), NamedTable>();
        var columns = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var isOpen = IsOpen;
        foreach (var name in Tables)
        {
            if (NamedTable.ByName(snapshot, name) is { } table)
            {
                tables[(table.Id, table.Name)] = table;
                if (table.Published is { } published) columns.UnionWith(published.Columns.Select(column => column.Name));
            }
            else
            {
                isOpen = false;
            }
        }

        // The word for a column of a table that it reads means that column, which its readers know anyway.
        foreach (var table in Mentions.TablesOf(snapshot, Words.Where(word => !columns.Contains(word)))) tables[(table.Id, table.Name)] = table;
        return new Definition<T>(Id, Row, isOpen, [.. tables.Values]);
    }
}

/// <param name="IsOpen">False: for admins only.</param>
/// <param name="Tables">That whoever is to know of it must be allowed to read.</param>
internal sealed record Definition<T>(string Id, T Row, bool IsOpen, ImmutableArray<NamedTable> Tables)
{
    public bool IsFor(Snapshot snapshot, Caller caller) => IsOpen && Tables.All(table => Access.CanRead(snapshot, caller, table));
}
