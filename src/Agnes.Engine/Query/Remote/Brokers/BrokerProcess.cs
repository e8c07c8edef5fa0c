using System.Collections.Concurrent;
using System.IO.Pipelines;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Query.Workers;

namespace Agnes.Engine.Query.Remote.Brokers;

/// <summary>The broker has gone in the middle of a call, or could not be started.</summary>
internal sealed class BrokerLostException(bool wasOutOfMemory, Exception? inner = null) : Exception("The broker has ended.", inner)
{
    public bool WasOutOfMemory => wasOutOfMemory;
}

/// <summary>The server's end of one broker process: calls in any order, and what came of each.</summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    /// <summary>For a call that was told to end: a broker that does not let go of it is ended itself.</summary>
    private static readonly TimeSpan CancelWait = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(50);

    private static readonly Dictionary<string, string> RuntimeSettings = new(StringComparer.Ordinal)
    {
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_GCConserveMemory"] = "7",
    };

    private readonly ChildProcess _process;
    private readonly ScratchFolder _scratch;
    private readonly RemoteBrokerOptions _options;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<long,
        TaskCompletionSource<BrokerReply>> _calls = new(); // as many as the connection has questions
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _reading;
    private readonly Task _watching;
    private long _number;
    private volatile bool _wasOutOfMemory;
    private volatile bool _isLost;

    private BrokerProcess(RemoteBrokerOptions options, TimeProvider time, ChildProcess process, ScratchFolder scratch)
    {
        (_options, _time, _process, _scratch) = (options, time, process, scratch);
        _calls[0] = NewCall();
        _reading = Task.Run(ReadAsync, CancellationToken.None);
        _watching = Task.Run(WatchAsync, CancellationToken.None);
    }

    public int ProcessId => _process.Id;

    public bool IsLost => _isLost || _process.Exited.IsCompleted;

    /// <exception cref="RemoteException">The connection cannot be opened as it is set.</exception>
    /// <exception cref="BrokerLostException"/>
    public static async Task<BrokerProcess> StartAsync(
        RemoteBrokerOptions options, BrokerStart start, TimeProvider time, CancellationToken cancellation)
    {
        var scratch = options.Scratch.NewFolder(RemoteBrokerOptions.Role);
        BrokerProcess? broker = null;
        try
        {
            // What it may open is what lies in its own folder, and what it was given to read; whom it may connect to, its guard says.
            var child = ChildProcess.Start(
                options.Program, RemoteBrokerOptions.Role, scratch.Path, new Reach(start.Reads, [], Network: true), RuntimeSettings);
            broker = new BrokerProcess(options, time, child, scratch);
            var opened = broker._calls[0];
            await broker.SendAsync(start);
            var reply = await opened.Task.WaitAsync(StartWait, time, cancellation);
            return reply.Fault is { } fault ? throw fault.ToException() : broker;
        }
        catch (Exception failure)
        {
            if (broker is null) scratch.Dispose();
            else await broker.DisposeAsync();
            if (failure is TimeoutException) throw new BrokerLostException(wasOutOfMemory: false, failure);
            throw;
        }
    }

    /// <summary>Makes a call; where its token fires, it has ended at the source too when this returns, or the broker has.</summary>
    /// <exception cref="RemoteException"/>
    /// <exception cref="BrokerLostException"/>
    public async Task<BrokerReply> AskAsync(BrokerCall call, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested(); // what was never sent needs no end there, and gets no answer to wait for
        var number = Interlocked.Increment(ref _number);
        var waiting = _calls[number] = NewCall();
        if (IsLost) LoseCalls(null); // it ended before it knew of this one
        try
        {
            await SendAsync(call with { Number = number });
            var reply = await waiting.Task.WaitAsync(cancellation);
            if (reply.IsCancelled) throw new BrokerLostException(_wasOutOfMemory); // it is ending, and nobody here asked for that
            return reply.Fault is { } fault ? throw fault.ToException() : reply;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await CancelAsync(number, waiting.Task);
            throw;
        }
        finally
        {
            _calls.TryRemove(number, out _);
        }
    }

    /// <summary>The answer lies in the broker's folder, where alone it can write; what is whole is taken from there.</summary>
    public void Take(string name, string folder) => Directory.Move(Path.Combine(_scratch.Path, name), folder);

    /// <summary>Of an answer that nobody waits for any more: it can have become whole in the same moment.</summary>
    public void Discard(string name)
    {
        var left = Path.Combine(_scratch.Path, name);
        if (Directory.Exists(left)) Directory.Delete(left, recursive: true);
    }

    public async ValueTask DisposeAsync()
    {
        _isLost = true;
        try
        {
            await _process.Input.DisposeAsync(); // asks it to end, and its questions with it
            await _process.Exited.WaitAsync(EndWait, _time, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            _process.Kill();
        }

        await _ended.CancelAsync();
        await _process.DisposeAsync();
        await Task.WhenAll(_reading, _watching);
        _ended.Dispose();
        _sending.Dispose();
        _scratch.Dispose();
    }

    private static TaskCompletionSource<BrokerReply> NewCall() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task CancelAsync(long number, Task<BrokerReply> ending)
    {
        try
        {
            await SendAsync(new BrokerCall(number, BrokerOperation.Cancel));
            await ending.WaitAsync(CancelWait, _time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            Kill(); // it hangs; others that it serves are told that it has ended
        }
        catch (BrokerLostException)
        {
            // It ended, and the call with it.
        }
    }

    private async Task SendAsync(BrokerStart start)
    {
        try
        {
            await BrokerLines.SendAsync(_process.Input, _sending, start, BrokerJson.Default.BrokerStart);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new BrokerLostException(_wasOutOfMemory, e);
        }
    }

    private async Task SendAsync(BrokerCall call)
    {
        try
        {
            await BrokerLines.SendAsync(_process.Input, _sending, call, BrokerJson.Default.BrokerCall);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new BrokerLostException(_wasOutOfMemory, e);
        }
    }

    private async Task ReadAsync()
    {
        Exception? why = null;
        try
        {
            var reader = PipeReader.Create(_process.Output);
            while (await BrokerLines.ReadAsync(reader, BrokerJson.Default.BrokerReply, CancellationToken.None) is { } reply)
                if (_calls.TryGetValue(reply.Number, out var call)) call.TrySetResult(reply);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            why = e;
        }

        Kill();
        LoseCalls(why);
    }

    private void LoseCalls(Exception? why)
    {
        foreach (var call in _calls.Values) call.TrySetException(new BrokerLostException(_wasOutOfMemory, why));
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(WatchEvery, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token))
            {
                if (_isLost || _process.ResidentBytes() <= _options.MemoryBytes) continue;
                _wasOutOfMemory = true;
                Kill();
            }
        }
        catch (OperationCanceledException)
        {
            // It is being disposed of.
        }
    }

    private void Kill()
    {
        _isLost = true;
        _process.Kill();
    }
}
