using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;

namespace Agnes.Engine.Extracts;

/// <summary>The worker ended without a result: it crashed, was killed, or ran out of memory.</summary>
public class WorkerFailedException(string message) : Exception(message);

/// <summary>The worker was ended by a signal.</summary>
public sealed class WorkerCrashedException(string message, int exitCode) : WorkerFailedException(message)
{
    private const int SignalBase = 128;
    private static readonly int[] OwnDoing = [4, 6, 7, 8, 11]; // illegal instruction, abort, bus error, arithmetic, segmentation fault

    /// <summary>True where the process did it to itself; false for a kill from outside, as by the system when memory runs out.</summary>
    public bool IsOwnDoing => OwnDoing.Contains(exitCode - SignalBase);
}

/// <summary>The parent's side: starts a worker, sends its one request, reads its lines.</summary>
internal static class ExtractWorker
{
    public const string Role = "extract-worker";
    private const int LineBytesMax = 64 << 20;

    // It lives for one request: what the runtime learns while it runs never pays.
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal) { ["DOTNET_TieredPGO"] = "0" };

    public static async Task<WorkerLine> RunAsync(WorkerProgram program, string scratch, WorkerRequest request, Reach reach, IProgress<ExtractEvent>? progress, CancellationToken cancellation)
    {
        await using var child = ChildProcess.Start(program, Role, scratch, reach, Environment);
        await using var killing = cancellation.Register(child.Kill);
        try
        {
            await child.Input.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(request, WorkerJson.Default.WorkerRequest), cancellation);
            await child.Input.WriteAsync("\n"u8.ToArray(), cancellation);
            await child.Input.FlushAsync(cancellation);
        }
        catch (IOException)
        {
            // It ended before reading; its exit code and errors say why, below.
        }
        var result = await ReadAsync(child.Output, progress, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (result is { Error: { } error }) throw new WorkerFailedException(error);
        return result ?? throw await DescribeAsync(child, cancellation);
    }

    private static async Task<WorkerLine?> ReadAsync(Stream output, IProgress<ExtractEvent>? progress, CancellationToken cancellation)
    {
        var reader = PipeReader.Create(output);
        WorkerLine? result = null;
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var json = new Utf8JsonReader(buffer.Slice(0, end));
                var line = JsonSerializer.Deserialize(ref json, WorkerJson.Default.WorkerLine);
                if (line?.Event is { } happened) progress?.Report(happened);
                else result = line;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }
            if (buffer.Length > LineBytesMax) throw new WorkerFailedException($"The extract worker sent a line of more than {LineBytesMax >> 20} MiB.");
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) return result;
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
