using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>Writes <c>resource_grants</c>, but for tables that end, which take their grants along: <see cref="Platform.Registry.TableGrants"/>.</summary>
public static class GrantStore
{
    private const string InsertSql =
        """
        INSERT INTO resource_grants (id, group_id, resource_type, resource_id, assigned_at, assigned_by)
        VALUES (@Id, @GroupId, @ResourceType, @ResourceId, @AssignedAt, @AssignedBy)
        """;

    public static async Task<GrantRow> AddAsync(StateWrite write, string groupId, string type, string resourceId, string? by)
    {
        var grant = new GrantRow
        {
            Id = write.NewId(),
            GroupId = groupId,
            ResourceType = type,
            ResourceId = resourceId,
            AssignedAt = write.Now,
            AssignedBy = by,
        };
        await InsertAsync(write, grant);
        return grant;
    }

    /// <summary>With the time at which it was made elsewhere.</summary>
    public static async Task InsertAsync(StateWrite write, GrantRow grant)
    {
        await write.ExecuteAsync(InsertSql, grant);
        write.Apply(snapshot => snapshot.WithGrant(grant));
    }

    public static async Task RemoveAsync(StateWrite write, GrantRow grant)
    {
        await write.ExecuteAsync("DELETE FROM resource_grants WHERE id = @Id", grant);
        write.Apply(snapshot => snapshot.WithoutGrant(grant.Id));
    }
}
