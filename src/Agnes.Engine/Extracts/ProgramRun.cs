using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;

namespace Agnes.Engine.Extracts;

/// <summary>Runs a program of the operator's: gives it its request, stores its checkpoints before it goes on, and collects what it says that it brought.</summary>
/// <param name="folder">Its working folder, which is empty; what it writes there is handed over.</param>
internal sealed class ProgramRun(
    ExtractProgram program, WallMode walls, string folder, ExtractLimits limits, IProgress<ExtractEvent> progress, Func<ExtractCheckpoint, CancellationToken, Task> save)
{
    private const int LineBytesMax = 1 << 20;
    private const int LogCharactersMax = 2_000;
    private const int LogLinesMax = 1_000;

    private static readonly string[] OfTheSystem =
        ["/bin", "/usr/bin", "/usr/local/bin", "/usr/libexec", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share"];

    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, HandedTable> _done = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FailedTable> _failed = new(StringComparer.Ordinal);
    private int _logged;

    public async Task<ProgramOutcome> RunAsync(ProgramRequest request, CancellationToken cancellation)
    {
        await using var child = Start(request.Connection ?? "");
        await using var killing = cancellation.Register(child.Kill);
        await using var watch = new ProgressWatch(child, limits);
        var ended = EndAllAsync(child);
        try
        {
            await SayAsync(child, JsonSerializer.SerializeToUtf8Bytes(request, ProgramJson.Default.ProgramRequest), cancellation);
        }
        catch (IOException)
        {
            // It did not want to know; what it says and how it ends tells the rest.
        }

        var error = await ReadAsync(child, request, watch, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (error is not null) child.Kill();
        await ended.WaitAsync(limits.Total, cancellation);
        return new ProgramOutcome([.. _done.Values], [.. _failed.Values], error ?? watch.Reason ?? await FaultAsync(child, cancellation));
    }

    private ChildProcess Start(string connection)
    {
        var reach = new Reach([], [], program.Network) { Runs = [.. OfTheSystem, Path.GetDirectoryName(program.File)!] };
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["AGNES_CONNECTOR_NAME"] = connection,
        };
        return ChildProcess.Start(new WorkerProgram(program.File, []) { Walls = walls }, "extract", folder, reach, environment);
    }

    /// <summary>What it started and left behind ends with it, and would hold its output open.</summary>
    private static async Task EndAllAsync(ChildProcess child)
    {
        await child.Exited;
        child.Kill();
    }

    private static async Task SayAsync(ChildProcess child, ReadOnlyMemory<byte> line, CancellationToken cancellation)
    {
        await child.Input.WriteAsync(line, cancellation);
        await child.Input.WriteAsync("\n"u8.ToArray(), cancellation);
        await child.Input.FlushAsync(cancellation);
    }

    /// <returns>What it did that it must not do, or null.</returns>
    private async Task<string?> ReadAsync(ChildProcess child, ProgramRequest request, ProgressWatch watch, CancellationToken cancellation)
    {
        var reader = PipeReader.Create(child.Output);
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            watch.Heard();
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                if (await TakeAsync(child, request, LineOf(buffer.Slice(0, end)), cancellation) is { } fault) return fault;
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > LineBytesMax) return $"The program wrote a line of more than {LineBytesMax >> 10} KiB.";
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) return null;
        }
    }

    private async Task<string?> TakeAsync(ChildProcess child, ProgramRequest request, ProgramLine line, CancellationToken cancellation)
    {
        var named = line.Checkpoint?.Table ?? line.Progress?.Table ?? line.Done?.Table ?? line.Failed?.Name;
        if (named is not null && request.Tables.All(table => table.Name != named)) return $"The program speaks of a table '{named}' that it was not asked for.";
        switch (line)
        {
            case { Checkpoint: { } checkpoint }:
                if (checkpoint.Value.Length > ExtractWriter.CheckpointCharactersMax) return $"A checkpoint may have {ExtractWriter.CheckpointCharactersMax} characters.";
                await save(checkpoint, cancellation);
                await AnswerAsync(child, cancellation);
                return null;
            case { Progress: { } told }:
                progress.Report(new ExtractEvent("table_progress", told.Table, told.Rows, Phase: told.Phase));
                return null;
            case { Done: { } done }:
                _done[done.Table] = done;
                return null;
            case { Failed: { } failed }:
                _failed[failed.Name] = failed;
                return null;
            case { Log: { Length: > 0 } text } when _logged++ < LogLinesMax:
                progress.Report(new ExtractEvent("log", Message: text.Length > LogCharactersMax ? text[..LogCharactersMax] : text));
                return null;
            default:
                return null;
        }
    }

    private static async Task AnswerAsync(ChildProcess child, CancellationToken cancellation)
    {
        try
        {
            await SayAsync(child, "{\"saved\":true}"u8.ToArray(), cancellation);
        }
        catch (IOException)
        {
            // It has ended meanwhile; the checkpoint is stored all the same.
        }
    }

    private static ProgramLine LineOf(ReadOnlySequence<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref json, ProgramJson.Default.ProgramLine) ?? new ProgramLine();
        }
        catch (JsonException)
        {
            return new ProgramLine(Log: Encoding.UTF8.GetString(line).Trim());
        }
    }

    private static async Task<string?> FaultAsync(ChildProcess child, CancellationToken cancellation)
    {
        var code = await child.Exited.WaitAsync(EndsWithin, cancellation);
        if (code == 0) return null;
        var said = (await child.LastWordsAsync()).Trim();
        return $"The program ended with code {code}.{(said.Length > 0 ? $" It said: {said}" : "")}";
    }
}
