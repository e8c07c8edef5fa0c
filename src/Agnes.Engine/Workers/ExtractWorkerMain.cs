using System.Collections.Concurrent;
using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using DuckDB.NET.Data;

namespace Agnes.Engine.Workers;

/// <summary>The child's side: <c>agnes-server extract-worker</c>. One request, one process.</summary>
public static class ExtractWorkerMain
{
    public const string Role = "extract-worker";
    private const int RequestBytesMax = 256 << 20;
    private const int AnswerBytesMax = 16 << 20;

    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<Connector> connectors, Stream input, Stream output, CancellationToken cancellation)
    {
        var request = await ReadRequestAsync(input, cancellation);
        Action? parentGone = null;
        using var lines = new LineWriter(output);
        ChildProcess.EndWithParent(input, () => parentGone?.Invoke(), lines.Hear);
        try
        {
            var line = request.Op switch
            {
                "extract" => await ExtractAsync(request, connectors, lines, cancellation),
                "preview" => await PreviewAsync(request, connectors, cancellation),
                "check" => new WorkerLine(Check: await Named(connectors, request.Extract!.Connector).CheckAsync(request.Extract, cancellation)),
                "forecast" => await ForecastAsync(request, connectors, cancellation),
                "prepare" => new WorkerLine(Publication: await PrepareAsync(request, request.Source!, request.Known!, action => parentGone = action, cancellation)),
                "analytics" => await AnalyticsAsync(request, cancellation),
                "consolidate" => await ConsolidateAsync(request, cancellation),
                _ => new WorkerLine(Error: $"Unknown request '{request.Op}'."),
            };
            lines.Write(line);
            return line.Error is null ? 0 : 1;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            lines.Write(new WorkerLine(Error: e is WorkerFailedException ? e.Message : Wording.Of(e, request.DataFolder)));
            await Console.Error.WriteLineAsync(e.ToString());
            return 1;
        }
    }

    private static async Task<WorkerLine> ExtractAsync(WorkerRequest request, IReadOnlyList<Connector> connectors, LineWriter lines, CancellationToken cancellation)
    {
        var run = request.Extract!;
        var connector = Named(connectors, run.Connector);
        var folder = new DataFolder(request.DataFolder);
        ExtractCommit done;
        await using (var writer = await ExtractWriter.OpenAsync(folder, run, request.Share, Temp(), connector.Readable(folder, run), TimeProvider.System, cancellation, lines.SaveAsync))
        {
            writer.Running = lines.RunProgramAsync;
            writer.Judging = (table, stop) => ContractOfExtract.RefusalAsync(writer, request.Known ?? [], table, stop);
            await connector.RunAsync(run, writer, lines, cancellation);
            done = await writer.CommitAsync(cancellation);
            foreach (var refused in done.Failed.Where(failed => failed.Drift is not null)) // its connector has said that it is done
                lines.Report(new ExtractEvent("table_failed", refused.Name, Message: refused.Error));
        }
        var prepared = request.Known is null ? null : await PrepareAsync(request, run.Source, request.Known, _ => { }, cancellation);
        return new WorkerLine(Outcome: new ExtractOutcome(done.Ok, done.Failed, done.Warnings, prepared));
    }

    private static async Task<WorkerLine> PreviewAsync(WorkerRequest request, IReadOnlyList<Connector> connectors, CancellationToken cancellation)
    {
        var run = request.Extract!;
        var (connector, folder, temp) = (Named(connectors, run.Connector), new DataFolder(request.DataFolder), Temp());
        await using var connection = WorkerDatabase.Open(request.Share, temp, connector.Readable(folder, run));
        return new WorkerLine(Preview: await connector.PreviewAsync(run, folder, connection, temp, cancellation));
    }

    private static async Task<WorkerLine> ForecastAsync(WorkerRequest request, IReadOnlyList<Connector> connectors, CancellationToken cancellation)
    {
        var run = request.Extract!;
        var folder = new DataFolder(request.DataFolder);
        var previous = await ExtractReader.OwnTablesAsync(folder, run.Source, request.Share, Temp(), cancellation);
        return new WorkerLine(Forecasts: await Named(connectors, run.Connector).ForecastAsync(run, previous, folder, cancellation));
    }

    private static Connector Named(IReadOnlyList<Connector> connectors, string name) =>
        connectors.FirstOrDefault(connector => connector.Name == name) ?? throw new WorkerFailedException($"There is no connector '{name}'.");

    private static async Task<Publication> PrepareAsync(WorkerRequest request, string source, IReadOnlyList<PublishedTable> known, Action<Action> whenParentGone, CancellationToken cancellation)
    {
        var folder = new DataFolder(request.DataFolder);
        var preparation = new SourcePreparation(folder, new PartStore(folder), source, $"prepare-{request.RunId}", request.Share, Temp(), known, TimeProvider.System);
        whenParentGone(preparation.Marker.Withdraw);
        return await preparation.RunAsync(cancellation);
    }

    private static async Task<WorkerLine> AnalyticsAsync(WorkerRequest request, CancellationToken cancellation)
    {
        var folder = new DataFolder(request.DataFolder);
        await AnalyticsFile.WriteAsync(folder, new PartStore(folder), request.Share, Temp(), request.Analytics!, cancellation);
        return new WorkerLine(Done: true);
    }

    private static async Task<WorkerLine> ConsolidateAsync(WorkerRequest request, CancellationToken cancellation)
    {
        var folder = new DataFolder(request.DataFolder);
        return new WorkerLine(Whole: await Consolidation.WriteAsync(folder, new PartStore(folder), request.Share, Temp(), $"whole-{request.RunId}", request.Parts!, cancellation));
    }

    /// <summary>The parent has made a scratch folder of this run's own the working folder.</summary>
    private static string Temp() => Directory.CreateDirectory(Path.Combine(Directory.GetCurrentDirectory(), "temp")).FullName;

    private static async Task<WorkerRequest> ReadRequestAsync(Stream input, CancellationToken cancellation)
    {
        var text = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (true)
        {
            var read = await input.ReadAsync(buffer, cancellation);
            var end = buffer.AsSpan(0, read).IndexOf((byte)'\n');
            text.Write(buffer, 0, end >= 0 ? end : read);
            if (end >= 0) break;
            if (read == 0 || text.Length > RequestBytesMax) throw new WorkerFailedException("The request is incomplete or too long.");
        }
        return JsonSerializer.Deserialize(text.ToArray(), WorkerJson.Default.WorkerRequest) ?? throw new WorkerFailedException("The request is empty.");
    }

    /// <summary>One JSON line at a time, from whatever thread; and what the parent answers.</summary>
    private sealed class LineWriter(Stream output) : IProgress<ExtractEvent>, IDisposable
    {
        private static readonly TimeSpan SavedWithin = TimeSpan.FromMinutes(2);
        private readonly Lock _gate = new();
        private readonly ConcurrentDictionary<long, TaskCompletionSource> _saving = new(); // one a table that saves right now
        private readonly List<byte> _heard = [];
        private TaskCompletionSource<ProgramOutcome>? _running;
        private long _sent;

        public async Task SaveAsync(ExtractCheckpoint checkpoint, CancellationToken cancellation)
        {
            var number = Interlocked.Increment(ref _sent);
            var saved = _saving[number] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            try
            {
                Write(new WorkerLine(Checkpoint: new SentCheckpoint(number, checkpoint)));
                await saved.Task.WaitAsync(SavedWithin, cancellation);
            }
            catch (TimeoutException)
            {
                throw new WorkerFailedException("The server did not store a checkpoint in time.");
            }
            finally
            {
                _saving.TryRemove(number, out _);
            }
        }

        /// <summary>As long as the program takes: the parent watches it.</summary>
        public async Task<ProgramOutcome> RunProgramAsync(ProgramRequest request, CancellationToken cancellation)
        {
            _running = new TaskCompletionSource<ProgramOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            Write(new WorkerLine(Program: request));
            return await _running.Task.WaitAsync(cancellation);
        }

        /// <summary>Called by the one thread that reads what the parent writes.</summary>
        public void Hear(ReadOnlySpan<byte> bytes)
        {
            foreach (var one in bytes)
            {
                if (one != (byte)'\n')
                {
                    if (_heard.Count < AnswerBytesMax) _heard.Add(one);
                    continue;
                }

                var answer = JsonSerializer.Deserialize(_heard.ToArray(), WorkerJson.Default.WorkerAnswer);
                if (answer is { Program: { } outcome }) _running?.TrySetResult(outcome);
                else if (answer is not null && _saving.TryGetValue(answer.Saved, out var saved)) saved.TrySetResult();
                _heard.Clear();
            }
        }

        public void Report(ExtractEvent value) => Write(new WorkerLine(Event: value));

        public void Write(WorkerLine line)
        {
            lock (_gate)
            {
                output.Write(WorkerJson.Line(line).Span);
                output.Write("\n"u8);
                output.Flush();
            }
        }

        public void Dispose() => output.Flush();
    }
}
