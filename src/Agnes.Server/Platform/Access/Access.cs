using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>The one place that decides who may read what. Every cost here depends on the caller's groups only.</summary>
public static class Access
{
    public const string TableType = "table";

    /// <summary>Admins read everything; others what a group of theirs was granted.</summary>
    public static bool CanRead(Snapshot snapshot, Caller caller, string registryId) => CanUse(snapshot, caller, TableType, registryId);

    public static bool CanRead(Snapshot snapshot, Caller caller, NamedTable table) => caller.IsAdmin || (table.Id is { } id && CanRead(snapshot, caller, id));

    /// <summary>The same for any type of resource.</summary>
    public static bool CanUse(Snapshot snapshot, Caller caller, string type, string resourceId)
    {
        if (caller.IsAdmin) return true;
        var grants = snapshot.GrantsOn(type, resourceId);
        if (grants.IsEmpty) return false;
        foreach (var group in caller.GroupIds)
        {
            if (grants.ContainsKey(group)) return true;
        }

        return false;
    }

    /// <summary>Why, or why not: for the page that explains it to an admin.</summary>
    public static Explanation Explain(Snapshot snapshot, UserRow user, string type, string resourceId)
    {
        var granting = snapshot.GrantsOn(type, resourceId).Keys
            .Where(snapshot.GroupIdsOf(user.Id).Contains)
            .Select(group => snapshot.Group(group)!)
            .OrderBy(group => group.Name, StringComparer.Ordinal)
            .ToList();
        var isAdmin = snapshot.IsAdmin(user.Id);
        var reason = !user.Active ? "The account is deactivated."
            : isAdmin ? $"Members of '{Snapshot.AdminGroup}' may use everything."
            : granting.Count > 0 ? $"Granted to {string.Join(", ", granting.Select(group => $"'{group.Name}'"))}."
            : snapshot.GrantsOn(type, resourceId).IsEmpty ? "No group was granted it."
            : "The groups that were granted it do not include the user.";
        return new Explanation(user.Active && (isAdmin || granting.Count > 0), reason, granting);
    }
}

/// <param name="Groups">The user's groups that were granted the resource, also where being an admin decides.</param>
public sealed record Explanation(bool Allowed, string Reason, IReadOnlyList<GroupRow> Groups);
