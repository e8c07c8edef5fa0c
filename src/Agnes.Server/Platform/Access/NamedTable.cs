using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>A table that a caller named: registered, published, or both.</summary>
/// <param name="Id">What grants are keyed by. Null for a published table without a row whose name is another row's id: admins only.</param>
/// <param name="Name">What files, views, manifests and SQL know it by.</param>
/// <param name="Sent">What the caller wrote, to be echoed.</param>
public sealed record NamedTable(string? Id, string Name, string Sent, TableRow? Row, PublishedVersion? Published)
{
    /// <summary>Rows that are newer than what is published.</summary>
    public EventTail? Tail { get; private init; }

    /// <summary>
    /// The table by id or name, exactly before ignoring case. Where a text is one table's id and another's name, the one that the caller may read is meant,
    /// so that a hidden table never stands in front of a granted one.
    /// </summary>
    public static NamedTable? Resolve(Snapshot snapshot, Caller caller, string sent)
    {
        var byId = snapshot.Table(sent) is { } row ? Of(snapshot, row, sent) : null;
        if (byId is not null && Access.CanRead(snapshot, caller, byId)) return byId;
        return ByName(snapshot, sent) ?? byId;
    }

    /// <summary>The table by the name that SQL and manifests use, ignoring case.</summary>
    public static NamedTable? ByName(Snapshot snapshot, string name)
    {
        if (snapshot.TableByName(name) is { } row) return Of(snapshot, row, name);
        return snapshot.PublishedTable(name) is { } version ? Make(snapshot, UnregisteredId(snapshot, version.Name), version.Name, name, null, version) : null;
    }

    internal static NamedTable Of(Snapshot snapshot, TableRow row, string sent) =>
        Make(snapshot, row.Id, row.Name, sent, row, snapshot.PublishedTable(row.Name));

    private static NamedTable Make(Snapshot snapshot, string? id, string name, string sent, TableRow? row, PublishedVersion? version) =>
        new(id, name, sent, row, version) { Tail = version is null ? null : snapshot.TailOf(version) };

    /// <summary>A published table that nobody registered has its name for an id, unless that is a registered table's: its grants must not open this one.</summary>
    private static string? UnregisteredId(Snapshot snapshot, string name) => snapshot.Table(name) is null ? name : null;
}
