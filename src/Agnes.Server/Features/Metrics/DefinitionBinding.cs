using Agnes.Server.Features.VerifiedQueries;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Metrics;

/// <summary>
/// Binds what could not be bound when it was saved: definitions often come before their tables. At the start, and after tables changed; each is tried again only when
/// something that it is about became another.
/// </summary>
internal sealed partial class DefinitionBinding(StateDb state, Definitions definitions, MetricCheck check, TimeProvider time, ILogger<DefinitionBinding> log) : BackgroundService
{
    /// <summary>Between two rounds, so that many changes in a row are one.</summary>
    private static readonly TimeSpan RoundsApart = TimeSpan.FromSeconds(1);

    /// <summary>What the workers had no time for is tried again.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _changed = new(1, 1);
    private Dictionary<string, string> _tried = new(StringComparer.Ordinal); // what each was tried on in vain, by kind and id
    private long _allBoundAt = -1; // a version of the definitions

    public override void Dispose()
    {
        state.Changed -= Note;
        _changed.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        state.Changed += Note;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _changed.WaitAsync(LookEvery, stoppingToken);
                await RoundAsync(state.Snapshot, stoppingToken);
                await Task.Delay(RoundsApart, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogFailed(log, failure);
                await Task.Delay(LookEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task RoundAsync(Snapshot snapshot, CancellationToken stop)
    {
        if (snapshot.DefinitionsVersion == _allBoundAt) return;
        var all = await definitions.EverythingAsync(snapshot, stop);
        var before = _tried;
        _tried = new Dictionary<string, string>(StringComparer.Ordinal);
        if (all.Metrics.All(metric => metric.Bound) && all.Queries.All(query => query.Bound))
        {
            _allBoundAt = snapshot.DefinitionsVersion;
            return;
        }

        var asker = Asker.Server(snapshot, stop);
        var bound = new List<Func<StateWrite, Task>>();
        try
        {
            foreach (var metric in all.Metrics.Where(metric => !metric.Bound))
            {
                await TryAsync($"metric {metric.Id}", Mark(snapshot, metric.UpdatedAt, all.Metric(metric.Id)!), async () =>
                {
                    var found = await check.ReadAsync(asker, metric, [], [], stop);
                    return found.Bound ? write => MetricStore.BindAsync(write, found) : null;
                });
            }
            foreach (var query in all.Queries.Where(query => !query.Bound))
            {
                await TryAsync($"query {query.Id}", Mark(snapshot, query.UpdatedAt, all.Query(query.Id)!), async () =>
                {
                    var found = await ImportVerifiedQueries.CheckAsync(asker, check, query, [], stop);
                    return found.Bound ? write => VerifiedQueryStore.BindAsync(write, found) : null;
                });
            }
        }
        catch (ProblemException)
        {
            // The workers are busy: those that are left come with the next round.
        }

        if (bound.Count == 0) return;
        await state.WriteAsync(
            async write =>
            {
                foreach (var save in bound) await save(write);
            },
            stop);

        async Task TryAsync(string key, string mark, Func<Task<Func<StateWrite, Task>?>> bindAsync)
        {
            if (before.GetValueOrDefault(key) != mark && await bindAsync() is { } save) bound.Add(save);
            else _tried[key] = mark;
        }
    }

    /// <summary>All that could make it bind where it did not: itself, and the tables that it names.</summary>
    private static string Mark<T>(Snapshot snapshot, DateTime updatedAt, Definition<T> definition) =>
        $"{updatedAt:O} {string.Join(' ', definition.Tables.Select(table => $"{table.Name}:{snapshot.PublishedTable(table.Name)?.Number}").Order(StringComparer.Ordinal))}";

    private void Note(Snapshot before, Snapshot after)
    {
        if (before.RegistryVersion == after.RegistryVersion && before.PublicationVersion == after.PublicationVersion && before.DefinitionsVersion == after.DefinitionsVersion) return;
        try
        {
            if (_changed.CurrentCount == 0) _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else said so at the same time.
        }
    }

    [LoggerMessage(EventId = 6411, Level = LogLevel.Warning, Message = "Definitions could not be bound to their tables; it is tried again in a minute.")]
    private static partial void LogFailed(ILogger log, Exception failure);
}
