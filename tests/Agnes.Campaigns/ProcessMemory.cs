using System.Collections.Concurrent;
using System.Globalization;

namespace Agnes.Campaigns;

/// <summary>
/// The most resident memory that each kind of process had, as the kernel counts it (<c>VmHWM</c>): looked at again and again, since what is
/// known of a process ends with it.
/// </summary>
internal sealed class ProcessMemory : IAsyncDisposable
{
    private const int FindEvery = 5; // looks
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly ConcurrentDictionary<int, string> _watched = new(); // as many as one round starts
    private readonly ConcurrentDictionary<string, long> _peaks = new(StringComparer.Ordinal); // a kind each
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _watching;

    /// <param name="children">Finds what the watched processes start by themselves: a kind, and who is of it now.</param>
    public ProcessMemory(params (string Kind, Func<IEnumerable<int>> Find)[] children) => _watching = Task.Run(() => WatchAsync(children));

    /// <summary>In bytes, by the kind.</summary>
    public IReadOnlyDictionary<string, long> Peaks => _peaks;

    public void Watch(string kind, int process) => _watched[process] = kind;

    /// <summary>Of a process that is there; 0 of one that is not.</summary>
    public static long PeakBytes(int process)
    {
        try
        {
            return PeakBytes(File.ReadAllText($"/proc/{process}/status"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0; // it has just ended, or is nobody's business
        }
    }

    /// <param name="status">The text of <c>/proc/PID/status</c>.</param>
    public static long PeakBytes(string status)
    {
        const string mark = "VmHWM:";
        var at = status.IndexOf(mark, StringComparison.Ordinal);
        if (at < 0) return 0;
        var kibibytes = status[(at + mark.Length)..status.IndexOf("kB", at, StringComparison.Ordinal)];
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) << 10;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _watching;
        _ended.Dispose();
    }

    private async Task WatchAsync((string Kind, Func<IEnumerable<int>> Find)[] children)
    {
        for (var look = 0; !_ended.IsCancellationRequested; look++)
        {
            if (look % FindEvery == 0)
            {
                foreach (var (kind, find) in children)
                    foreach (var child in find()) _watched[child] = kind;
            }

            foreach (var (process, kind) in _watched)
            {
                if (PeakBytes(process) is > 0 and var bytes) _peaks.AddOrUpdate(kind, bytes, (_, known) => Math.Max(known, bytes));
                else _watched.TryRemove(process, out _);
            }

            await Task.WhenAny(Task.Delay(LookEvery, _ended.Token));
        }
    }
}
