using Agnes.Connectors.Events;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>All sources that send by themselves, as far as they are set up. One that is set up while the server runs begins with its first delivery.</summary>
internal sealed partial class EventIntakes(IServiceProvider services, SourceKinds kinds, ServerOptions options, ILogger<EventIntakes> log)
    : IHostedLifecycleService, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, EventIntake> _intakes = new(StringComparer.Ordinal); // one for each source

    public EventIntake? Find(string source)
    {
        lock (_gate) return _intakes.GetValueOrDefault(source);
    }

    /// <summary>The source's intake, started if need be.</summary>
    /// <exception cref="IOException">Another process takes what the source sends.</exception>
    public EventIntake Of(EventSource source)
    {
        lock (_gate)
        {
            if (_intakes.TryGetValue(source.Name, out var known))
            {
                known.Source = source; // as it is set now
                return known;
            }

            T Get<T>() where T : notnull => services.GetRequiredService<T>();
            var intake = new EventIntake(
                source, Get<StateDb>(), Get<JobRunner>(), Get<WorkerProgram>(), Get<Scratch>(), Get<Budget>(), Get<DataFolder>(), JournalLimits.Default, log);
            intake.Start();
            return _intakes[source.Name] = intake;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Role.ServesRequests()) return Task.CompletedTask;
        foreach (var source in kinds.All.OfType<IEventKind>().SelectMany(kind => kind.Events(services)))
        {
            try
            {
                Of(source);
            }
            catch (IOException fault)
            {
                LogElsewhere(log, source.Name, fault); // its first delivery here tries again
            }
        }

        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>After all that adds to the journals, jobs among it, has stopped: none of it fails because they are closed.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        List<EventIntake> intakes;
        lock (_gate)
        {
            intakes = [.. _intakes.Values];
            _intakes.Clear();
        }

        foreach (var intake in intakes) await intake.DisposeAsync();
    }

    [LoggerMessage(EventId = 6202, Level = LogLevel.Warning, Message = "What {Source} sends cannot be taken here: another process has its journal, or it cannot be opened.")]
    private static partial void LogElsewhere(ILogger log, string source, Exception fault);
}
