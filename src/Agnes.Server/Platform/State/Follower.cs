using System.Data.Common;
using Agnes.Server.Platform.State.Engines;
using Dapper;
using Npgsql;

namespace Agnes.Server.Platform.State;

/// <summary>Learns of the commits of other processes on the same PostgreSQL: when it is told, and by asking each second.</summary>
internal sealed class Follower : IAsyncDisposable
{
    public static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan ConfirmedFor = TimeSpan.FromSeconds(10);

    /// <summary>An answer that takes longer does not confirm anything.</summary>
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(5);

    private readonly StateStore _store;
    private readonly TimeProvider _time;
    private readonly CurrentSnapshot _current;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private long _confirmedAt;

    public Follower(StateStore store, TimeProvider time, CurrentSnapshot current, ILogger logger)
    {
        (_store, _time, _current, _logger) = (store, time, current, logger);
        _confirmedAt = time.GetTimestamp();
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    public bool IsConfirmed => _time.GetElapsedTime(Interlocked.Read(ref _confirmedAt)) < ConfirmedFor;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await ((PostgresStore)_store).ListenAsync(_stop.Token);
                while (true)
                {
                    await ConfirmAsync(connection);
                    await connection.WaitAsync(PollInterval, _stop.Token);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is DbException or OperationCanceledException or StateUnavailableException or TimeoutException or InvalidOperationException)
            {
                StateLog.NotConfirmed(_logger, error);
                await Task.Delay(PollInterval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the loop's condition sees the end
            }
        }
    }

    private async Task ConfirmAsync(NpgsqlConnection connection)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(AnswerTimeMax);
        var asked = _time.GetTimestamp();
        var version = await connection.ExecuteScalarAsync<long>(new(StateVersion.SelectSql, cancellationToken: limit.Token));
        if (version > _current.Value.Version)
        {
            await using var reader = await _store.ReaderAsync(limit.Token);
            _current.Swap(await SnapshotLoader.LoadAsync(reader.Connection, limit.Token));
        }
        Interlocked.Exchange(ref _confirmedAt, asked);
    }
}
