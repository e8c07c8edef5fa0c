using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

internal sealed record GroupView(
    string Id, string Name, string? Description, bool IsSystem, string Origin, string CreatedAt, string? CreatedBy, int MemberCount, int GrantCount, bool IsGoogleManaged, string? MappedEmail)
{
    public static GroupView Of(Snapshot snapshot, GroupRow group, GroupOrigins origins, int grants) => new(
        group.Id, group.Name, group.Description, group.IsSystem, origins.Origin(group), Timestamps.Spaced(group.CreatedAt), group.CreatedBy,
        snapshot.UserIdsOf(group.Id).Count, grants, origins.IsGoogleManaged(group), origins.MappedEmail(group));
}

internal sealed record OverviewGroup(
    string Id, string Name, string? Description, bool IsSystem, string Origin, string? CreatedBy, int MemberCount, int GrantCount, bool IsGoogleManaged, string? MappedEmail);

internal sealed record OverviewGrant(string Id, string GroupId, string ResourceType, string ResourceId);

internal sealed record OverviewResources(string TypeKey, string TypeDisplay, IReadOnlyList<ResourceBlock> Blocks);

internal sealed record AccessOverview(IReadOnlyList<OverviewGroup> Groups, IReadOnlyList<OverviewGrant> Grants, IReadOnlyList<OverviewResources> Resources);

internal sealed record ResourceTypeView(string Key, string DisplayName, string Description, string IdFormat);

internal sealed record MemberView(string UserId, string Email, string? Name, bool Active, string Source, string? AddedAt, string? AddedBy);

internal sealed record MembershipView(string GroupId, string GroupName, bool IsSystem, string Origin, string Source, string? AddedAt, string? AddedBy);

/// <param name="Exists">Only where a grant is made: false warns of a resource that is not there (yet).</param>
internal sealed record GrantView(
    string Id, string GroupId, string GroupName, string ResourceType, string ResourceId, string AssignedAt, string? AssignedBy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Exists = null)
{
    public static GrantView Of(Snapshot snapshot, GrantRow grant) => new(
        grant.Id, grant.GroupId, snapshot.Group(grant.GroupId)?.Name ?? "", grant.ResourceType, grant.ResourceId, Timestamps.Spaced(grant.AssignedAt), grant.AssignedBy);
}

internal sealed record BulkOutcome(IReadOnlyList<GrantView> Added, IReadOnlyList<string> Removed, int Unchanged);

internal sealed record ViaGroup(string GroupId, string GroupName);

internal sealed record EffectiveItem(string ResourceType, string ResourceId, IReadOnlyList<ViaGroup> ViaGroups);

internal sealed record EffectiveView(bool IsAdmin, IReadOnlyList<EffectiveItem> Items);

internal sealed record ExplanationView(
    bool Allowed, string Reason, string UserId, string Email, bool IsAdmin, bool Active, string ResourceType, string ResourceId, bool ResourceExists, IReadOnlyList<ViaGroup> ViaGroups, IReadOnlyList<ViaGroup> GrantedTo);

/// <param name="Allowed">Whether the person may use it now: being deactivated takes everything away.</param>
internal sealed record HolderView(string UserId, string Email, bool Active, bool IsAdmin, bool Allowed, IReadOnlyList<ViaGroup> ViaGroups);

internal sealed record HoldersView(string ResourceType, string ResourceId, bool ResourceExists, IReadOnlyList<ViaGroup> GrantedTo, IReadOnlyList<HolderView> People);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HoldersView))]
[JsonSerializable(typeof(GroupView))]
[JsonSerializable(typeof(IReadOnlyList<GroupView>))]
[JsonSerializable(typeof(AccessOverview))]
[JsonSerializable(typeof(IReadOnlyList<ResourceTypeView>))]
[JsonSerializable(typeof(MemberView))]
[JsonSerializable(typeof(IReadOnlyList<MemberView>))]
[JsonSerializable(typeof(MembershipView))]
[JsonSerializable(typeof(IReadOnlyList<MembershipView>))]
[JsonSerializable(typeof(GrantView))]
[JsonSerializable(typeof(IReadOnlyList<GrantView>))]
[JsonSerializable(typeof(BulkOutcome))]
[JsonSerializable(typeof(EffectiveView))]
[JsonSerializable(typeof(ExplanationView))]
internal sealed partial class GroupsJson : JsonSerializerContext;
