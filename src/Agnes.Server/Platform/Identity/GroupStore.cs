using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>The only writer of <c>user_groups</c>.</summary>
internal static class GroupStore
{
    private const string InsertSql =
        """
        INSERT INTO user_groups (id, name, description, is_system, created_at, created_by)
        VALUES (@Id, @Name, @Description, @IsSystem, @CreatedAt, @CreatedBy)
        """;

    public static async Task InsertAsync(StateWrite write, GroupRow group)
    {
        await write.ExecuteAsync(InsertSql, group);
        write.Apply(snapshot => snapshot.WithGroup(group));
    }

    public static async Task UpdateAsync(StateWrite write, GroupRow group)
    {
        await write.ExecuteAsync("UPDATE user_groups SET name = @Name, description = @Description WHERE id = @Id", group);
        write.Apply(snapshot => snapshot.WithGroup(group));
    }

    /// <summary>With its members and grants, and with whatever features keep for it.</summary>
    public static async Task DeleteAsync(StateWrite write, string id, Belongings belongings)
    {
        await belongings.EndGroupAsync(write, id);
        await write.ExecuteAsync("DELETE FROM user_group_members WHERE group_id = @id", new { id });
        await write.ExecuteAsync("DELETE FROM resource_grants WHERE group_id = @id", new { id });
        await write.ExecuteAsync("DELETE FROM user_groups WHERE id = @id", new { id });
        write.Apply(snapshot => snapshot.WithoutGroup(id));
    }
}
