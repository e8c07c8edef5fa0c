using System.Threading.Channels;
using Agnes.Engine.Extracts;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Platform.Publications;

/// <summary>Carries what a connector reports to those who look on. The run's outcome is the truth; a report that finds no room is dropped.</summary>
internal sealed class PullProgress : IProgress<ExtractEvent>, IAsyncDisposable
{
    private const int WaitingMax = 4096;
    private readonly Channel<ExtractEvent> _events = Channel.CreateBounded<ExtractEvent>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private readonly HashSet<string> _logged = new(StringComparer.Ordinal); // what a connector warns of; it keeps these itself
    private readonly JobContext _job;
    private readonly Task _carrying;

    public PullProgress(JobContext job, CancellationToken cancellation)
    {
        _job = job;
        _carrying = CarryAsync(cancellation);
    }

    /// <summary>Tables whose end was reported already. To be asked after <see cref="DisposeAsync"/>.</summary>
    public IReadOnlySet<string> Ended => _ended;

    /// <summary>What stands in the run's log already. To be asked after <see cref="DisposeAsync"/>.</summary>
    public IReadOnlySet<string> Logged => _logged;

    public void Report(ExtractEvent value) => _events.Writer.TryWrite(value);

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        await _carrying;
    }

    private async Task CarryAsync(CancellationToken cancellation)
    {
        await foreach (var happened in _events.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (cancellation.IsCancellationRequested) continue;
            switch (happened)
            {
                case { Kind: "table_started", Table: { } table }:
                    await _job.TableStartedAsync(table, CancellationToken.None);
                    break;
                case { Kind: "table_progress", Table: { } table }:
                    _job.TableProgress(table, happened.Rows, happened.Bytes, happened.Phase);
                    break;
                case { Kind: "table_done", Table: { } table }:
                    await _job.TableDoneAsync(table, "ok", happened.Rows, happened.Bytes, CancellationToken.None);
                    _ended.Add(table);
                    break;
                case { Kind: "table_failed", Table: { } table }:
                    await _job.TableFailedAsync(table, happened.Message ?? "failed", CancellationToken.None);
                    _ended.Add(table);
                    break;
                case { Message: { } message }:
                    var line = happened.Table is { } about ? $"{about}: {message}" : message;
                    if (_logged.Add(line)) await _job.LogAsync(line, CancellationToken.None);
                    break;
            }
        }
    }
}
