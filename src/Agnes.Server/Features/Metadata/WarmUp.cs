using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metadata;

/// <summary>
/// Has sources asked about tables as soon as these are registered or changed, and about all at the start. What comes while a run is under
/// way waits for its end, and is asked about together.
/// </summary>
internal sealed class WarmUp : IPeriodic, IDisposable
{
    private readonly StateDb _state;
    private readonly JobRunner _jobs;
    private readonly MetadataRefresh _refresh;
    private readonly MetadataCache _cache;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTime> _changed = new(StringComparer.Ordinal); // under _gate; at most the registered tables
    private bool _isStart;

    public WarmUp(
        StateDb state, JobRunner jobs, MetadataRefresh refresh, MetadataCache cache, ServerOptions options, TimeProvider time)
    {
        (_state, _jobs, _refresh, _cache, _time) = (state, jobs, refresh, cache, time);
        _isStart = !options.Metadata.SkipsWarmUp;
        state.Changed += Notice;
    }

    public string Name => "tables that sources are asked about";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken cancellation)
    {
        var trigger = _isStart ? WarmUpJob.Startup : WarmUpJob.RegistryChange;
        var tables = _isStart ? [.. _refresh.TablesOf(_state.Snapshot).Select(row => row.Id)] : await WantedAsync(cancellation);
        if (tables.Count > 0 && await _jobs.StartAsync(WarmUpJob.Request(trigger, tables), cancellation) is not JobStart.Started) return;
        _isStart = false;
        lock (_gate)
            foreach (var table in tables) _changed.Remove(table);
    }

    public void Dispose() => _state.Changed -= Notice;

    /// <summary>Of what has changed, what nobody has asked about since.</summary>
    private async Task<List<string>> WantedAsync(CancellationToken cancellation)
    {
        List<(string Id, DateTime Since)> changed;
        lock (_gate) changed = [.. _changed.Select(one => (one.Key, one.Value))];
        if (changed.Count == 0) return [];
        var view = await _cache.ViewAsync(cancellation);
        var wanted = changed.Where(one => _state.Snapshot.Table(one.Id) is { } row && _refresh.IsAsked(row)
            && !(view.ById.GetValueOrDefault(one.Id) is { } known && (known.RefreshedAt > one.Since || known.ErrorAt > one.Since)))
            .Select(one => one.Id).ToList();
        lock (_gate)
            foreach (var (id, since) in changed)
                if (_changed.GetValueOrDefault(id) == since && !wanted.Contains(id)) _changed.Remove(id);
        return wanted;
    }

    private void Notice(Snapshot before, Snapshot now)
    {
        if (ReferenceEquals(before.TablesById, now.TablesById) && ReferenceEquals(before.Connections, now.Connections)) return;
        var at = _time.Micros();
        lock (_gate)
        {
            foreach (var row in now.TablesById.Values.Where(_refresh.IsAsked))
            {
                var through = row.Connection ?? "";
                var isSame = before.TablesById.GetValueOrDefault(row.Id) == row
                    && before.Connections.GetValueOrDefault(through) == now.Connections.GetValueOrDefault(through);
                if (!isSame) _changed[row.Id] = at;
            }
        }
    }
}
