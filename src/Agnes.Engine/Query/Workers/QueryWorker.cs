using System.IO.Pipelines;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;
using Agnes.Sql;

namespace Agnes.Engine.Query.Workers;

/// <summary>The worker has gone in the middle of a statement.</summary>
internal sealed class WorkerLostException(Exception inner) : Exception("The query worker has ended.", inner);

/// <summary>What came of parsing: one of the two.</summary>
internal sealed record ParseReply(ParsedStatement? Parsed, RunFailed? Failed);

/// <summary>What came of a run.</summary>
internal sealed record WorkerReply(StatementStatus Status, string? Message, long Rows, bool Truncated, long ProcessorMicroseconds);

/// <summary>The server's end of one worker process. Serves one statement at a time; only <see cref="InterruptAsync"/>, <see cref="Kill"/> and the watch come from beside.</summary>
internal sealed class QueryWorker : IAsyncDisposable
{
    private const int ExitedBySignal9 = 137;
    private const int NiceOfLong = 2;
    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ExitWait = TimeSpan.FromSeconds(5);

    /// <summary>The little that makes a small process of the runtime.</summary>
    private static readonly Dictionary<string, string> RuntimeSettings = new(StringComparer.Ordinal)
    {
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TieredPGO"] = "0",
    };

    private readonly ChildProcess _process;
    private readonly ScratchFolder _scratch;
    private readonly FrameStream _frames;
    private readonly FrameWriter _frame = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly LinkedList<string> _footprints = new();
    private readonly long _residentMax;
    private int _number;
    private volatile bool _killed;
    private volatile bool _outOfMemory;

    private QueryWorker(ChildProcess process, ScratchFolder scratch, bool isShort, long memoryBytes)
    {
        _process = process;
        _scratch = scratch;
        _residentMax = memoryBytes + memoryBytes / 4;
        _frames = new FrameStream(process.Output);
        IsShort = isShort;
    }

    /// <summary>Kept for short statements.</summary>
    public bool IsShort { get; }

    /// <summary>Whose it is while it is rented. The pool's own.</summary>
    public string Holder { get; set; } = "";

    public int ProcessId => _process.Id;

    /// <summary>Used so far, over all statements.</summary>
    public TimeSpan ProcessorTime => _process.ProcessorTime();

    /// <summary>Not to be used again.</summary>
    public bool IsLost => _killed || _process.Exited.IsCompleted;

    /// <summary>It was ended because it took too much memory, by the watch or by the system.</summary>
    public bool WasOutOfMemory => _outOfMemory;

    /// <param name="fetched">The folder of files that live for one statement.</param>
    public static async Task<QueryWorker> StartAsync(WorkerPoolOptions options, string fetched, bool isShort, CancellationToken cancellation)
    {
        var memory = isShort ? options.ShortMemoryBytes : options.MemoryBytes;
        var scratch = options.Scratch.NewFolder(WorkerPoolOptions.Role);
        QueryWorker? worker = null;
        try
        {
            worker = new QueryWorker(ChildProcess.Start(options.Program, WorkerPoolOptions.Role, scratch.Path, new Reach([options.Parts, fetched], []), RuntimeSettings), scratch, isShort, memory);
            var share = new WorkerShare(memory, options.Threads, Path.Combine(scratch.Path, "spill"), options.TempBytes, isShort ? 0 : NiceOfLong);
            await worker.SendAsync(share.Write);
            var (kind, _) = await worker._frames.ReadHeaderAsync().AsTask().WaitAsync(StartWait, cancellation);
            return kind == FrameKind.Ready ? worker : throw new InvalidDataException("The query worker did not say that it is ready.");
        }
        catch (EndOfStreamException e)
        {
            await worker!.DisposeAsync();
            throw new IOException($"The query worker ended at its start: {worker._process.ErrorTail}", e);
        }
        catch
        {
            if (worker is not null) await worker.DisposeAsync();
            else scratch.Dispose();
            throw;
        }
    }

    /// <summary>Whether the worker has that sandbox at hand. Mirrors the order in which <see cref="SandboxCache"/> forgets.</summary>
    public bool IsWarmFor(string footprint) => _footprints.Contains(footprint);

    /// <exception cref="WorkerLostException"/>
    public Task<ParseReply> ParseAsync(string sql) => AskAsync(FrameKind.Parse, sql);

    /// <summary>
    /// The statement as the engine writes it, in <see cref="ParsedStatement.Rewritten"/>; null where that would be another.
    /// </summary>
    /// <exception cref="WorkerLostException"/>
    public Task<ParseReply> RewriteAsync(string sql) => AskAsync(FrameKind.Rewrite, sql);

    private async Task<ParseReply> AskAsync(FrameKind what, string sql)
    {
        try
        {
            await SendAsync(frame => frame.Start(what).Text(sql).End());
            var (kind, length) = await _frames.ReadHeaderAsync();
            var payload = await _frames.ReadPayloadAsync(length);
            return kind switch
            {
                FrameKind.Parsed => new ParseReply(ParsedFrame.Read(payload), null),
                FrameKind.Failed => new ParseReply(null, RunFailed.Read(payload)),
                _ => throw new InvalidDataException("The query worker answered something else."),
            };
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw await LostAsync(e);
        }
    }

    /// <summary>Runs a statement and copies its body on, as far as the reader keeps up.</summary>
    /// <param name="spill">Gets what the reader does not take in time.</param>
    /// <param name="outputStop">When it fires, or the output closes, the rest of the body is thrown away.</param>
    /// <param name="verify">See <see cref="BodyCopy"/>.</param>
    /// <exception cref="WorkerLostException"/>
    /// <exception cref="PartDamagedException">The worker itself is fine.</exception>
    public async Task<WorkerReply> RunAsync(
        RunRequest request, PipeWriter output, BodyProgress progress, ResultSpill spill, Action verify, TimeProvider time, CancellationToken outputStop)
    {
        if (!request.OwnSandbox) Remember(request.FootprintKey);
        try
        {
            await SendAsync((request with { Number = ++_number, File = request.File.Length == 0 ? "" : ResultPath }).Write);
            var reply = await new BodyCopy(_frames, output, progress, spill, verify, time, outputStop).RunAsync();
            if (request.File.Length > 0) TakeResult(request.File, reply.Status == StatementStatus.Ok);
            return reply;
        }
        catch (Exception e) when (e is IOException and not PartDamagedException or InvalidDataException)
        {
            throw await LostAsync(e);
        }
    }

    /// <summary>Asks the worker to end the statement that runs.</summary>
    public async Task InterruptAsync()
    {
        try
        {
            await SendAsync(frame => frame.Start(FrameKind.Interrupt).Int(_number).End());
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            Kill(); // it has ended by itself; whoever waits for its answer notices as well
        }
    }

    public void Kill()
    {
        _killed = true;
        _process.Kill();
    }

    /// <summary>The watch: ends a worker that takes more than its share.</summary>
    /// <returns>Whether it has taken so much that it is worth looking again soon.</returns>
    public bool CheckMemory()
    {
        if (_killed) return false;
        var resident = _process.ResidentBytes();
        if (resident <= _residentMax) return resident > _residentMax / 2;
        _outOfMemory = true;
        Kill();
        return false;
    }

    /// <summary>Whether it has kept so much that the next statement would suffer.</summary>
    public bool IsBloated() => _process.ResidentBytes() > _residentMax * 4 / 5;

    public async ValueTask DisposeAsync()
    {
        _killed = true;
        await _process.DisposeAsync();
        _sending.Dispose();
        _scratch.Dispose();
    }

    /// <summary>The worker can write in its own folder only; a result that is whole is taken from there.</summary>
    private string ResultPath => Path.Combine(_scratch.Path, "result");

    private void TakeResult(string target, bool isWhole)
    {
        if (isWhole) File.Move(ResultPath, target, overwrite: true);
        else File.Delete(ResultPath);
    }

    private void Remember(string footprint)
    {
        _footprints.Remove(footprint);
        _footprints.AddFirst(footprint);
        if (_footprints.Count > SandboxCache.SandboxesMax) _footprints.RemoveLast();
    }

    private async Task SendAsync(Func<FrameWriter, ReadOnlyMemory<byte>> write)
    {
        await _sending.WaitAsync(CancellationToken.None);
        try
        {
            await _process.Input.WriteAsync(write(_frame), CancellationToken.None);
            await _process.Input.FlushAsync(CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task<WorkerLostException> LostAsync(Exception cause)
    {
        var byUs = _killed;
        Kill();
        var code = await _process.Exited.WaitAsync(ExitWait);
        if (!byUs && code == ExitedBySignal9) _outOfMemory = true; // the kernel takes these processes first
        return new WorkerLostException(cause);
    }
}
