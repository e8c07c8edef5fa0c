using System.Text.Json.Serialization;
using Agnes.Engine.Limits;

namespace Agnes.Connectors.Events;

/// <summary>What the folding child is told at its start.</summary>
/// <param name="Schema">By name.</param>
/// <param name="Journal">The folder of the journal, which it only reads.</param>
/// <param name="Root">The folder of the source: documents are below <c>raw</c>.</param>
/// <param name="Tails">The folder of its runs.</param>
/// <param name="Temp">For what does not fit into memory.</param>
/// <param name="Options">What the schema is told.</param>
public sealed record EventWorkerStart(string Schema, string Journal, string Root, string Tails, string Temp, Share Share, IReadOnlyDictionary<string, string> Options);

/// <summary>One thing to do. Each is answered by one <see cref="EventWorkerAnswer"/>.</summary>
/// <param name="Run">The number of the run that it makes.</param>
/// <param name="Merge">The runs to make one of; null: entries of the journal are folded.</param>
public sealed record EventWorkerRequest(long Run, long From, long Until, IReadOnlyList<TailRun>? Merge = null);

/// <param name="Run">Null: nothing changed.</param>
/// <param name="Position">Everything before it is folded; less than was asked for where a batch was full.</param>
/// <param name="Error">What ended it, in words for the operator.</param>
public sealed record EventWorkerAnswer(TailRun? Run, long Position, EventCounts? Counts, string? Error = null);

/// <summary>What became of the entries of a batch.</summary>
public sealed record EventCounts(long Applied, long Known, long Unknown, long Broken)
{
    public static EventCounts operator +(EventCounts a, EventCounts b) => new(a.Applied + b.Applied, a.Known + b.Known, a.Unknown + b.Unknown, a.Broken + b.Broken);
}

[JsonSerializable(typeof(EventWorkerStart))]
[JsonSerializable(typeof(EventWorkerRequest))]
[JsonSerializable(typeof(EventWorkerAnswer))]
[JsonSerializable(typeof(IReadOnlyList<TailRun>))]
public sealed partial class EventWorkerJson : JsonSerializerContext;
