using System.Text.Json;
using Agnes.Connectors.Events;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>The rows of <c>event_tails</c>.</summary>
internal static class EventTails
{
    private static readonly string Insert =
        "INSERT INTO event_tails (source, number, position, key_column, runs, folded_at, updated_at) VALUES (@Source, @Number, @Position, @KeyColumn, @Runs, @FoldedAt, @UpdatedAt)";

    private static readonly string Update =
        "UPDATE event_tails SET number = @Number, position = @Position, key_column = @KeyColumn, runs = @Runs, folded_at = @FoldedAt, updated_at = @UpdatedAt WHERE source = @Source";

    /// <summary>Puts a tail in the place of the one that there is.</summary>
    public static async Task SaveAsync(this StateWrite write, EventTailRow row)
    {
        if (await write.ExecuteAsync(Update, row) == 0) await write.ExecuteAsync(Insert, row);
        write.Apply(snapshot => snapshot.WithTail(row));
    }

    public static string Write(IEnumerable<TailRun> runs) => JsonSerializer.Serialize([.. runs], EventWorkerJson.Default.IReadOnlyListTailRun);

    public static EventTailRow First(EventSource source, DateTime now) => new() { Source = source.Name, KeyColumn = source.KeyColumn, Runs = "[]", UpdatedAt = now };
}
