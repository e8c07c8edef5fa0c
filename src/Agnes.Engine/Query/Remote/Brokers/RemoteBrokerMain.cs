using System.Collections.Concurrent;
using System.IO.Pipelines;
using Agnes.Engine.Outbound;

namespace Agnes.Engine.Query.Remote.Brokers;

/// <summary>
/// The body of <c>agnes-server remote-broker</c>: one connection to another system, several questions at once, and an end when its input
/// closes. It writes in its own folder and nowhere else.
/// </summary>
public static class RemoteBrokerMain
{
    /// <summary>For questions that are under way to end at the source, once nobody is left who asked them.</summary>
    private static readonly TimeSpan EndWait = TimeSpan.FromSeconds(3);

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<RemoteEngine> engines, Stream input, Stream output, CancellationToken cancellation)
    {
        var reader = PipeReader.Create(input);
        if (await BrokerLines.ReadAsync(reader, BrokerJson.Default.BrokerStart, cancellation) is not { } start) return 1;
        using var sending = new SemaphoreSlim(1);
        Task SayAsync(BrokerReply reply) => BrokerLines.SendAsync(output, sending, reply, BrokerJson.Default.BrokerReply);

        IRemoteTables system;
        try
        {
            system = Opened(engines, start);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            await SayAsync(new BrokerReply(0, Fault: FaultOf(failure, start.Connection)));
            return 1;
        }

        await SayAsync(new BrokerReply(0));
        await ServeAsync(reader, system, start.Connection, SayAsync, cancellation);
        if (system is IAsyncDisposable asynchronous) await asynchronous.DisposeAsync().AsTask().WaitAsync(EndWait, CancellationToken.None);
        else (system as IDisposable)?.Dispose();
        return 0;
    }

    private static IRemoteTables Opened(IReadOnlyList<RemoteEngine> engines, BrokerStart start)
    {
        var engine = engines.FirstOrDefault(engine => engine.Kind == start.Kind)
            ?? throw new RemoteException(RemoteFault.System, $"This server cannot ask a source of kind '{start.Kind}'.");
        return engine.Open(new RemoteOpening(start.Connection, start.Options, new OutboundGuard(start.AllowedPrivateHosts)));
    }

    private static async Task ServeAsync(
        PipeReader reader, IRemoteTables system, string connection, Func<BrokerReply, Task> say, CancellationToken cancellation)
    {
        var calls = new ConcurrentDictionary<long, Call>();
        while (await BrokerLines.ReadAsync(reader, BrokerJson.Default.BrokerCall, cancellation) is { } call)
        {
            if (call.Operation == BrokerOperation.Cancel)
            {
                if (calls.TryGetValue(call.Number, out var known)) await known.CancelAsync();
                continue;
            }

            var stop = new CancellationTokenSource();
            var running = new Call(stop, call.Question is { IsAskedAgain: true });
            calls[call.Number] = running;
            running.Done = Task.Run(
                async () =>
                {
                    var reply = await AnsweredAsync(system, connection, call, stop.Token);
                    if (calls.TryRemove(call.Number, out _)) stop.Dispose();
                    await say(reply);
                },
                CancellationToken.None);
        }

        // What will be asked again goes on at the source: it is paid for.
        List<Call> ended = [.. calls.Values.Where(one => !one.IsAskedAgain)];
        foreach (var one in ended) await one.CancelAsync();
        await Task.WhenAny(Task.WhenAll(ended.Select(one => one.Done)), Task.Delay(EndWait, CancellationToken.None));
    }

    private static async Task<BrokerReply> AnsweredAsync(IRemoteTables system, string connection, BrokerCall call, CancellationToken stop)
    {
        try
        {
            switch (call.Operation)
            {
                case BrokerOperation.Describe:
                    return new BrokerReply(call.Number, Description: await system.DescribeAsync(call.Relation!, stop));
                case BrokerOperation.Estimate:
                    return new BrokerReply(call.Number, Estimate: await system.EstimateAsync(call.Question!, stop));
                case BrokerOperation.List:
                    return new BrokerReply(call.Number, Relations: await system.ListAsync(call.Listing!, stop));
                default:
                    await system.AnswerAsync(call.Question!, Path.Combine(Directory.GetCurrentDirectory(), call.Folder!), stop);
                    return new BrokerReply(call.Number);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new BrokerReply(call.Number, IsCancelled: true);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return stop.IsCancellationRequested
                ? new BrokerReply(call.Number, IsCancelled: true)
                : new BrokerReply(call.Number, Fault: FaultOf(failure, connection));
        }
    }

    /// <summary>
    /// Texts of drivers hold addresses and passwords: of what nobody put into words, the type alone leaves, by standard error.
    /// </summary>
    private static BrokerFault FaultOf(Exception failure, string connection)
    {
        if (failure is RemoteException known) return BrokerFault.From(known);
        Console.Error.WriteLine(failure.GetType().FullName);
        return new BrokerFault(RemoteFault.System, $"'{connection}' could not be asked. Ask an admin to look at the connection.");
    }

    private sealed class Call(CancellationTokenSource stop, bool isAskedAgain)
    {
        public bool IsAskedAgain => isAskedAgain;

        public Task Done { get; set; } = Task.CompletedTask;

        public async Task CancelAsync()
        {
            try
            {
                await stop.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // It has just been answered.
            }
        }
    }
}
