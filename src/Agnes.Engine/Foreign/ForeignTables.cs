using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;

namespace Agnes.Engine.Foreign;

/// <param name="OrderBy">Columns to sort by; those that the table lacks do not count.</param>
public sealed record ForeignTable(string Name, IReadOnlyList<string> OrderBy);

/// <summary>One line of what the worker tells: first the number of rows of every table, then rows, then that it is done.</summary>
/// <param name="Counts">By table, for all base tables of the file.</param>
public sealed record ForeignLine(IReadOnlyDictionary<string, long>? Counts = null, string? Table = null, JsonObject? Row = null, bool Done = false, string? Error = null);

/// <summary>Reads tables of another program's DuckDB file, in a process of its own that can open nothing but the folder of the copy that it was given.</summary>
public static class ForeignTables
{
    public const string Role = "table-worker";
    private const int LineBytesMax = 64 << 20;

    /// <param name="file">A copy in a folder of its own: opening it may finish what its program had begun.</param>
    /// <exception cref="WorkerFailedException">It could not be read; the message says why.</exception>
    public static IAsyncEnumerable<ForeignLine> ReadAsync(
        WorkerProgram program, string scratch, Share share, string file, IReadOnlyList<ForeignTable> tables, CancellationToken cancellation) =>
        RunAsync(program, scratch, new ForeignRequest(file, share, tables), cancellation);

    internal static async IAsyncEnumerable<ForeignLine> RunAsync(WorkerProgram program, string scratch, ForeignRequest given, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reach = new Reach([.. given.Data is { } data ? (string[])[data] : []], [Path.GetDirectoryName(given.File)!]);
        await using var child = ChildProcess.Start(program, Role, scratch, reach);
        await using var killing = cancellation.Register(child.Kill);
        var request = JsonSerializer.SerializeToUtf8Bytes(given, ForeignJson.Default.ForeignRequest);
        await child.Input.WriteAsync(request, cancellation);
        await child.Input.WriteAsync("\n"u8.ToArray(), cancellation);
        await child.Input.FlushAsync(cancellation);
        var reader = PipeReader.Create(child.Output);
        var done = false;
        while (!done)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            while (!done && buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Parse(buffer.Slice(0, end));
                buffer = buffer.Slice(buffer.GetPosition(1, end));
                if (line.Error is { } error) throw new WorkerFailedException(error);
                done = line.Done;
                yield return line;
            }

            if (buffer.Length > LineBytesMax) throw new WorkerFailedException($"A row of the file has more than {LineBytesMax >> 20} MiB.");
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted && !done)
            {
                var code = await child.Exited.WaitAsync(TimeSpan.FromSeconds(5), cancellation);
                throw new WorkerFailedException($"The process that read the file ended with code {code} before it was done. It said: {child.ErrorTail.Trim()}");
            }
        }
    }

    private static ForeignLine Parse(ReadOnlySequence<byte> text)
    {
        var json = new Utf8JsonReader(text);
        return JsonSerializer.Deserialize(ref json, ForeignJson.Default.ForeignLine) ?? throw new WorkerFailedException("The process that read the file said nothing.");
    }
}

/// <param name="Data">Given: nothing is read, but the file's views are pointed at this folder.</param>
internal sealed record ForeignRequest(string File, Share Share, IReadOnlyList<ForeignTable> Tables, string? Data = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ForeignRequest))]
[JsonSerializable(typeof(ForeignLine))]
internal sealed partial class ForeignJson : JsonSerializerContext;
