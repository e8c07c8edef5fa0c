using System.Text.Json.Nodes;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Providers;

/// <summary>What a directory says of somebody's groups.</summary>
internal abstract record GroupAnswer
{
    /// <summary>The directory was asked and answered, with none perhaps.</summary>
    public sealed record Known(IReadOnlyList<string> Names) : GroupAnswer;

    /// <summary>It could not be asked: what was known before stays.</summary>
    public sealed record Unknown : GroupAnswer;

    /// <summary>The directory was asked and has no such person: somebody from elsewhere, or somebody who left.</summary>
    public sealed record NoSuchPerson : GroupAnswer;

    /// <summary>Groups are not synced from there.</summary>
    public sealed record NotAsked : GroupAnswer;
}

/// <summary>How a directory's groups become ours. It writes rows of its own source only.</summary>
/// <param name="Source">Of its memberships.</param>
/// <param name="Creator">Of its groups.</param>
/// <param name="Prefix">Only groups whose name begins so count; null: all.</param>
/// <param name="AdminGroup">The directory's name for the group Admin.</param>
/// <param name="EveryoneGroup">The directory's name for the group Everyone.</param>
/// <param name="JoinsForeign">Whether a group of that name that an admin made is joined; else only those that the directory made.</param>
internal sealed record DirectoryGroups(string Source, string Creator, string? Prefix, string? AdminGroup, string? EveryoneGroup, bool JoinsForeign)
{
    private const int NameCharsMax = 128;
    private const int GroupsMax = 1_000;

    /// <summary>Whether somebody in these groups may sign in at all.</summary>
    public bool LetsIn(IReadOnlyList<string> names) => Prefix is null || names.Any(IsRelevant);

    public IEnumerable<string> Relevant(IReadOnlyList<string> names) => names.Where(IsRelevant);

    /// <summary>What the directory's group is called here.</summary>
    public string NameHere(string name) => Normal(name) switch
    {
        var normal when AdminGroup is not null && normal == Normal(AdminGroup) => Snapshot.AdminGroup,
        var normal when EveryoneGroup is not null && normal == Normal(EveryoneGroup) => Snapshot.EveryoneGroup,
        var normal => normal,
    };

    /// <summary>Makes the user's memberships of this source exactly these.</summary>
    public async Task WriteAsync(StateWrite write, UserRow user, IReadOnlyList<string> names)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names.Where(IsRelevant).Select(Normal).Distinct(StringComparer.Ordinal).Take(GroupsMax))
        {
            if (await GroupOfAsync(write, name) is { } group) wanted.Add(group.Id);
        }

        var (added, removed) = (new JsonArray(), new JsonArray());
        foreach (var row in write.Current.MembershipsOf(user.Id).Where(row => row.Source == Source && !wanted.Contains(row.GroupId)).ToList())
        {
            if (IsLastAdmin(write.Current, user, row)) continue;
            await MembershipStore.RemoveAsync(write, user.Id, row.GroupId, Source);
            removed.Add(write.Current.Group(row.GroupId)?.Name);
        }

        foreach (var id in wanted.Where(id => !write.Current.MembershipsOf(user.Id).Any(row => row.GroupId == id && row.Source == Source)))
        {
            await MembershipStore.AddAsync(write, user.Id, id, Source, Creator);
            added.Add(write.Current.Group(id)?.Name);
        }

        if (added.Count + removed.Count > 0) write.Audit(null, "user.directory_groups", $"user:{user.Id}", new JsonObject { ["source"] = Source, ["added"] = added, ["removed"] = removed });
    }

    private bool IsRelevant(string name) => name.Trim() is { Length: > 0 and <= NameCharsMax } && (Prefix is null || Normal(name).StartsWith(Normal(Prefix), StringComparison.Ordinal));

    private static string Normal(string name) => name.Trim().ToLowerInvariant();

    /// <summary>Null where the name is taken by a group that is not the directory's to fill: the system groups are reached by their mapping alone.</summary>
    private async Task<GroupRow?> GroupOfAsync(StateWrite write, string name)
    {
        if (AdminGroup is not null && name == Normal(AdminGroup)) return write.Current.GroupByName(Snapshot.AdminGroup);
        if (EveryoneGroup is not null && name == Normal(EveryoneGroup)) return write.Current.GroupByName(Snapshot.EveryoneGroup);
        if (name == Normal(Snapshot.AdminGroup) || name == Normal(Snapshot.EveryoneGroup)) return null;
        if (write.Current.GroupByName(name) is { } known) return !known.IsSystem && (JoinsForeign || known.CreatedBy == Creator) ? known : null;
        var made = new GroupRow { Id = write.NewId(), Name = name, Description = "Made by the sync of the company's directory; its members are managed there.", CreatedAt = write.Now, CreatedBy = Creator };
        await GroupStore.InsertAsync(write, made);
        write.Audit(null, "user_group.create", $"group:{made.Id}", new JsonObject { ["name"] = name, ["source"] = Source });
        return made;
    }

    /// <summary>A directory that forgets its last admin must not lock everybody out; the next sync tries again.</summary>
    private static bool IsLastAdmin(Snapshot snapshot, UserRow user, MembershipRow row) =>
        user.Active && snapshot.Group(row.GroupId) is { IsSystem: true, Name: Snapshot.AdminGroup }
        && !snapshot.WithoutMembership(user.Id, row.GroupId, row.Source).IsAdmin(user.Id) && !LastAdmin.LeavesOthers(snapshot, user);
}
