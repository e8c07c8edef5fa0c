using System.Collections.Immutable;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources.Metadata;

/// <summary>What is known of all tables that stay at their sources, at one moment.</summary>
/// <param name="Version">Another one wherever an answer that was made of it would be another.</param>
internal sealed record MetadataView(long Version, ImmutableDictionary<string, TableMetadata> ById)
{
    /// <summary>When the next of them is no longer fresh; null: none is.</summary>
    public DateTime? TurnsAt { get; init; }

    /// <summary>Nothing where it was said of another source than the table's.</summary>
    public TableMetadata? Of(string id, RowSource.Remote remote) =>
        ById.TryGetValue(id, out var known) && known.Source == TableMetadata.SourceOf(remote) ? known : null;

    /// <inheritdoc cref="Of(string, RowSource.Remote)"/>
    /// <param name="row">Of any table: nothing is known here of one whose rows lie here.</param>
    public TableMetadata? Of(TableRow? row, AskedSources sources) =>
        row is not null && sources.Of(row) is { } remote ? Of(row.Id, remote) : null;
}

/// <summary>
/// Keeps what sources said of the tables that stay there. Requests read it and never wait for a source; who asks the sources writes it.
/// In memory there is all but the columns' types, for as many tables as are registered.
/// </summary>
internal sealed class MetadataCache : IPeriodic, IDisposable
{
    private readonly StateDb _state;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly SemaphoreSlim _loading = new(1);
    private readonly Lock _gate = new();
    private MetadataView? _view; // under _gate; null until it is read
    private long _version;

    public MetadataCache(StateDb state, ServerOptions options, TimeProvider time)
    {
        (_state, _time, _interval) = (state, time, options.Metadata.Every);
        state.Changed += ForgetGone;
    }

    public string Name => "what sources say of tables";

    public TimeSpan Every => TimeSpan.FromSeconds(15);

    /// <summary>What another process was told.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (_state.Engine == StateEngine.Postgres) await LoadAsync(cancellation);
    }

    public string FreshnessOf(TableMetadata? known) => Freshness.Of(known, _time.Micros(), _interval);

    public async ValueTask<MetadataView> ViewAsync(CancellationToken cancellation)
    {
        var isRead = false;
        lock (_gate) isRead = _view is not null;
        if (!isRead) await LoadAsync(cancellation);
        lock (_gate)
        {
            if (_view!.TurnsAt <= _time.Micros()) Renew(_view.ById);
            return _view;
        }
    }

    /// <summary>The columns of a table as its source said them last.</summary>
    /// <returns>Null: it never has.</returns>
    public Task<IReadOnlyList<TableColumn>?> ColumnsAsync(string id, RowSource.Remote remote, CancellationToken cancellation) =>
        MetadataStore.ColumnsAsync(_state, id, TableMetadata.SourceOf(remote), cancellation);

    /// <summary>Keeps what a source said. Of a table that is gone meanwhile nothing is kept.</summary>
    public async Task<TableMetadata> SaveAsync(string id, RowSource.Remote remote, RemoteDescription said, CancellationToken cancellation)
    {
        var known = TableMetadata.Of(id, TableMetadata.SourceOf(remote), said, _time.Micros());
        await WriteAsync(id, write => MetadataStore.SaveAsync(write, known, said.Columns), _ => known, cancellation);
        return known;
    }

    /// <summary>Keeps what was said before, and that it could not be said anew.</summary>
    /// <param name="error">Safe to show to whoever may read the table.</param>
    public Task FailAsync(string id, RowSource.Remote remote, string error, CancellationToken cancellation)
    {
        var (source, now) = (TableMetadata.SourceOf(remote), _time.Micros());
        return WriteAsync(
            id,
            write => MetadataStore.FailAsync(write, id, source, error),
            before => (before?.Source == source ? before : new TableMetadata { TableId = id, Source = source }) with
            {
                ErrorAt = now,
                ErrorMsg = error,
            },
            cancellation);
    }

    public void Dispose()
    {
        _state.Changed -= ForgetGone;
        _loading.Dispose();
    }

    private async Task WriteAsync(
        string id, Func<StateWrite, Task> save, Func<TableMetadata?, TableMetadata> change, CancellationToken cancellation)
    {
        await ViewAsync(cancellation); // so that a later look at the state adds to nothing
        var isKept = await _state.WriteAsync(
            async write =>
            {
                if (write.Current.Table(id) is null) return false;
                await save(write);
                return true;
            },
            cancellation);
        if (!isKept) return;
        lock (_gate)
        {
            if (_state.Snapshot.Table(id) is not null) Put(id, change(_view!.ById.GetValueOrDefault(id)));
        }
    }

    private async Task LoadAsync(CancellationToken cancellation)
    {
        await _loading.WaitAsync(cancellation);
        try
        {
            var all = await MetadataStore.AllAsync(_state, cancellation);
            lock (_gate)
            {
                if (_view is { } now && now.ById.Count == all.Count && all.All(one => now.ById.GetValueOrDefault(one.TableId) == one))
                    return;
                Renew(all.ToImmutableDictionary(one => one.TableId, StringComparer.Ordinal));
            }
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Under the lock. A table that is as it was makes no answer another one, but for the time at which it turns stale.</summary>
    private void Put(string id, TableMetadata known)
    {
        var before = _view!.ById.GetValueOrDefault(id);
        var isSame = before is not null && FreshnessOf(before) == FreshnessOf(known) && known == before with
        {
            RefreshedAt = known.RefreshedAt,
            ErrorAt = known.ErrorAt,
            ErrorMsg = known.ErrorMsg,
        };
        var turns = TurnOf(known);
        _view = new MetadataView(isSame ? _view.Version : ++_version, _view.ById.SetItem(id, known))
        {
            TurnsAt = turns is null || turns > _view.TurnsAt ? _view.TurnsAt : turns,
        };
    }

    /// <summary>Under the lock.</summary>
    private void Renew(ImmutableDictionary<string, TableMetadata> byId) =>
        _view = new MetadataView(++_version, byId) { TurnsAt = byId.Values.Select(TurnOf).Where(turn => turn > _time.Micros()).Min() };

    private DateTime? TurnOf(TableMetadata known) => known.RefreshedAt + (2 * _interval) + TimeSpan.FromMicroseconds(1);

    private void ForgetGone(Snapshot before, Snapshot now)
    {
        if (ReferenceEquals(before.TablesById, now.TablesById)) return;
        lock (_gate)
        {
            if (_view is null) return;
            var gone = _view.ById.Keys.Where(id => now.Table(id) is null).ToList();
            if (gone.Count > 0) Renew(_view.ById.RemoveRange(gone));
        }
    }
}
