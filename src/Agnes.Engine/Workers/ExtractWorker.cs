using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;

namespace Agnes.Engine.Workers;

/// <summary>The parent's side: starts a worker, sends its one request, reads its lines.</summary>
internal static class ExtractWorker
{
    private const int LineBytesMax = 64 << 20;

    // It lives for one request: what the runtime learns while it runs never pays.
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal) { ["DOTNET_TieredPGO"] = "0" };

    /// <param name="run">What a run of a connector needs besides; null for the short operations, which say nothing and save nothing.</param>
    public static async Task<WorkerLine> RunAsync(
        WorkerProgram program, string scratch, WorkerRequest request, Reach reach, IProgress<ExtractEvent>? progress, CancellationToken cancellation, ConnectorRun? run = null)
    {
        await using var child = ChildProcess.Start(program, ExtractWorkerMain.Role, scratch, reach, Environment);
        await using var killing = cancellation.Register(child.Kill);
        await using var watch = run is null ? null : new ProgressWatch(child, run.Limits);
        try
        {
            await SayAsync(child, JsonSerializer.SerializeToUtf8Bytes(request, WorkerJson.Default.WorkerRequest), cancellation);
        }
        catch (IOException)
        {
            // It ended before reading; its exit code and errors say why, below.
        }
        var result = await ReadAsync(child, progress, run, watch, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (result is { Error: { } error }) throw new WorkerFailedException(error);
        if (result is null && watch?.Reason is { } reason) throw new WorkerFailedException(reason);
        return result ?? throw await DescribeAsync(child, cancellation);
    }

    private static async Task SayAsync(ChildProcess child, ReadOnlyMemory<byte> line, CancellationToken cancellation)
    {
        await child.Input.WriteAsync(line, cancellation);
        await child.Input.WriteAsync("\n"u8.ToArray(), cancellation);
        await child.Input.FlushAsync(cancellation);
    }

    private static async Task<WorkerLine?> ReadAsync(ChildProcess child, IProgress<ExtractEvent>? progress, ConnectorRun? run, ProgressWatch? watch, CancellationToken cancellation)
    {
        var reader = PipeReader.Create(child.Output);
        WorkerLine? result = null;
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            watch?.Heard();
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = LineOf(buffer.Slice(0, end));
                if (line?.Event is { } happened) progress?.Report(happened);
                else if (line?.Checkpoint is { } sent) await SaveAsync(child, run, sent, cancellation);
                else if (line?.Program is { } wanted) await RunProgramAsync(child, run, watch, wanted, cancellation);
                else result = line;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }
            if (buffer.Length > LineBytesMax) throw new WorkerFailedException($"The extract worker sent a line of more than {LineBytesMax >> 20} MiB.");
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) return result;
        }
    }

    /// <summary>Meanwhile the worker has nothing to do, and says nothing; the program is watched by itself.</summary>
    private static async Task RunProgramAsync(ChildProcess child, ConnectorRun? run, ProgressWatch? watch, ProgramRequest wanted, CancellationToken cancellation)
    {
        if (run?.Program is not { } program) throw new WorkerFailedException("The extract worker asked for a program, and its source has none.");
        ProgramOutcome outcome;
        using (watch?.Pause()) outcome = await program(wanted, cancellation);
        await SayAsync(child, JsonSerializer.SerializeToUtf8Bytes(new WorkerAnswer(Program: outcome), WorkerJson.Default.WorkerAnswer), cancellation);
    }

    private static WorkerLine? LineOf(ReadOnlySequence<byte> line)
    {
        var json = new Utf8JsonReader(line);
        return JsonSerializer.Deserialize(ref json, WorkerJson.Default.WorkerLine);
    }

    /// <summary>The child goes on when it is told that its checkpoint is stored; where it is not, it is not told, and ends with the run.</summary>
    private static async Task SaveAsync(ChildProcess child, ConnectorRun? run, SentCheckpoint sent, CancellationToken cancellation)
    {
        if (run is null) throw new WorkerFailedException("The extract worker sent a checkpoint that nobody asked for.");
        await run.Save(sent.Checkpoint, cancellation);
        try
        {
            await SayAsync(child, JsonSerializer.SerializeToUtf8Bytes(new WorkerAnswer(sent.Number), WorkerJson.Default.WorkerAnswer), cancellation);
        }
        catch (IOException)
        {
            // It has ended meanwhile; the checkpoint is stored all the same.
        }
    }

    private static async Task<WorkerFailedException> DescribeAsync(ChildProcess child, CancellationToken cancellation)
    {
        var code = await child.Exited.WaitAsync(TimeSpan.FromSeconds(5), cancellation);
        var errors = child.ErrorTail.Trim();
        var why = code == 137 ? " It was killed, most likely because memory ran out." : "";
        var message = $"The extract worker ended with code {code} before it had a result.{why}{(errors.Length > 0 ? $" It said: {errors}" : "")}";
        return code > 128 ? new WorkerCrashedException(message, code) : new WorkerFailedException(message);
    }
}

/// <summary>What the parent does for a run of a connector.</summary>
/// <param name="Save">Stores a checkpoint; when it returns, it is durable.</param>
/// <param name="Program">Runs the operator's program; null where the source has none.</param>
internal sealed record ConnectorRun(
    ExtractLimits Limits, Func<ExtractCheckpoint, CancellationToken, Task> Save, Func<ProgramRequest, CancellationToken, Task<ProgramOutcome>>? Program = null);
