using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Features.Groups;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Features.Preferences;
using Agnes.Server.Features.Prompts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Commands.Import;

/// <param name="LastUsedAt">Kept beside the token.</param>
internal sealed record ImportedToken(TokenRow Row, DateTime? LastUsedAt, string? LastUsedIp);

/// <summary>The rows that an import wants, made from another installation's by rules alone: the same state gives the same rows, with the same ids.</summary>
internal sealed class ImportPlan
{
    public const string By = "system:import";

    public List<UserRow> Users { get; } = [];

    /// <summary>Without the two system groups, which are here already.</summary>
    public List<GroupRow> Groups { get; } = [];

    /// <summary>The group id of a membership or a grant is the other installation's; the two system groups go by name.</summary>
    public List<MembershipRow> Memberships { get; } = [];

    public List<GrantRow> Grants { get; } = [];

    public List<ImportedToken> Tokens { get; } = [];

    public List<TableRow> Tables { get; } = [];

    public List<PreferenceRow> Preferences { get; } = [];

    public List<MetricRow> Metrics { get; } = [];

    public List<ColumnMetadataRow> Columns { get; } = [];

    public List<TemplateRow> Templates { get; } = [];

    /// <summary>Requests for access that nobody had answered: user, table, reason.</summary>
    public List<(string Id, string? UserId, string? TableId, string? Reason)> DroppedRequests { get; } = [];

    private readonly HashSet<(string User, string Group, string Source)> _members = [];
    private readonly HashSet<(string Group, string Type, string Id)> _granted = [];

    public static ImportPlan Of(ForeignState state, ImportReport report, SourceKinds kinds, ForeignSettings settings, DateTime now)
    {
        var plan = new ImportPlan();
        plan.AddUsers(state, report, now);
        plan.AddGroups(state, report, now);
        plan.AddMemberships(state, report, now);
        plan.AddGrants(state, report, now);
        plan.AddTokens(state, report, now);
        plan.Tables.AddRange(ForeignRegistry.Tables(state, report, kinds, settings, now));
        LegacyAccess.Add(plan, state, report, now);
        plan.AddPreferences(state, report, now);
        plan.Metrics.AddRange(ForeignKnowledge.MetricsOf(state, report, now));
        plan.Columns.AddRange(ForeignKnowledge.ColumnsOf(state, report, now));
        plan.Templates.AddRange(ForeignKnowledge.TemplatesOf(state, report, now));
        return plan;
    }

    public void AddMember(string userId, string groupId, string source, DateTime at, string? by)
    {
        if (_members.Add((userId, groupId, source))) Memberships.Add(new MembershipRow { UserId = userId, GroupId = groupId, Source = source, AddedAt = at, AddedBy = by });
    }

    public void AddGrant(string groupId, string type, string resourceId, DateTime at, string? by, string? id = null)
    {
        if (!_granted.Add((groupId, type, resourceId))) return;
        Grants.Add(new GrantRow { Id = id ?? StableId("grant", groupId, type, resourceId), GroupId = groupId, ResourceType = type, ResourceId = resourceId, AssignedAt = at, AssignedBy = by });
    }

    /// <summary>The same for the same words, so that a second import finds what the first made.</summary>
    public static string StableId(params string[] words) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', words))))[..32];

    private void AddUsers(ForeignState state, ImportReport report, DateTime now)
    {
        var emails = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var row in state.Rows("users").OrderBy(row => row.Time("created_at") ?? DateTime.MaxValue).ThenBy(row => row.Text("id"), StringComparer.Ordinal))
        {
            if (row.Text("id") is not { } id || row.Text("email") is not { } written)
            {
                report.Leave("users", row.Text("id") ?? row.Text("email") ?? "?", "without an id or an e-mail");
                continue;
            }

            var email = written.Trim();
            if (!emails.Add(email))
            {
                report.Leave("users", $"{email} ({id})", "another, older account has the same e-mail but for case or spaces; accounts are not merged");
                continue;
            }

            if (email != written) report.Change("users", email, "spaces around the e-mail removed");
            var hash = row.Text("password_hash");
            if (hash is { Length: > 0 } && !Passwords.IsUsable(hash)) report.NeedPassword.Add(email);
            if (row.Text("setup_token") is not null || row.Text("reset_token") is not null) report.Change("users", email, "a link for setting a password that was sent is void");
            Users.Add(new UserRow
            {
                Id = id,
                Email = email,
                Name = row.Text("name"),
                PasswordHash = hash,
                Active = row.Flag("active") ?? true,
                DeactivatedAt = row.Time("deactivated_at"),
                DeactivatedBy = row.Text("deactivated_by"),
                CreatedAt = row.Time("created_at") ?? now,
                UpdatedAt = row.Time("updated_at"),
                Onboarded = row.Flag("onboarded") ?? false,
            });
        }
    }

    private void AddGroups(ForeignState state, ImportReport report, DateTime now)
    {
        foreach (var row in state.Rows("user_groups"))
        {
            if (row.Text("id") is not { } id || row.Text("name") is not { } name)
            {
                report.Leave("groups", row.Text("id") ?? "?", "without an id or a name");
                continue;
            }

            Groups.Add(new GroupRow
            {
                Id = id,
                Name = name,
                Description = row.Text("description"),
                IsSystem = IsSystem(name),
                CreatedAt = row.Time("created_at") ?? now,
                CreatedBy = row.Text("created_by"),
            });
        }
    }

    private void AddMemberships(ForeignState state, ImportReport report, DateTime now)
    {
        const int strandedUntil = 18;
        var users = Users.Select(user => user.Id).ToHashSet(StringComparer.Ordinal);
        var groups = Groups.ToDictionary(group => group.Id, StringComparer.Ordinal);
        foreach (var row in state.Rows("user_group_members"))
        {
            var (user, group, source) = (row.Text("user_id") ?? "", row.Text("group_id") ?? "", row.Text("source") ?? MembershipStore.AdminSource);
            var name = $"{user} in {group}";
            if (!users.Contains(user) || !groups.TryGetValue(group, out var known)) report.Leave("memberships", name, "the user or the group is not there");
            else if (state.Version < strandedUntil && known.CreatedBy == "system:google-sync" && source != GroupOrigins.GoogleSource) report.Leave("memberships", name, "a group of the directory holds only whom the directory put there");
            else AddMember(user, group, source, row.Time("added_at") ?? now, row.Text("added_by"));
        }
    }

    private void AddGrants(ForeignState state, ImportReport report, DateTime now)
    {
        var groups = Groups.Select(group => group.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var row in state.Rows("resource_grants"))
        {
            var (group, type, resource) = (row.Text("group_id"), row.Text("resource_type"), row.Text("resource_id")?.Trim());
            if (group is null || type is null || string.IsNullOrEmpty(resource) || !groups.Contains(group)) report.Leave("grants", $"{type} {resource}", "the group is not there, or the grant is incomplete");
            else AddGrant(group, type, resource, row.Time("assigned_at") ?? now, row.Text("assigned_by"), row.Text("id"));
        }
    }

    private void AddTokens(ForeignState state, ImportReport report, DateTime now)
    {
        var users = Users.Select(user => user.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var row in state.Rows("personal_access_tokens"))
        {
            if (row.Text("id") is not { } id || row.Text("user_id") is not { } user || !users.Contains(user) || row.Text("token_hash") is not { } hash)
            {
                report.Leave("tokens", $"{row.Text("name")} ({row.Text("id")})", "its owner is not there, or it has no hash to be recognised by");
                continue;
            }

            var scope = row.Text("scopes");
            if (scope is not null && !TokenScope.Known.Contains(scope)) report.Change("tokens", $"{row.Text("name")} ({id})", $"its scope '{scope}' is not known here: it may do nothing");
            var token = new TokenRow
            {
                Id = id,
                UserId = user,
                Name = row.Text("name") ?? "",
                TokenHash = hash,
                Prefix = row.Text("prefix") ?? id[..Math.Min(8, id.Length)],
                Scopes = scope,
                CreatedAt = row.Time("created_at") ?? now,
                ExpiresAt = row.Time("expires_at"),
                RevokedAt = row.Time("revoked_at"),
            };

            // A time that is there but cannot be read must not make a token live for ever.
            if (row.Text("expires_at") is not null && token.ExpiresAt is null || row.Text("revoked_at") is not null && token.RevokedAt is null)
            {
                report.Change("tokens", $"{token.Name} ({id})", "its expiry or revocation cannot be read: it is revoked");
                token = token with { RevokedAt = now };
            }

            Tokens.Add(new ImportedToken(token, row.Time("last_used_at"), row.Text("last_used_ip")));
        }
    }

    private void AddPreferences(ForeignState state, ImportReport report, DateTime now)
    {
        var users = Users.Select(user => user.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var row in state.Rows("user_sync_settings"))
        {
            if (row.Text("user_id") is not { } user || row.Text("dataset") is not { } dataset || !users.Contains(user)) report.Leave("preferences", $"{row.Text("dataset")} of {row.Text("user_id")}", "the user is not there");
            else Preferences.Add(new PreferenceRow { UserId = user, Dataset = dataset, Enabled = row.Flag("enabled") ?? false, TableMode = row.Text("table_mode") ?? "all", Tables = row.Text("tables"), UpdatedAt = row.Time("updated_at") ?? now });
        }
    }

    public static bool IsSystem(string groupName) => groupName is Snapshot.AdminGroup or Snapshot.EveryoneGroup;
}
