using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>The only writer of <c>resource_grants</c>, beside groups that end.</summary>
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

    /// <summary>All on one resource, which is no more.</summary>
    /// <returns>How many there were.</returns>
    public static async Task<int> EndResourceAsync(StateWrite write, string type, string resourceId)
    {
        var grants = write.Current.GrantsOn(type, resourceId).Values.ToList();
        if (grants.Count == 0) return 0;
        await write.ExecuteAsync("DELETE FROM resource_grants WHERE resource_type = @type AND resource_id = @resourceId", new { type, resourceId });
        foreach (var grant in grants) write.Apply(snapshot => snapshot.WithoutGrant(grant.Id));
        return grants.Count;
    }

    public static async Task RemoveAsync(StateWrite write, GrantRow grant)
    {
        await write.ExecuteAsync("DELETE FROM resource_grants WHERE id = @Id", grant);
        write.Apply(snapshot => snapshot.WithoutGrant(grant.Id));
    }
}
