using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>The only writer of <c>resource_grants</c>. Features whose resources end ask it to end the grants with them.</summary>
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

    /// <summary>To be called by whoever removes a resource, so that a later one of the same id is not open to whoever had the old one.</summary>
    public static async Task RemoveForAsync(StateWrite write, string type, string resourceId)
    {
        foreach (var grant in write.Current.GrantsOn(type, resourceId).Values) await RemoveAsync(write, grant);
    }
}
