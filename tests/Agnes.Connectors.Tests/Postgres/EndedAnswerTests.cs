using System.Diagnostics;
using Agnes.Engine.Query.Remote;
using Agnes.Testing;

namespace Agnes.Connectors.Tests.Postgres;

/// <summary>An answer of a thousand million rows ends where nobody wants more of it, and nobody waits for the rest.</summary>
public sealed class EndedAnswerTests(Shelf shelf) : IClassFixture<Shelf>, IAsyncLifetime
{
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(5);
    private static readonly SemaphoreSlim Once = new(1);
    private static bool _isFilled;

    public async ValueTask InitializeAsync()
    {
        await Once.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_isFilled) return;
            await shelf.ExecuteAsync("CREATE TABLE seeds AS SELECT i AS id FROM generate_series(1::bigint, 1000) t(i)");
            await shelf.ExecuteAsync("CREATE VIEW many AS SELECT a.id * b.id + c.id AS id FROM seeds a, seeds b, seeds c");
            await shelf.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {shelf.Role}");
            _isFilled = true;
        }
        finally
        {
            Once.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_that_is_too_large_is_not_read_to_its_end()
    {
        var clock = Stopwatch.StartNew();
        var failure = await Should.ThrowAsync<RemoteException>(() => AnswerAsync(1 << 20, CancellationToken.None));
        failure.IsTooLarge.ShouldBeTrue(failure.Message);
        await EndedAsync(clock);
    }

    [Fact]
    public async Task One_whose_asker_leaves_is_not_read_to_its_end()
    {
        using var leaving = new CancellationTokenSource();
        var asked = AnswerAsync(1L << 40, leaving.Token);
        while (!asked.IsCompleted && !Directory.EnumerateFiles(shelf.Folder, "*.parquet", SearchOption.AllDirectories).Any())
            await Task.Delay(20); // until rows are under way
        var clock = Stopwatch.StartNew();
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => asked);
        await EndedAsync(clock);
    }

    private async Task EndedAsync(Stopwatch clock)
    {
        var running = await shelf.ScalarAsync(
            $"SELECT count(*) FROM pg_stat_activity WHERE usename = '{shelf.Role}' AND state <> 'idle'");
        running.ShouldBe(0L);
        clock.Elapsed.ShouldBeLessThan(MachineLoad.Allow(EndMax));
    }

    private Task AnswerAsync(long bytesMax, CancellationToken stop)
    {
        var question = new RemoteQuestion("SELECT id FROM many", [new RemoteTable("many", "\"public\".\"many\"")], long.MaxValue, bytesMax);
        return shelf.Tables.AnswerAsync(question, Path.Combine(shelf.Folder, $"{Guid.NewGuid():N}"), stop);
    }
}
