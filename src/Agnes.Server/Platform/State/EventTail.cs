using System.Text.Json;
using Agnes.Connectors.Events;
using Agnes.Engine.Query;
using Agnes.Protocol;

namespace Agnes.Server.Platform.State;

/// <summary>A row of <c>event_tails</c>.</summary>
public sealed record EventTailRow
{
    public required string Source { get; init; }
    public long Number { get; init; }
    public long Position { get; init; }
    public required string KeyColumn { get; init; }
    public required string Runs { get; init; }
    public DateTime? FoldedAt { get; init; }
    public DateTime UpdatedAt { get; init; }
}

/// <summary>
/// What a source sent that is newer than its published versions. In the same snapshot as these, and replaced together with them when it is folded into parts, so that
/// no row is seen twice or not at all.
/// </summary>
public sealed class EventTail(EventTailRow row)
{
    public EventTailRow Row => row;

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<TailRun> Runs { get; } = JsonSerializer.Deserialize(row.Runs, EventWorkerJson.Default.IReadOnlyListTailRun) ?? [];

    /// <summary>Of one table; null: all its rows are in its version.</summary>
    /// <param name="folder">Of the source's tail: state names files, not where they are.</param>
    public TableTail? Of(string table, string folder) => Runs.Count == 0 ? null : new TableTail(row.Number, row.KeyColumn, [.. Runs.Select(run => run.Of(table, folder))]);
}
