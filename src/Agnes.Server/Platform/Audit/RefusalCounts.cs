using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Audit;

/// <summary>What was refused to somebody in a minute beyond what was stored singly.</summary>
/// <param name="UserId">Null: a guest.</param>
internal sealed record CountedRefusals(string? UserId, string? Network, DateTime Minute, IReadOnlyDictionary<string, int> Actions)
{
    public int Count => Actions.Values.Sum();

    public JsonObject Describe()
    {
        var actions = new JsonObject();
        foreach (var (action, count) in Actions.OrderBy(pair => pair.Key, StringComparer.Ordinal)) actions[action] = count;
        var what = new JsonObject { ["count"] = Count, ["minute"] = Minute.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture), ["actions"] = actions };
        if (Network is not null) what["network"] = Network;
        return what;
    }
}

/// <summary>
/// Decides what of all that is no control write gets an audit entry of its own: of each person a few refusals a minute and many answers, of guests by their network and
/// all together; the rest are counted. What anybody may cause must not grow with how often they try.
/// </summary>
/// <param name="storedMax">Refusals and notes with entries of their own for one person, or one network of guests, in a minute.</param>
/// <param name="answersMax">The same of what was answered.</param>
internal sealed class RefusalCounts(int storedMax, int answersMax = int.MaxValue)
{
    /// <summary>All guests together get so many times what one network gets.</summary>
    public const int GuestsShares = 20;

    /// <summary>Persons and networks that are told apart in a minute; further networks are counted as one. Persons are as many as admins made.</summary>
    public const int CallersMax = 2_000;
    private const int ActionsMax = 16;
    private const string Others = "others";

    private readonly ConcurrentDictionary<(long Minute, string Who), Window> _windows = new();

    /// <returns>Whether it gets an entry of its own; else it was counted.</returns>
    public bool Stores(AuditOrigin? origin, string? userId, string action, DateTime now, bool isAnswer = false)
    {
        var max = isAnswer ? answersMax : storedMax;
        var minute = now.Ticks / TimeSpan.TicksPerMinute;
        var caller = origin is null ? userId : origin.CallerId; // of a guest's entry the user is whom it is about, not who did it
        var network = caller is null && IPAddress.TryParse(origin?.Address, out var address) ? AddressNetwork.Of(address).ToString() : null;
        while (true)
        {
            var window = Of(minute, caller, network);
            if (window.Add(action, max, isAnswer) is not { } stored) continue; // it was taken to be written just now
            if (!stored) return false;
            if (caller is not null) return true;
            if (_windows.GetOrAdd((minute, ""), static _ => new Window(null, null)).Add(action, (int)Math.Min(int.MaxValue, (long)max * GuestsShares), isAnswer) is { } all) return all;
        }
    }

    /// <summary>The counts of minutes that are over.</summary>
    /// <param name="all">Those of this minute as well.</param>
    public IReadOnlyList<CountedRefusals> Take(DateTime now, bool all)
    {
        var minute = now.Ticks / TimeSpan.TicksPerMinute;
        var taken = new List<CountedRefusals>();
        foreach (var (key, window) in _windows)
        {
            if (!all && key.Minute >= minute) continue;
            var counted = window.Close();
            _windows.TryRemove(new(key, window));
            if (counted.Count > 0) taken.Add(new CountedRefusals(window.UserId, window.Network, new DateTime(key.Minute * TimeSpan.TicksPerMinute, DateTimeKind.Utc), counted));
        }

        return taken;
    }

    private Window Of(long minute, string? caller, string? network)
    {
        var who = caller ?? network ?? "guests";
        if (_windows.TryGetValue((minute, who), out var window)) return window;
        return caller is not null || _windows.Count < CallersMax
            ? _windows.GetOrAdd((minute, who), _ => new Window(caller, network))
            : _windows.GetOrAdd((minute, Others), static _ => new Window(null, Others));
    }

    private sealed class Window(string? userId, string? network)
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, int> _counted = new(StringComparer.Ordinal); // at most ActionsMax, and the others
        private int _refused;
        private int _answered;
        private bool _closed;

        public string? UserId => userId;

        public string? Network => network;

        /// <returns>Whether it is to be stored; null where this window is over.</returns>
        public bool? Add(string action, int max, bool isAnswer)
        {
            lock (_gate)
            {
                if (_closed) return null;
                ref var stored = ref isAnswer ? ref _answered : ref _refused;
                if (stored < max)
                {
                    stored++;
                    return true;
                }

                var key = _counted.ContainsKey(action) || _counted.Count < ActionsMax ? action : Others;
                _counted[key] = _counted.GetValueOrDefault(key) + 1;
                return false;
            }
        }

        public IReadOnlyDictionary<string, int> Close()
        {
            lock (_gate)
            {
                _closed = true;
                return _counted;
            }
        }
    }
}
