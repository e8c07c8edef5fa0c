using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Agnes.Engine.Query;

/// <summary>A statement that has a place: it waits for a worker, runs, or is being read.</summary>
/// <param name="Caller">Whose it is, as in <see cref="Lease.Caller"/>.</param>
/// <param name="Text">What was asked; empty where the server asks for itself.</param>
/// <param name="Tables">What it was let at so far.</param>
/// <param name="System">The connection that it was sent to; null where it runs here.</param>
public sealed record RunningStatement(string Id, string Caller, string Text, DateTimeOffset StartedAt, IReadOnlyList<string> Tables, string? System);

/// <summary>The statements of this process that have not ended, so that somebody can look at them and end them.</summary>
public sealed class RunningStatements
{
    private const int IdBytes = 6;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal); // bounded by the places of all callers

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<RunningStatement> All() => [.. _entries.Values.Select(entry => entry.Show()).OrderBy(statement => statement.StartedAt)];

    public RunningStatement? Find(string id) => _entries.TryGetValue(id, out var entry) ? entry.Show() : null;

    /// <summary>Ends a statement wherever it runs; whoever waits for its answer is told.</summary>
    /// <returns>False: it has ended by itself.</returns>
    public bool Kill(string id)
    {
        if (!_entries.TryGetValue(id, out var entry)) return false;
        entry.Kill();
        return true;
    }

    internal Entry Enter(string caller, string text, DateTimeOffset now)
    {
        var entry = new Entry(this, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)), caller, text, now);
        _entries[entry.Id] = entry;
        return entry;
    }

    /// <summary>Disposing of it is the statement's end.</summary>
    internal sealed class Entry(RunningStatements all, string id, string caller, string text, DateTimeOffset startedAt) : IDisposable
    {
        private readonly CancellationTokenSource _killed = new();
        private readonly Lock _gate = new();
        private IReadOnlyList<string> _tables = []; // under _gate, and below
        private string? _system;
        private bool _isOver;

        public string Id => id;

        public CancellationToken Killed => _killed.Token;

        public void Reads(IReadOnlyList<string> tables, string? system)
        {
            lock (_gate) (_tables, _system) = (tables, system);
        }

        public RunningStatement Show()
        {
            lock (_gate) return new RunningStatement(id, caller, text, startedAt, _tables, _system);
        }

        public void Kill()
        {
            lock (_gate)
            {
                if (!_isOver) _ = _killed.CancelAsync(); // not here: what waits for it would run under the lock
            }
        }

        public void Dispose()
        {
            all._entries.TryRemove(id, out _);
            lock (_gate)
            {
                _isOver = true;
                _killed.Dispose();
            }
        }
    }
}
