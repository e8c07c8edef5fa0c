using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;

namespace Agnes.Connectors.Events;

/// <summary>The parent's end of a folding child: one request at a time.</summary>
public sealed class EventWorker : IAsyncDisposable
{
    private static readonly TimeSpan AnswerWait = TimeSpan.FromMinutes(5);

    private static readonly Dictionary<string, string> RuntimeSettings = new(StringComparer.Ordinal)
    {
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_GCConserveMemory"] = "5",
    };

    private readonly ChildProcess _process;
    private readonly ScratchFolder _scratch;
    private readonly StreamReader _answers;

    private EventWorker(ChildProcess process, ScratchFolder scratch)
    {
        (_process, _scratch) = (process, scratch);
        _answers = new StreamReader(process.Output);
    }

    public int ProcessId => _process.Id;

    /// <param name="options">What the schema is told.</param>
    /// <param name="root">The folder of the source.</param>
    public static async Task<EventWorker> StartAsync(
        WorkerProgram program, Scratch scratch, Share share, string schema, IReadOnlyDictionary<string, string> options, string journal, string root, string tails,
        CancellationToken cancellation)
    {
        var raw = Directory.CreateDirectory(Path.Combine(root, "raw")).FullName;
        Directory.CreateDirectory(tails);
        var home = scratch.NewFolder(EventWorkerMain.Role);
        EventWorker? worker = null;
        try
        {
            worker = new EventWorker(ChildProcess.Start(program, EventWorkerMain.Role, home.Path, new Reach([journal], [raw, tails]), RuntimeSettings), home);
            var start = new EventWorkerStart(schema, journal, root, tails, Path.Combine(home.Path, "temp"), share, options);
            await worker.SayAsync(JsonSerializer.SerializeToUtf8Bytes(start, EventWorkerJson.Default.EventWorkerStart), cancellation);
            return worker;
        }
        catch
        {
            if (worker is not null) await worker.DisposeAsync();
            else home.Dispose();
            throw;
        }
    }

    /// <exception cref="WorkerFailedException">The child is gone, or took too long; a new one does the same again.</exception>
    public async Task<EventWorkerAnswer> AskAsync(EventWorkerRequest request, CancellationToken cancellation)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(AnswerWait);
        try
        {
            await SayAsync(JsonSerializer.SerializeToUtf8Bytes(request, EventWorkerJson.Default.EventWorkerRequest), time.Token);
            if (await _answers.ReadLineAsync(time.Token) is { } line)
                return JsonSerializer.Deserialize(line, EventWorkerJson.Default.EventWorkerAnswer) ?? throw new WorkerFailedException("The folding process answered nothing.");
        }
        catch (IOException)
        {
            // It has ended; its last words say why, below.
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new WorkerFailedException($"The folding process did not answer within {AnswerWait.TotalMinutes:0} minutes.");
        }

        throw new WorkerFailedException($"The folding process ended. It said: {(await _process.LastWordsAsync()).Trim()}");
    }

    public async ValueTask DisposeAsync()
    {
        _answers.Dispose();
        await _process.DisposeAsync();
        _scratch.Dispose();
    }

    private async Task SayAsync(ReadOnlyMemory<byte> line, CancellationToken cancellation)
    {
        await _process.Input.WriteAsync(line, cancellation);
        await _process.Input.WriteAsync("\n"u8.ToArray(), cancellation);
        await _process.Input.FlushAsync(cancellation);
    }
}
