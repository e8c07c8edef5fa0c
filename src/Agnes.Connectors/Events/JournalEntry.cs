namespace Agnes.Connectors.Events;

/// <summary>What was taken, as it came.</summary>
/// <param name="Position">Where it begins: bytes since the journal's first.</param>
/// <param name="Next">Where the one after it begins.</param>
/// <param name="ReceivedAt">UTC.</param>
/// <param name="Kind">What the body is; whoever folds gives it meaning.</param>
/// <param name="Identity">Equal for two deliveries of one event, as its sender marks it; may be empty.</param>
public sealed record JournalEntry(long Position, long Next, DateTime ReceivedAt, byte Kind, string Identity, ReadOnlyMemory<byte> Body);

/// <summary>The journal has no room until something of it is folded and dropped, or the disk has none.</summary>
public sealed class JournalFullException(string message, Exception? inner = null) : Exception(message, inner);
