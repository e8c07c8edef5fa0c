using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>The only writer of <c>user_group_members</c>. Each source has rows of its own, so that none takes away what another gave.</summary>
internal static class MembershipStore
{
    public const string AdminSource = "admin";
    public const string BreakGlassSource = "cli_break_glass";

    private const string InsertSql =
        """
        INSERT INTO user_group_members (user_id, group_id, source, added_at, added_by) VALUES (@UserId, @GroupId, @Source, @AddedAt, @AddedBy)
        ON CONFLICT (user_id, group_id, source) DO NOTHING
        """;

    private const string DeleteSql = "DELETE FROM user_group_members WHERE user_id = @userId AND group_id = @groupId AND source = @source";

    public static async Task<MembershipRow> AddAsync(StateWrite write, string userId, string groupId, string source, string? addedBy)
    {
        var row = new MembershipRow { UserId = userId, GroupId = groupId, Source = source, AddedAt = write.Now, AddedBy = addedBy };
        await InsertAsync(write, row);
        return row;
    }

    /// <summary>With the time at which it began elsewhere.</summary>
    public static async Task InsertAsync(StateWrite write, MembershipRow row)
    {
        await write.ExecuteAsync(InsertSql, row);
        write.Apply(snapshot => snapshot.WithMembership(row));
    }

    public static async Task RemoveAsync(StateWrite write, string userId, string groupId, string source)
    {
        await write.ExecuteAsync(DeleteSql, new { userId, groupId, source });
        write.Apply(snapshot => snapshot.WithoutMembership(userId, groupId, source));
    }
}
