using System.Collections.Immutable;

namespace Agnes.Server.Platform.State;

/// <summary>
/// Everything that decides who may see what, and what is published, at one version of the state. Immutable: a request takes one and keeps it.
/// Every lookup is independent of how much there is.
/// </summary>
public sealed partial record Snapshot
{
    public static readonly Snapshot Empty = new();

    /// <summary>The name of the group whose members may do everything.</summary>
    public const string AdminGroup = "Admin";

    /// <summary>The name of the group that every active user belongs to.</summary>
    public const string EveryoneGroup = "Everyone";

    private static readonly ImmutableHashSet<string> None = [];

    /// <summary>Raised by each committed control write.</summary>
    public long Version { get; init; }

    /// <summary>What a transaction that may still be undone has made of it; <see cref="Version"/> is then that of before, so nothing may be remembered by it.</summary>
    public bool IsUncommitted { get; internal init; }

    /// <summary>The version at which users, groups, members, grants or tokens last changed (as far as this process knows).</summary>
    public long AccessVersion { get; init; }

    /// <summary>The version at which the registry last changed (as far as this process knows).</summary>
    public long RegistryVersion { get; init; }

    /// <summary>The version at which a publication, its state or its owner last changed (as far as this process knows).</summary>
    public long PublicationVersion { get; init; }

    /// <summary>
    /// The version at which metrics or verified queries last changed (as far as this process knows). They are no part of the snapshot, so whoever keeps them
    /// in memory compares this.
    /// </summary>
    public long DefinitionsVersion { get; init; }

    public ImmutableDictionary<string, UserRow> UsersById { get; private init; } = Ordinal<UserRow>();
    public ImmutableDictionary<string, UserRow> UsersByEmail { get; private init; } = IgnoringCase<UserRow>();
    public ImmutableDictionary<string, GroupRow> GroupsById { get; private init; } = Ordinal<GroupRow>();
    public ImmutableDictionary<string, GroupRow> GroupsByName { get; private init; } = Ordinal<GroupRow>();
    public ImmutableDictionary<string, GrantRow> GrantsById { get; private init; } = Ordinal<GrantRow>();
    public ImmutableDictionary<string, TokenRow> TokensById { get; private init; } = Ordinal<TokenRow>();

    /// <summary>Sessions that were ended before their time, with the time at which their tokens expire by themselves.</summary>
    public ImmutableDictionary<string, EndedSession> EndedSessions { get; private init; } = Ordinal<EndedSession>();

    /// <summary>The registry.</summary>
    public ImmutableDictionary<string, TableRow> TablesById { get; private init; } = Ordinal<TableRow>();
    public ImmutableDictionary<string, TableRow> TablesByName { get; private init; } = IgnoringCase<TableRow>();

    /// <summary>Of sources, besides the default one of each kind.</summary>
    public ImmutableDictionary<string, ConnectionRow> Connections { get; private init; } = Ordinal<ConnectionRow>();

    /// <summary>The current plain version of each published table.</summary>
    public ImmutableDictionary<string, PublishedVersion> Published { get; private init; } = IgnoringCase<PublishedVersion>();

    /// <summary>Current and still fetchable versions.</summary>
    public ImmutableDictionary<string, KeptVersions> Kept { get; private init; } = IgnoringCase<KeptVersions>();
    public ImmutableDictionary<string, SyncStateRow> SyncStates { get; private init; } = IgnoringCase<SyncStateRow>();
    public ImmutableDictionary<string, ViewOwnerRow> ViewOwners { get; private init; } = IgnoringCase<ViewOwnerRow>();

    /// <summary>How the columns of a table's source last differed from those that were published.</summary>
    public ImmutableDictionary<string, SchemaDriftRow> SchemaDrifts { get; private init; } = IgnoringCase<SchemaDriftRow>();

    /// <summary>How the pulling of each table goes; nothing that is published depends on it.</summary>
    public ImmutableDictionary<string, TablePullRow> Pulls { get; private init; } = IgnoringCase<TablePullRow>();

    /// <summary>By source, what it sent since its tables were last published.</summary>
    public ImmutableDictionary<string, EventTail> Tails { get; private init; } = Ordinal<EventTail>();

    private long DefinitionChanges { get; init; }
    private ImmutableDictionary<string, UserMemberships> MembershipsByUser { get; init; } = Ordinal<UserMemberships>();
    private ImmutableDictionary<string, ImmutableHashSet<string>> UsersByGroup { get; init; } = Ordinal<ImmutableHashSet<string>>();
    private ImmutableDictionary<string, ImmutableDictionary<string, ImmutableHashSet<string>>> ResourcesByGroup { get; init; } =
        Ordinal<ImmutableDictionary<string, ImmutableHashSet<string>>>(); // group → type → resources
    private ImmutableDictionary<(string Type, string Resource), ImmutableDictionary<string, GrantRow>> GrantsByResource { get; init; } =
        ImmutableDictionary<(string Type, string Resource), ImmutableDictionary<string, GrantRow>>.Empty;
    private ImmutableDictionary<string, ImmutableHashSet<string>> TokensByUser { get; init; } = Ordinal<ImmutableHashSet<string>>();
    private ImmutableDictionary<string, ImmutableHashSet<string>> PublishedBySource { get; init; } = Ordinal<ImmutableHashSet<string>>();

    public UserRow? User(string id) => UsersById.GetValueOrDefault(id);

    /// <summary>Ignoring case.</summary>
    public UserRow? UserByEmail(string email) => UsersByEmail.GetValueOrDefault(email);

    public GroupRow? Group(string id) => GroupsById.GetValueOrDefault(id);

    public GroupRow? GroupByName(string name) => GroupsByName.GetValueOrDefault(name);

    public GrantRow? Grant(string id) => GrantsById.GetValueOrDefault(id);

    public GrantRow? Grant(string groupId, string type, string resourceId) =>
        GrantsByResource.TryGetValue((type, resourceId), out var grants) ? grants.GetValueOrDefault(groupId) : null;

    public TokenRow? Token(string id) => TokensById.GetValueOrDefault(id);

    /// <summary>The groups that the user belongs to, by whatever source.</summary>
    public ImmutableHashSet<string> GroupIdsOf(string userId) => MembershipsByUser.GetValueOrDefault(userId)?.GroupIds ?? None;

    /// <summary>One row for each source; in the order in which they were added.</summary>
    public ImmutableArray<MembershipRow> MembershipsOf(string userId) => MembershipsByUser.GetValueOrDefault(userId)?.Rows ?? [];

    public ImmutableHashSet<string> UserIdsOf(string groupId) => UsersByGroup.GetValueOrDefault(groupId, None);

    public bool IsAdmin(string userId) => GroupByName(AdminGroup) is { } admin && GroupIdsOf(userId).Contains(admin.Id);

    /// <summary>The resources of a type that a group was granted.</summary>
    public ImmutableHashSet<string> ResourceIdsOf(string groupId, string type) =>
        ResourcesByGroup.TryGetValue(groupId, out var byType) ? byType.GetValueOrDefault(type, None) : None;

    public IEnumerable<GrantRow> GrantsOf(string groupId) =>
        from type in ResourcesByGroup.GetValueOrDefault(groupId, Ordinal<ImmutableHashSet<string>>())
        from resource in type.Value
        select Grant(groupId, type.Key, resource)!;

    public bool IsGranted(string groupId, string type, string resourceId) => ResourceIdsOf(groupId, type).Contains(resourceId);

    /// <summary>By group.</summary>
    public ImmutableDictionary<string, GrantRow> GrantsOn(string type, string resourceId) =>
        GrantsByResource.GetValueOrDefault((type, resourceId), ImmutableDictionary<string, GrantRow>.Empty);

    public ImmutableHashSet<string> TokenIdsOf(string userId) => TokensByUser.GetValueOrDefault(userId, None);

    public TableRow? Table(string id) => TablesById.GetValueOrDefault(id);

    /// <summary>Ignoring case.</summary>
    public TableRow? TableByName(string name) => TablesByName.GetValueOrDefault(name);

    /// <summary>Ignoring case.</summary>
    public PublishedVersion? PublishedTable(string name) => Published.GetValueOrDefault(name);

    /// <summary>Rows that are newer than a version; null: there are none.</summary>
    public EventTail? TailOf(PublishedVersion version) => Tails.GetValueOrDefault(version.Source);

    /// <summary>The names of the tables that a source has published.</summary>
    public ImmutableHashSet<string> PublishedNamesOf(string source) => PublishedBySource.GetValueOrDefault(source, None);

    private static ImmutableDictionary<string, T> Ordinal<T>() => ImmutableDictionary.Create<string, T>(StringComparer.Ordinal);

    private static ImmutableDictionary<string, T> IgnoringCase<T>() => ImmutableDictionary.Create<string, T>(StringComparer.OrdinalIgnoreCase);

    private sealed record UserMemberships(ImmutableArray<MembershipRow> Rows, ImmutableHashSet<string> GroupIds);
}
