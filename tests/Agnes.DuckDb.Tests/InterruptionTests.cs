using System.Diagnostics;
using DuckDB.NET.Data;
using Shouldly;
using Xunit;

namespace Agnes.DuckDb.Tests;

public sealed class InterruptionTests
{
    private const string Endless = "select sum(a.range * b.range) from range(1000000) a, range(1000000) b";
    private const int PatienceMs = 10_000;

    [Fact]
    public async Task A_cancelled_statement_ends_as_a_cancelled_operation_and_the_connection_goes_on()
    {
        using var memory = new Memory();
        await using var command = new DuckDBCommand(Endless, memory.Connection);
        foreach (var afterMs in (int[])[0, 1, 20, 100])
        {
            using var cancellation = new CancellationTokenSource(afterMs);
            var watch = Stopwatch.StartNew();
            await Should.ThrowAsync<OperationCanceledException>(() => command.ExecuteScalarAsync(cancellation.Token));
            watch.ElapsedMilliseconds.ShouldBeLessThan(PatienceMs);
            memory.Scalar("select 1").ShouldBe(1);
        }
    }

    [Fact]
    public void The_time_limit_ends_a_statement_with_an_interrupt_error()
    {
        using var memory = new Memory();
        using var command = new DuckDBCommand(Endless, memory.Connection) { CommandTimeout = 1 };
        var error = Should.Throw<DuckDBException>(() => command.ExecuteScalar());
        error.ErrorType.ShouldBe(DuckDBErrorType.Interrupt);
        error.InnerException.ShouldBeOfType<TimeoutException>();
        error.Message.ShouldContain("1 s");
        error.IsFatal.ShouldBeFalse();
        memory.Scalar("select 1").ShouldBe(1);
    }

    [Fact]
    public async Task Interrupt_from_another_thread_is_an_interrupt_error()
    {
        using var memory = new Memory();
        var running = Task.Run(() => memory.Scalar(Endless), TestContext.Current.CancellationToken);
        var watch = Stopwatch.StartNew();
        while (!running.IsCompleted && watch.ElapsedMilliseconds < PatienceMs)
        {
            memory.Connection.Interrupt();
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        (await Should.ThrowAsync<DuckDBException>(() => running)).ErrorType.ShouldBe(DuckDBErrorType.Interrupt);
    }

    [Fact]
    public async Task A_stream_is_cancelled_while_it_is_read()
    {
        using var memory = new Memory();
        using var cancellation = new CancellationTokenSource();
        await using var command = new DuckDBCommand("select a.range from range(100000000) a", memory.Connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation.Token);
        (await reader.ReadAsync(cancellation.Token)).ShouldBeTrue();
        await cancellation.CancelAsync();
        Should.Throw<OperationCanceledException>(() =>
        {
            while (reader.Read()) reader.GetInt64(0);
        });
        memory.Scalar("select 1").ShouldBe(1);
    }

    [Fact]
    public async Task The_statement_after_a_cancelled_or_finished_one_is_never_hit()
    {
        using var memory = new Memory();
        await using var command = new DuckDBCommand("select count(*) from range(20000)", memory.Connection);
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            using var cancellation = new CancellationTokenSource();
            cancellation.CancelAfter(TimeSpan.FromMicroseconds(random.Next(1_500)));
            try
            {
                await command.ExecuteScalarAsync(cancellation.Token);
            }
            catch (OperationCanceledException)
            {
                cancellation.IsCancellationRequested.ShouldBeTrue();
            }

            memory.Scalar("select 1").ShouldBe(1);
        }
    }

    [Fact]
    public async Task Progress_is_told_while_a_statement_runs()
    {
        using var memory = new Memory();
        memory.Run("set enable_progress_bar=true; set enable_progress_bar_print=false; set progress_bar_time=0; create table t as select range as x from range(200000)");
        using var cancellation = new CancellationTokenSource();
        await using var command = new DuckDBCommand("select count(*) from t a, t b where (a.x * b.x) % 7 = 1", memory.Connection);
        var running = command.ExecuteScalarAsync(cancellation.Token);
        DuckDBProgress progress = default;
        var watch = Stopwatch.StartNew();
        while (progress.Percentage is null && watch.ElapsedMilliseconds < PatienceMs)
        {
            progress = memory.Connection.Progress();
            await Task.Delay(5, CancellationToken.None);
        }

        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        progress.Percentage.ShouldNotBeNull();
    }

    [Fact]
    public void Interrupting_a_closed_connection_does_nothing()
    {
        var connection = new DuckDBConnection();
        connection.Interrupt();
        connection.Open();
        connection.Dispose();
        connection.Interrupt();
        connection.Progress().Percentage.ShouldBeNull();
    }
}
