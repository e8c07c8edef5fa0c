using System.Collections.Immutable;

namespace Agnes.Server.Platform.State;

// What a write does to the snapshot: each method gives a new one, at a cost independent of how much there is.
// They also keep the rules that no constraint of the engine keeps; a broken one ends the write.
public sealed partial record Snapshot
{
    /// <exception cref="StateConflictException">Another user has the address.</exception>
    public Snapshot WithUser(UserRow user)
    {
        if (UserByEmail(user.Email) is { } other && other.Id != user.Id) throw new StateConflictException($"Another user has the address {user.Email}.");
        var byEmail = User(user.Id) is { } old ? UsersByEmail.Remove(old.Email) : UsersByEmail;
        return this with { UsersById = UsersById.SetItem(user.Id, user), UsersByEmail = byEmail.SetItem(user.Email, user) };
    }

    /// <summary>Also removes the user's memberships and tokens, as the write must.</summary>
    public Snapshot WithoutUser(string id)
    {
        if (User(id) is not { } user) return this;
        var next = this;
        foreach (var row in MembershipsOf(id)) next = next.WithoutMembership(row.UserId, row.GroupId, row.Source);
        foreach (var token in TokenIdsOf(id)) next = next.WithoutToken(token);
        return next with { UsersById = next.UsersById.Remove(id), UsersByEmail = next.UsersByEmail.Remove(user.Email) };
    }

    /// <exception cref="StateConflictException">Another group has the name.</exception>
    public Snapshot WithGroup(GroupRow group)
    {
        if (GroupByName(group.Name) is { } other && other.Id != group.Id) throw new StateConflictException($"Another group has the name {group.Name}.");
        var byName = Group(group.Id) is { } old ? GroupsByName.Remove(old.Name) : GroupsByName;
        return this with { GroupsById = GroupsById.SetItem(group.Id, group), GroupsByName = byName.SetItem(group.Name, group) };
    }

    /// <summary>Also removes the group's members and grants, as the write must.</summary>
    public Snapshot WithoutGroup(string id)
    {
        if (Group(id) is not { } group) return this;
        var next = this;
        foreach (var user in UserIdsOf(id))
        {
            foreach (var row in MembershipsOf(user).Where(row => row.GroupId == id)) next = next.WithoutMembership(user, id, row.Source);
        }
        foreach (var grant in GrantsOf(id)) next = next.WithoutGrant(grant.Id);
        return next with { GroupsById = next.GroupsById.Remove(id), GroupsByName = next.GroupsByName.Remove(group.Name) };
    }

    /// <exception cref="StateConflictException">The group does not exist. (There are no foreign keys on DuckDB.)</exception>
    public Snapshot WithMembership(MembershipRow row)
    {
        if (Group(row.GroupId) is null) throw new StateConflictException($"There is no group {row.GroupId}.");
        var rows = MembershipsOf(row.UserId);
        var at = rows.IndexOf(rows.FirstOrDefault(r => r.GroupId == row.GroupId && r.Source == row.Source)!);
        rows = at < 0 ? rows.Add(row) : rows.SetItem(at, row);
        return this with
        {
            MembershipsByUser = MembershipsByUser.SetItem(row.UserId, new(rows, GroupIdsOf(row.UserId).Add(row.GroupId))),
            UsersByGroup = UsersByGroup.SetItem(row.GroupId, UserIdsOf(row.GroupId).Add(row.UserId)),
        };
    }

    /// <summary>The user stays in the group while another source says so.</summary>
    public Snapshot WithoutMembership(string userId, string groupId, string source)
    {
        var rows = MembershipsOf(userId).RemoveAll(row => row.GroupId == groupId && row.Source == source);
        if (rows.Any(row => row.GroupId == groupId))
        {
            return this with { MembershipsByUser = MembershipsByUser.SetItem(userId, new(rows, GroupIdsOf(userId))) };
        }
        var users = UserIdsOf(groupId).Remove(userId);
        return this with
        {
            MembershipsByUser = rows.IsEmpty
                ? MembershipsByUser.Remove(userId)
                : MembershipsByUser.SetItem(userId, new(rows, GroupIdsOf(userId).Remove(groupId))),
            UsersByGroup = users.IsEmpty ? UsersByGroup.Remove(groupId) : UsersByGroup.SetItem(groupId, users),
        };
    }

    /// <exception cref="StateConflictException">The group does not exist, or has the grant under another id.</exception>
    public Snapshot WithGrant(GrantRow grant)
    {
        if (Group(grant.GroupId) is null) throw new StateConflictException($"There is no group {grant.GroupId}.");
        if (Grant(grant.GroupId, grant.ResourceType, grant.ResourceId) is { } other && other.Id != grant.Id)
        {
            throw new StateConflictException($"The group has the grant already: {other.Id}.");
        }
        var next = WithoutGrant(grant.Id);
        var byResource = (grant.ResourceType, grant.ResourceId);
        return next with
        {
            GrantsById = next.GrantsById.SetItem(grant.Id, grant),
            ResourcesByGroup = next.WithResources(grant, next.ResourceIdsOf(grant.GroupId, grant.ResourceType).Add(grant.ResourceId)),
            GrantsByResource = next.GrantsByResource.SetItem(byResource, next.GrantsOn(grant.ResourceType, grant.ResourceId).SetItem(grant.GroupId, grant)),
        };
    }

    public Snapshot WithoutGrant(string id)
    {
        if (Grant(id) is not { } grant) return this;
        var byResource = (grant.ResourceType, grant.ResourceId);
        var resources = ResourceIdsOf(grant.GroupId, grant.ResourceType).Remove(grant.ResourceId);
        var grants = GrantsOn(grant.ResourceType, grant.ResourceId).Remove(grant.GroupId);
        return this with
        {
            GrantsById = GrantsById.Remove(id),
            ResourcesByGroup = WithResources(grant, resources),
            GrantsByResource = grants.IsEmpty ? GrantsByResource.Remove(byResource) : GrantsByResource.SetItem(byResource, grants),
        };
    }

    private ImmutableDictionary<string, ImmutableDictionary<string, ImmutableHashSet<string>>> WithResources(GrantRow grant, ImmutableHashSet<string> resources)
    {
        var byType = ResourcesByGroup.GetValueOrDefault(grant.GroupId, Ordinal<ImmutableHashSet<string>>());
        byType = resources.IsEmpty ? byType.Remove(grant.ResourceType) : byType.SetItem(grant.ResourceType, resources);
        return byType.IsEmpty ? ResourcesByGroup.Remove(grant.GroupId) : ResourcesByGroup.SetItem(grant.GroupId, byType);
    }

    public Snapshot WithToken(TokenRow token) => this with
    {
        TokensById = TokensById.SetItem(token.Id, token),
        TokensByUser = TokensByUser.SetItem(token.UserId, TokenIdsOf(token.UserId).Add(token.Id)),
    };

    public Snapshot WithoutToken(string id)
    {
        if (Token(id) is not { } token) return this;
        var tokens = TokenIdsOf(token.UserId).Remove(id);
        return this with
        {
            TokensById = TokensById.Remove(id),
            TokensByUser = tokens.IsEmpty ? TokensByUser.Remove(token.UserId) : TokensByUser.SetItem(token.UserId, tokens),
        };
    }

    public Snapshot WithEndedSession(EndedSession session) => this with { EndedSessions = EndedSessions.SetItem(session.Id, session) };

    /// <summary>Once its token is of no use to anybody.</summary>
    public Snapshot WithoutEndedSession(string id) => this with { EndedSessions = EndedSessions.Remove(id) };

    /// <exception cref="StateConflictException">Another registered table has the name, or one that differs in case only.</exception>
    public Snapshot WithTable(TableRow table)
    {
        if (TableByName(table.Name) is { } other && other.Id != table.Id) throw new StateConflictException($"The table {other.Id} has the name {other.Name}.");
        var byName = Table(table.Id) is { } old ? TablesByName.Remove(old.Name) : TablesByName;
        return this with { TablesById = TablesById.SetItem(table.Id, table), TablesByName = byName.SetItem(table.Name, table) };
    }

    /// <summary>Grants on the table are the write's to remove: <see cref="GrantsOn"/>.</summary>
    public Snapshot WithoutTable(string id) =>
        Table(id) is { } table ? this with { TablesById = TablesById.Remove(id), TablesByName = TablesByName.Remove(table.Name) } : this;

    public Snapshot WithConnection(ConnectionRow row) => this with { Connections = Connections.SetItem(row.Name, row) };

    public Snapshot WithoutConnection(string name) => this with { Connections = Connections.Remove(name) };

    /// <summary>Adds or replaces a version. A new current version does not supersede the old one by itself: that is a row of its own.</summary>
    /// <exception cref="StateConflictException">The table has another current version of the rendition.</exception>
    public Snapshot WithVersion(PublishedVersion version)
    {
        var next = WithoutVersion(version.Name, version.Number);
        next = next with { Kept = next.Kept.SetItem(version.Name, next.Kept.GetValueOrDefault(version.Name, KeptVersions.Empty).With(version)) };
        if (!version.IsCurrent || version.Rendition.Length > 0) return next;
        if (next.PublishedTable(version.Name) is { } other) throw new StateConflictException($"The table {version.Name} has the current version {other.Number}.");
        return next with
        {
            Published = next.Published.SetItem(version.Name, version),
            PublishedBySource = next.PublishedBySource.SetItem(version.Source, next.PublishedNamesOf(version.Source).Add(version.Name)),
        };
    }

    public Snapshot WithoutVersion(string name, long number)
    {
        if (!Kept.TryGetValue(name, out var kept) || !kept.ByNumber.TryGetValue(number, out var version)) return this;
        kept = kept.Without(number);
        var next = this with { Kept = kept.ByNumber.IsEmpty ? Kept.Remove(name) : Kept.SetItem(name, kept) };
        if (PublishedTable(name)?.Number != number) return next;
        var names = PublishedNamesOf(version.Source).Remove(version.Name);
        return next with
        {
            Published = Published.Remove(name),
            PublishedBySource = names.IsEmpty ? PublishedBySource.Remove(version.Source) : PublishedBySource.SetItem(version.Source, names),
        };
    }

    public Snapshot WithSyncState(SyncStateRow row) => this with { SyncStates = SyncStates.SetItem(row.TableId, row) };

    public Snapshot WithoutSyncState(string name) => this with { SyncStates = SyncStates.Remove(name) };

    public Snapshot WithPull(TablePullRow row) => this with { Pulls = Pulls.SetItem(row.TableName, row) };

    public Snapshot WithoutPull(string name) => this with { Pulls = Pulls.Remove(name) };

    public Snapshot WithViewOwner(ViewOwnerRow row) => this with { ViewOwners = ViewOwners.SetItem(row.ViewName, row) };

    public Snapshot WithoutViewOwner(string name) => this with { ViewOwners = ViewOwners.Remove(name) };

    public Snapshot WithTail(EventTailRow row) => this with { Tails = Tails.SetItem(row.Source, new EventTail(row)) };

    public Snapshot WithSchemaDrift(SchemaDriftRow row) => this with { SchemaDrifts = SchemaDrifts.SetItem(row.Name, row) };

    public Snapshot WithoutSchemaDrift(string name) => this with { SchemaDrifts = SchemaDrifts.Remove(name) };

    /// <summary>For every write of metrics and verified queries.</summary>
    public Snapshot WithChangedDefinitions() => this with { DefinitionChanges = DefinitionChanges + 1 };

    /// <summary>Stamps the version on everything that differs from what was before.</summary>
    internal Snapshot Committed(Snapshot before, long version) => this with
    {
        Version = version,
        IsUncommitted = false,
        AccessVersion = UsersById != before.UsersById || GroupsById != before.GroupsById || MembershipsByUser != before.MembershipsByUser
            || GrantsById != before.GrantsById || TokensById != before.TokensById || EndedSessions != before.EndedSessions ? version : before.AccessVersion,
        RegistryVersion = TablesById != before.TablesById ? version : before.RegistryVersion,
        PublicationVersion = Kept != before.Kept || SyncStates != before.SyncStates || ViewOwners != before.ViewOwners || SchemaDrifts != before.SchemaDrifts
            ? version : before.PublicationVersion,
        DefinitionsVersion = DefinitionChanges != before.DefinitionChanges ? version : before.DefinitionsVersion,
    };
}
