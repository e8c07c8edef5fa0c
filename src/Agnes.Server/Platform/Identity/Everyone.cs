using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>The group that every active user is in, unless the instance's <c>auth.everyone_membership</c> is <c>explicit</c>.</summary>
internal static class Everyone
{
    public const string SeedSource = "system_seed";
    public const string AddedBy = "system:everyone";

    public static async Task AddAsync(StateWrite write, string userId)
    {
        if (write.EveryoneByHand || write.Current.GroupByName(Snapshot.EveryoneGroup) is not { } everyone || write.Current.GroupIdsOf(userId).Contains(everyone.Id)) return;
        await MembershipStore.AddAsync(write, userId, everyone.Id, SeedSource, AddedBy);
    }

    /// <summary>At the start: users who came by another way, an import or an older version.</summary>
    public static async Task EnsureAsync(StateDb state, CancellationToken stop)
    {
        if (state.Options.EveryoneByHand || !Missing(state.Snapshot).Any()) return;
        await state.WriteAsync(
            async write =>
            {
                foreach (var user in Missing(write.Before).ToList()) await AddAsync(write, user.Id);
            },
            stop);
    }

    private static IEnumerable<UserRow> Missing(Snapshot snapshot) => snapshot.GroupByName(Snapshot.EveryoneGroup) is { } everyone
        ? snapshot.UsersById.Values.Where(user => user.Active && !snapshot.GroupIdsOf(user.Id).Contains(everyone.Id))
        : [];
}
