using Agnes.Server.Features.Groups;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <summary>
/// What users could do before there were groups with grants (schema 1 to 18): roles, public tables, permissions of single users. Nobody may do more after an import than before;
/// where that is not certain, less.
/// </summary>
internal static class LegacyAccess
{
    public const string MigratedBy = "system:v19-migration";
    private const string KnowledgeGroup = "Knowledge managers";
    private const int RoleGrantsSince = 9;
    private const int GroupMembersSince = 13;
    private const int PermissionsUntil = 19;
    private static readonly string[] ReadingAccess = ["read", "write", "admin"];

    public static void Add(ImportPlan plan, ForeignState state, ImportReport report, DateTime now)
    {
        var users = plan.Users.ToDictionary(user => user.Id, StringComparer.Ordinal);
        AddRoles(plan, state, report, users, now);
        if (state.Version is >= 11 and < GroupMembersSince) AddGroupNames(plan, state, users, now);
        if (state.Version < GroupMembersSince) AddPluginAccess(plan, state, report, now);
        if (state.Version < PermissionsUntil)
        {
            AddPublicTables(plan, state, now);
            AddPermissions(plan, state, report, users, now);
        }

        foreach (var row in state.Rows("access_requests").Where(row => (row.Text("status") ?? "pending") == "pending"))
        {
            plan.DroppedRequests.Add((row.Text("id") ?? "", row.Text("user_id"), row.Text("table_id"), row.Text("reason")));
            report.Leave("access requests", $"{row.Text("user_email") ?? row.Text("user_id")} for {row.Text("table_id")}", "there are no requests here; each is noted in the audit log");
        }

        foreach (var row in state.Rows("group_mappings")) report.Leave("role mappings", $"{row.Text("external_group_id")} to {row.Text("internal_role_id")}", "roles became groups; who is in them is known at the next sign-in");
    }

    /// <summary>The role of a user until schema 8, the roles that were granted to a user until schema 12.</summary>
    private static void AddRoles(ImportPlan plan, ForeignState state, ImportReport report, Dictionary<string, UserRow> users, DateTime now)
    {
        var roles = state.Version < RoleGrantsSince
            ? state.Rows("users").Select(row => (User: row.Text("id"), Role: row.Text("role")))
            : state.Version < GroupMembersSince ? GrantedRoles(state, report) : [];
        foreach (var (user, role) in roles.Distinct().Where(held => held.User is not null && users.ContainsKey(held.User)))
        {
            if (role == "admin")
            {
                plan.AddMember(user!, Group(plan, Snapshot.AdminGroup), Everyone.SeedSource, now, ImportPlan.By);
                report.Change("users", users[user!].Email, "the role admin became membership of the group Admin");
            }
            else if (role == "km_admin")
            {
                plan.AddMember(user!, Group(plan, KnowledgeGroup, ImportPlan.By, now), MembershipStore.AdminSource, now, ImportPlan.By);
                report.Change("users", users[user!].Email, $"the role km_admin became membership of the group {KnowledgeGroup}");
            }
        }
    }

    /// <summary>Roles imply others; <c>core.admin</c> by way of any role makes an admin.</summary>
    private static IEnumerable<(string? User, string? Role)> GrantedRoles(ForeignState state, ImportReport report)
    {
        var byId = state.Rows("internal_roles").Where(row => row.Text("id") is not null).DistinctBy(row => row.Text("id")).ToDictionary(row => row.Text("id")!, StringComparer.Ordinal);
        var byKey = byId.Values.Where(row => row.Text("key") is not null).DistinctBy(row => row.Text("key")).ToDictionary(row => row.Text("key")!, StringComparer.Ordinal);
        foreach (var grant in state.Rows("user_role_grants"))
        {
            if (grant.Text("internal_role_id") is not { } id || !byId.TryGetValue(id, out var role) || role.Text("key") is not { } key) continue;
            if (!key.StartsWith("core.", StringComparison.Ordinal)) report.Leave("role grants", $"{key} of {grant.Text("user_id")}", "a role of a module, which has no meaning here");
            var implied = Implied(key, byKey);
            if (implied.Contains("core.admin")) yield return (grant.Text("user_id"), "admin");
            else if (implied.Contains("core.km_admin")) yield return (grant.Text("user_id"), "km_admin");
        }
    }

    private static HashSet<string> Implied(string key, Dictionary<string, ForeignRow> roles)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<string>([key]);
        while (waiting.TryPop(out var next))
        {
            if (!reached.Add(next) || !roles.TryGetValue(next, out var role)) continue;
            foreach (var implied in role.List("implies")) waiting.Push(implied);
        }

        return reached;
    }

    /// <summary>Schema 12 kept the names of a user's groups with the user.</summary>
    private static void AddGroupNames(ImportPlan plan, ForeignState state, Dictionary<string, UserRow> users, DateTime now)
    {
        var groups = plan.Groups.DistinctBy(group => group.Name).ToDictionary(group => group.Name, group => group.Id, StringComparer.Ordinal);
        foreach (var row in state.Rows("users").Where(row => row.Text("id") is { } id && users.ContainsKey(id)))
        {
            foreach (var name in row.List("groups").Where(groups.ContainsKey)) plan.AddMember(row.Text("id")!, groups[name], GroupOrigins.GoogleSource, now, "system:v13-backfill");
        }
    }

    private static void AddPluginAccess(ImportPlan plan, ForeignState state, ImportReport report, DateTime now)
    {
        var groups = plan.Groups.Select(group => group.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var row in state.Rows("plugin_access"))
        {
            var (group, plugin) = (row.Text("group_id"), $"{row.Text("marketplace_id")}/{row.Text("plugin_name")}");
            if (group is not null && groups.Contains(group)) plan.AddGrant(group, "marketplace_plugin", plugin, row.Time("granted_at") ?? now, row.Text("granted_by"));
            else report.Leave("plugin access", plugin, "the group is not there");
        }
    }

    /// <summary>Until schema 18 everybody could read a public table. Before schema 3 there was no such thing, and nothing is made public afterwards.</summary>
    private static void AddPublicTables(ImportPlan plan, ForeignState state, DateTime now)
    {
        var tables = plan.Tables.Select(table => table.Id).ToHashSet(StringComparer.Ordinal);
        var open = state.Rows("table_registry").Where(row => row.Flag("is_public") == true && row.Text("id") is { } id && tables.Contains(id)).Select(row => row.Text("id")!).ToList();
        if (open.Count == 0) return;
        var everyone = Group(plan, Snapshot.EveryoneGroup);

        // Where Everyone was granted something already, whoever was not in it must not get that now.
        var hasGrants = plan.Grants.Any(grant => grant.GroupId == everyone);
        var members = plan.Memberships.Where(row => row.GroupId == everyone).Select(row => row.UserId).ToHashSet(StringComparer.Ordinal);
        var others = hasGrants ? plan.Users.Where(user => !members.Contains(user.Id)).ToList() : [];
        foreach (var id in open) plan.AddGrant(everyone, Access.TableType, id, now, MigratedBy);
        foreach (var user in plan.Users.Except(others).ToList()) plan.AddMember(user.Id, everyone, Everyone.SeedSource, now, MigratedBy);
        if (others.Count == 0) return;
        var apart = Group(plan, "migrated-public", MigratedBy, now);
        foreach (var id in open) plan.AddGrant(apart, Access.TableType, id, now, MigratedBy);
        foreach (var user in others) plan.AddMember(user.Id, apart, MembershipStore.AdminSource, now, MigratedBy);
    }

    /// <summary>Users who could read the same tables become one group.</summary>
    private static void AddPermissions(ImportPlan plan, ForeignState state, ImportReport report, Dictionary<string, UserRow> users, DateTime now)
    {
        var byBucket = plan.Tables.ToLookup(table => table.Bucket ?? "", table => table.Id, StringComparer.Ordinal);
        var ids = plan.Tables.Select(table => table.Id).ToHashSet(StringComparer.Ordinal);
        var held = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var row in state.Rows("dataset_permissions"))
        {
            var (user, dataset) = (row.Text("user_id") ?? "", row.Text("dataset") ?? "");
            var name = $"{(users.TryGetValue(user, out var owner) ? owner.Email : user)} on {dataset}";
            IEnumerable<string> tables = dataset.EndsWith(".*", StringComparison.Ordinal) ? byBucket[dataset[..^2]] : ids.Contains(dataset) ? [dataset] : [];
            if (!ReadingAccess.Contains(row.Text("access") ?? "read")) report.Leave("permissions", name, $"an access '{row.Text("access")}' is not known");
            else if (owner is null) report.Leave("permissions", name, "the user is not there");
            else if (!tables.Any()) report.Leave("permissions", name, "there is no such table, or nothing in the bucket");
            else
            {
                if (!held.TryGetValue(user, out var set)) held[user] = set = new SortedSet<string>(StringComparer.Ordinal);
                set.UnionWith(tables);
            }
        }

        var number = 0;
        foreach (var sharing in held.GroupBy(pair => string.Join('\n', pair.Value), StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var name = $"migrated-{++number}";
            var group = Group(plan, name, MigratedBy, now);
            foreach (var (user, _) in sharing) plan.AddMember(user, group, MembershipStore.AdminSource, now, MigratedBy);
            foreach (var table in sharing.First().Value) plan.AddGrant(group, Access.TableType, table, now, MigratedBy);
            report.Change("permissions", name, $"permissions of {sharing.Count()} users on {sharing.First().Value.Count} tables became a group with grants");
        }
    }

    /// <summary>The id of a group that the other installation has, or of one that is made for it. System groups go by name.</summary>
    private static string Group(ImportPlan plan, string name, string? by = null, DateTime now = default)
    {
        if (plan.Groups.FirstOrDefault(group => group.Name == name) is { } known)
        {
            // Somebody else's group of that name has grants of its own.
            if (by is null || known.CreatedBy == by) return known.Id;
            return Group(plan, $"{name} (imported)", by, now);
        }

        var made = new GroupRow { Id = ImportPlan.StableId("group", name), Name = name, IsSystem = ImportPlan.IsSystem(name), CreatedAt = now, CreatedBy = by };
        plan.Groups.Add(made);
        return made.Id;
    }
}
