using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;

namespace Agnes.Connectors.Events;

/// <summary>
/// The child's side: <c>agnes-server event-worker</c>. Folds what the server's journal holds into documents and runs of a tail, batch by batch as it is asked. Lives as
/// long as the server wants it; whatever it had begun when it is killed is begun again from the same position, with the same result.
/// </summary>
public static class EventWorkerMain
{
    public const string Role = "event-worker";
    private const int EntriesMax = 5_000;
    private const int BatchBytesMax = 32 << 20;
    private const int LineBytesMax = 4 << 20;

    public static async Task<int> RunAsync(OpenEventSchema open, Stream input, Stream output, CancellationToken cancellation)
    {
        using var reader = new StreamReader(input, leaveOpen: true);
        var start = JsonSerializer.Deserialize(await LineAsync(reader, cancellation) ?? "", EventWorkerJson.Default.EventWorkerStart)
            ?? throw new InvalidDataException("The start is empty.");
        var schema = open(start.Schema, start.Options, start.Root);
        Directory.CreateDirectory(start.Temp);
        await using var connection = WorkerDatabase.Open(start.Share, start.Temp, [start.Tails]);
        var tail = new TailFiles(schema, connection, start.Tails);
        var documents = new Documents(Path.Combine(start.Root, "raw", schema.DocumentsFolder));
        while (await LineAsync(reader, cancellation) is { } line)
        {
            var request = JsonSerializer.Deserialize(line, EventWorkerJson.Default.EventWorkerRequest) ?? throw new InvalidDataException("A request is empty.");
            var answer = request.Merge is { } runs
                ? new EventWorkerAnswer(await tail.MergeAsync(request.Run, runs, cancellation), request.Until, null)
                : await FoldAsync(start, schema, documents, tail, request, cancellation);
            await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer, EventWorkerJson.Default.EventWorkerAnswer), cancellation);
            await output.WriteAsync("\n"u8.ToArray(), cancellation);
            await output.FlushAsync(cancellation);
        }

        return 0;
    }

    private static async Task<EventWorkerAnswer> FoldAsync(
        EventWorkerStart start, EventSchema schema, Documents documents, TailFiles tail, EventWorkerRequest request, CancellationToken cancellation)
    {
        var (entries, bytes, position) = (0, 0L, request.From);
        long applied = 0, known = 0, unknown = 0, broken = 0;
        await foreach (var entry in new JournalReader(start.Journal).ReadAsync(request.From, request.Until, cancellation))
        {
            switch (Apply(schema, entry, documents))
            {
                case EventOutcome.Applied: applied++; break;
                case EventOutcome.Known: known++; break;
                case EventOutcome.Unknown: unknown++; break;
                default: broken++; break;
            }

            position = entry.Next;
            bytes += entry.Body.Length;
            if (++entries >= EntriesMax || bytes >= BatchBytesMax) break;
        }

        // Rows first: they are of the documents in memory. The documents' files may be ahead of the runs after a kill, never behind.
        var run = await tail.WriteAsync(request.Run, documents, position, cancellation);
        documents.Save();
        if (entries == 0) position = request.Until;
        return new EventWorkerAnswer(run, position, new EventCounts(applied, known, unknown, broken));
    }

    /// <summary>One entry that nobody thought of must not keep all that come after it from being folded.</summary>
    private static EventOutcome Apply(EventSchema schema, JournalEntry entry, Documents documents)
    {
        try
        {
            return schema.Apply(entry, documents);
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            Console.Error.WriteLine($"The entry at {entry.Position} could not be folded: {fault}");
            return EventOutcome.Broken;
        }
    }

    private static async Task<string?> LineAsync(StreamReader reader, CancellationToken cancellation)
    {
        var line = await reader.ReadLineAsync(cancellation);
        return line is { Length: > LineBytesMax } ? throw new InvalidDataException("A line is too long.") : line;
    }
}
