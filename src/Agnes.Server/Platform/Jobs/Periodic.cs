namespace Agnes.Server.Platform.Jobs;

/// <summary>What every process does again and again for itself. What one of them is to do for all is a <see cref="JobSchedule"/>.</summary>
internal interface IPeriodic
{
    /// <summary>In the log.</summary>
    string Name { get; }

    /// <summary>From the end of one round to the next.</summary>
    TimeSpan Every { get; }

    /// <summary>After the start.</summary>
    TimeSpan First => Every;

    Task RunAsync(CancellationToken cancellation);
}

/// <summary>The one loop of all that is done again and again. Each goes at its own pace; none overtakes itself or holds up another.</summary>
internal sealed partial class PeriodicLoop(IEnumerable<IPeriodic> works, TimeProvider time, ILogger<PeriodicLoop> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var rounds = works.Select(work => new Round(work)).ToList();
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (var round in rounds.Where(round => round.IsDue(time))) round.Begin(RunAsync(round.Work, stoppingToken));
            var waits = rounds.Where(round => round.Running is null).Select(round => round.Left(time)).DefaultIfEmpty(Timeout.InfiniteTimeSpan).Min();
            using var slept = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await Task.WhenAny([Task.Delay(waits, time, slept.Token), .. rounds.Select(round => round.Running).OfType<Task>()]);
            await slept.CancelAsync();
            foreach (var round in rounds.Where(round => round.Running is { IsCompleted: true })) round.End(time);
        }
        await Task.WhenAll(rounds.Select(round => round.Running).OfType<Task>());
    }

    private async Task RunAsync(IPeriodic work, CancellationToken stopping)
    {
        try
        {
            await Task.Yield(); // a slow beginning is nobody else's
            await work.RunAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure)
        {
            LogFailed(log, work.Name, failure);
        }
    }

    private sealed class Round(IPeriodic work)
    {
        private TimeSpan _wait = work.First;
        private long? _since;

        public IPeriodic Work => work;

        public Task? Running { get; private set; }

        public TimeSpan Left(TimeProvider time)
        {
            _since ??= time.GetTimestamp();
            var left = _wait - time.GetElapsedTime(_since.Value);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        public bool IsDue(TimeProvider time) => Running is null && Left(time) == TimeSpan.Zero;

        public void Begin(Task running) => Running = running;

        public void End(TimeProvider time) => (Running, _wait, _since) = (null, work.Every, time.GetTimestamp());
    }

    [LoggerMessage(EventId = 6004, Level = LogLevel.Warning, Message = "What is done for {Name} again and again failed; it is tried again at its next time.")]
    private static partial void LogFailed(ILogger log, string name, Exception failure);
}
