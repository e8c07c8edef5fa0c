using System.Threading.Channels;

namespace Agnes.Server.Platform.Jobs;

/// <summary>Something that happened in a job. The sequence counts up within this process.</summary>
internal sealed record JobEvent(long Sequence, string JobId, string Kind, string Name, string Data);

/// <summary>What happens in the jobs of this process, for those who look on. The last few thousand events are kept, so that a cut stream can go on.</summary>
internal sealed class JobEvents
{
    private const int EventsKeptMax = 4096;
    private const int WaitingMax = 1024;
    private const int WatchersMax = 256;

    private readonly Lock _gate = new();
    private readonly Queue<JobEvent> _kept = new();
    private readonly List<Watcher> _watchers = [];
    private long _sequence;

    /// <summary>Tells streams of this process from those of an earlier one: their numbers mean nothing here.</summary>
    public string Epoch { get; } = Guid.NewGuid().ToString("N")[..12];

    public void Publish(string jobId, string kind, string name, string data)
    {
        lock (_gate)
        {
            var happened = new JobEvent(++_sequence, jobId, kind, name, data);
            _kept.Enqueue(happened);
            if (_kept.Count > EventsKeptMax) _kept.Dequeue();
            foreach (var watcher in _watchers.Where(w => w.Wants(happened)).ToList())
            {
                // Who does not keep up is cut off; the client comes back with the last id that it saw.
                if (watcher.Channel.Writer.TryWrite(happened)) continue;
                watcher.Channel.Writer.TryComplete();
                _watchers.Remove(watcher);
            }
        }
    }

    /// <param name="after">The id of the last event that the client saw.</param>
    /// <returns>Null when too many look on already.</returns>
    public JobWatch? Watch(string kind, string? jobId, string? after)
    {
        lock (_gate)
        {
            if (_watchers.Count >= WatchersMax) return null;
            var watcher = new Watcher(kind, jobId);
            var (missed, complete) = Missed(watcher, after);
            _watchers.Add(watcher);
            return new JobWatch(missed, complete, watcher.Channel.Reader, () => Remove(watcher));
        }
    }

    public string IdOf(JobEvent happened) => $"{Epoch}-{happened.Sequence}";

    /// <returns>Complete is false where the client saw nothing yet, or so little that the rest is no longer kept.</returns>
    private (IReadOnlyList<JobEvent> Events, bool Complete) Missed(Watcher watcher, string? after)
    {
        var parts = after?.Split('-', 2);
        if (parts is not { Length: 2 } || parts[0] != Epoch || !long.TryParse(parts[1], out var seen) || seen > _sequence) return ([], false);
        if (_kept.TryPeek(out var oldest) && oldest.Sequence > seen + 1) return ([], false);
        return ([.. _kept.Where(e => e.Sequence > seen && watcher.Wants(e))], true);
    }

    private void Remove(Watcher watcher)
    {
        lock (_gate) _watchers.Remove(watcher);
    }

    private sealed record Watcher(string Kind, string? JobId)
    {
        public Channel<JobEvent> Channel { get; } = System.Threading.Channels.Channel.CreateBounded<JobEvent>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });

        public bool Wants(JobEvent happened) => happened.Kind == Kind && (JobId is null || happened.JobId == JobId);
    }
}

/// <param name="Missed">What happened since the event that the client named.</param>
/// <param name="Complete">False: the client has to be told how things stand first.</param>
internal sealed record JobWatch(IReadOnlyList<JobEvent> Missed, bool Complete, ChannelReader<JobEvent> Events, Action Stop) : IDisposable
{
    public void Dispose() => Stop();
}
