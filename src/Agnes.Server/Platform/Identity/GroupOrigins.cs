using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Identity;

/// <summary>Where a group comes from, and with that who may change it. Computed, not stored.</summary>
internal sealed class GroupOrigins(ServerOptions options)
{
    public const string GoogleSource = "google_sync";
    public const string GoogleCreator = "system:google-sync";
    public const string IssuerSource = "oidc_sync";
    public const string IssuerCreator = "system:oidc-sync";
    private const string GoogleCreatorPrefix = "system:google";
    private const string SystemCreator = "system:";

    public string Origin(GroupRow group)
    {
        if (group.IsSystem) return MappedEmail(group) is null ? "system" : GoogleSource;
        if (group.CreatedBy?.StartsWith(GoogleCreatorPrefix, StringComparison.Ordinal) is true) return GoogleSource;
        if (group.CreatedBy == IssuerCreator) return IssuerSource;
        return group.CreatedBy?.StartsWith(SystemCreator, StringComparison.Ordinal) is true ? "system" : "custom";
    }

    public bool IsGoogleManaged(GroupRow group) => Origin(group) == GoogleSource;

    /// <summary>Whether a directory, of whatever kind, says who is in it.</summary>
    public bool IsManaged(GroupRow group) => Origin(group) is GoogleSource or IssuerSource;

    /// <summary>The directory's group that stands for a system group, when the operator named one.</summary>
    public string? MappedEmail(GroupRow group) => !group.IsSystem ? null : group.Name switch
    {
        Snapshot.AdminGroup => options.GroupAdminEmail,
        Snapshot.EveryoneGroup => options.GroupEveryoneEmail,
        _ => null,
    };

    public bool IsSsoUser(Snapshot snapshot, string userId) => snapshot.MembershipsOf(userId).Any(row => snapshot.Group(row.GroupId) is { } group
        && (group.IsSystem ? row.Source == GoogleSource && MappedEmail(group) is not null : IsManaged(group)));

    /// <summary>Answers 409: what a directory manages is changed there.</summary>
    public void RefuseManaged(GroupRow group)
    {
        if (Origin(group) == IssuerSource)
        {
            throw new ProblemException(StatusCodes.Status409Conflict, "directory_managed_readonly", $"The group '{group.Name}' is managed in the company's directory: change it there.");
        }

        if (IsGoogleManaged(group))
        {
            throw new ProblemException(StatusCodes.Status409Conflict, "google_managed_readonly", $"The group '{group.Name}' is managed in Google Workspace: change it there.");
        }
    }

    public void RefuseSsoUser(Snapshot snapshot, UserRow user)
    {
        if (IsSsoUser(snapshot, user.Id)) throw new ProblemException(StatusCodes.Status409Conflict, "The account is managed by an external provider: change it there.");
    }
}
