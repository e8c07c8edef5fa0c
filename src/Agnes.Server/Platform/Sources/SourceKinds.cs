using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>A named instance of a kind of source: its tables lie in <c>extracts/NAME</c>, which is ours to write.</summary>
/// <param name="Settings">What is set for it; empty for the default connection, which the instance's configuration describes.</param>
internal sealed record Connection(string Name, SourceKind Kind, IReadOnlyDictionary<string, string> Settings)
{
    public static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>The kinds of sources that there are, and which connection a table is pulled through. All other extracts are dropped there by somebody else and served as they are.</summary>
/// <param name="isSetUp">Whether what a kind's default connection needs is there now; null: as if nothing were.</param>
internal sealed class SourceKinds(IEnumerable<SourceKind> kinds, Func<Snapshot, SourceKind, bool>? isSetUp = null)
{
    public IReadOnlyList<SourceKind> All { get; } = [.. kinds];

    /// <summary>What tables can be registered for, for people to choose from.</summary>
    public IEnumerable<string> Offered => All.Select(kind => kind.OfferedAs).OfType<string>();

    /// <summary>What can be an instance's main source.</summary>
    public IEnumerable<SourceKind> Main => All.Where(kind => kind.MainAs is not null);

    /// <summary>By its own name or another that it is taken by; null where unknown.</summary>
    public SourceKind? Named(string given) => All.FirstOrDefault(kind => kind.Name == given || kind.Aliases.Contains(given, StringComparer.Ordinal));

    /// <summary>By what is stored in a row; null for a type of which nothing is known here.</summary>
    public SourceKind? OfType(string? sourceType) => All.FirstOrDefault(kind => sourceType is null ? kind.IsDefault : kind.Name == sourceType);

    /// <summary>Through which connection this server pulls a table; null where it does not.</summary>
    public Connection? PulledBy(Snapshot snapshot, TableRow row) =>
        ConnectionOf(snapshot, row) is { Kind.Connector: not null } own && !IsAsked(row)
            && (row.Connection is not null || IsSetUp(snapshot, own.Kind)) ? own : null;

    /// <summary>Whether the table stays at its source, which this server asks.</summary>
    public bool IsAsked(TableRow? row) => row is { QueryMode: TableRules.ModeRemote } && OfType(row.SourceType) is { IsAsked: true };

    /// <summary>Which connection a table comes through, or is asked at; null for an unknown kind, and for a connection that is gone.</summary>
    public Connection? ConnectionOf(Snapshot snapshot, TableRow row)
    {
        if (OfType(row.SourceType) is not { } kind) return null;
        if (row.Connection is null) return kind.HasDefault ? DefaultOf(kind) : null;
        return snapshot.Connections.GetValueOrDefault(row.Connection) is { } named && named.Kind == kind.Name ? new Connection(named.Name, kind, named.Values) : null;
    }

    /// <summary>Whose tables lie in a folder below <c>extracts/</c>; null where it is another program's.</summary>
    public Connection? OfFolder(Snapshot snapshot, string folder)
    {
        if (snapshot.Connections.GetValueOrDefault(folder) is not { } named) return OfType(folder) is
        {
            Connector: not null,
            HasDefault: true
        } kind && IsSetUp(snapshot, kind) ? DefaultOf(kind) : null;
        return OfType(named.Kind) is { Connector: not null } of ? new Connection(named.Name, of, named.Values) : null;
    }

    /// <summary>All connections that this server pulls through.</summary>
    public IEnumerable<Connection> Pulled(Snapshot snapshot) =>
        from kind in All
        where kind.Connector is not null
        from connection in (kind.HasDefault && IsSetUp(snapshot, kind) ? [DefaultOf(kind)] : (Connection[])[])
            .Concat(NamedOf(snapshot, kind))
        select connection;

    /// <summary>The tables that are pulled through a connection: registered for it, and not served by somebody else's extract.</summary>
    public IEnumerable<TableRow> RegisteredFor(Snapshot snapshot, Connection connection) => snapshot.TablesById.Values
        .Where(row => PulledBy(snapshot, row)?.Name == connection.Name && connection.Kind.Pulls(row.QueryMode)
            && !snapshot.IsServedByOther(row.Name, connection.Name))
        .OrderBy(row => row.Name, StringComparer.Ordinal);

    /// <summary>The same of all connections in one go, by their names: for whoever looks at each.</summary>
    public ILookup<string, TableRow> RegisteredByConnection(Snapshot snapshot) => snapshot.TablesById.Values
        .Select(row => (Row: row, Own: PulledBy(snapshot, row)))
        .Where(one => one.Own is { } own && own.Kind.Pulls(one.Row.QueryMode) && !snapshot.IsServedByOther(one.Row.Name, own.Name))
        .OrderBy(one => one.Row.Name, StringComparer.Ordinal).ToLookup(one => one.Own!.Name, one => one.Row, StringComparer.Ordinal);

    /// <summary>All connections of a kind, the default one first.</summary>
    public IEnumerable<Connection> ConnectionsOf(Snapshot snapshot, SourceKind kind) =>
        (kind.HasDefault ? [DefaultOf(kind)] : (Connection[])[]).Concat(NamedOf(snapshot, kind));

    private bool IsSetUp(Snapshot snapshot, SourceKind kind) => !kind.NeedsSetUp || (isSetUp?.Invoke(snapshot, kind) ?? false);

    private static IEnumerable<Connection> NamedOf(Snapshot snapshot, SourceKind kind) => snapshot.Connections.Values.Where(row => row.Kind == kind.Name)
        .OrderBy(row => row.Name, StringComparer.Ordinal).Select(row => new Connection(row.Name, kind, row.Values));

    private static Connection DefaultOf(SourceKind kind) => new(kind.Name, kind, Connection.Nothing);
}

internal static class Served
{
    public static bool IsServedByOther(this Snapshot snapshot, string name, string folder) =>
        snapshot.ViewOwners.TryGetValue(name, out var owner) && owner.SourceName != folder;
}
