using System.Collections.Immutable;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>By what a caller proved who they are.</summary>
public enum CallerKind
{
    /// <summary>Signed in interactively.</summary>
    Session,

    /// <summary>A personal access token.</summary>
    Token,

    /// <summary>The scheduler's secret.</summary>
    Service,

    /// <summary>An admin who looks at things as this person.</summary>
    Simulation,
}

/// <summary>Who asks, as the pinned snapshot knows them. Resolved once per request.</summary>
/// <param name="TokenId">Of the personal access token; null for sessions.</param>
/// <param name="GroupIds">Sorted, so that equal sets are equal lists.</param>
/// <param name="GroupKey">Equal for two callers exactly when they may see the same: <c>*</c> for admins, else the groups.</param>
public sealed record Caller(
    string UserId,
    string Email,
    string? Name,
    bool IsAdmin,
    CallerKind Kind,
    string? TokenId,
    ImmutableArray<string> GroupIds,
    string GroupKey)
{
    private const string AdminKey = "*";

    /// <summary>What the token may be used for; everything where there is none.</summary>
    public string Scope { get; init; } = TokenScope.General;

    /// <summary>The admin who asks in the person's place.</summary>
    public string? SimulatedBy { get; init; }

    /// <summary>Of the session; null for tokens, and where nobody signed in (local development).</summary>
    public string? SessionId { get; init; }

    /// <summary>What users, an admin's or their own, may do follows from their groups at that snapshot.</summary>
    public static Caller Of(Snapshot snapshot, UserRow user, CallerKind kind, string? tokenId = null)
    {
        ImmutableArray<string> groups = [.. snapshot.GroupIdsOf(user.Id).Order(StringComparer.Ordinal)];
        var isAdmin = snapshot.IsAdmin(user.Id);
        return new Caller(user.Id, user.Email, user.Name, isAdmin, kind, tokenId, groups, isAdmin ? AdminKey : string.Join('\n', groups));
    }
}
