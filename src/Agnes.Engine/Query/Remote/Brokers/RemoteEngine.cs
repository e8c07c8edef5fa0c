using Agnes.Engine.Outbound;

namespace Agnes.Engine.Query.Remote.Brokers;

/// <summary>A kind of system that brokers can ask.</summary>
/// <param name="Kind">As the kind of source is called.</param>
/// <param name="Open">Makes a connection of what is set for it; nothing is asked yet. Runs in the broker, and throws <see
/// cref="RemoteException"/> where it cannot be opened as it is set.</param>
public sealed record RemoteEngine(string Kind, Func<RemoteOpening, IRemoteTables> Open);

/// <summary>What a connection is opened with.</summary>
/// <param name="Options">All that is set for it, secrets too.</param>
/// <param name="Guard">Says where it may lead.</param>
public sealed record RemoteOpening(string Connection, IReadOnlyDictionary<string, string> Options, OutboundGuard Guard);
