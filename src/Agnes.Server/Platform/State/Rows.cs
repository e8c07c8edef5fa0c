using System.Text.Json;
using Agnes.Engine.Limits;
using Agnes.Engine.Publishing;
using Agnes.Protocol;

namespace Agnes.Server.Platform.State;

// One record for each row that the snapshot holds. Names follow the columns; times are UTC, cut to microseconds.

/// <summary>A row of <c>users</c>.</summary>
public sealed record UserRow
{
    public required string Id { get; init; }
    public required string Email { get; init; }
    public string? Name { get; init; }
    public string? PasswordHash { get; init; }
    public string? SetupToken { get; init; }
    public DateTime? SetupTokenCreated { get; init; }
    public string? ResetToken { get; init; }
    public DateTime? ResetTokenCreated { get; init; }
    public bool Active { get; init; } = true;
    public DateTime? DeactivatedAt { get; init; }
    public string? DeactivatedBy { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime? UpdatedAt { get; init; }
    public bool Onboarded { get; init; }

    /// <summary>Sessions issued before this are refused.</summary>
    public DateTime? SessionsValidAfter { get; init; }

    /// <summary>Without the secrets: a row ends up in a log sooner or later.</summary>
    public override string ToString() => $"user {Id}";
}

/// <summary>A row of <c>user_groups</c>.</summary>
public sealed record GroupRow
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public bool IsSystem { get; init; }
    public DateTime CreatedAt { get; init; }
    public string? CreatedBy { get; init; }
}

/// <summary>A row of <c>user_group_members</c>: one for each source that says the user belongs to the group.</summary>
public sealed record MembershipRow
{
    public required string UserId { get; init; }
    public required string GroupId { get; init; }

    /// <summary><c>admin</c>, <c>google_sync</c>, <c>oidc_sync</c>, <c>system_seed</c> or <c>cli_break_glass</c>.</summary>
    public required string Source { get; init; }
    public DateTime AddedAt { get; init; }
    public string? AddedBy { get; init; }
}

/// <summary>A row of <c>resource_grants</c>.</summary>
public sealed record GrantRow
{
    public required string Id { get; init; }
    public required string GroupId { get; init; }
    public required string ResourceType { get; init; }
    public required string ResourceId { get; init; }
    public DateTime AssignedAt { get; init; }
    public string? AssignedBy { get; init; }
}

/// <summary>What decides of a row of <c>sessions</c>: that it was ended.</summary>
public sealed record EndedSession
{
    public required string Id { get; init; }

    /// <summary>When its token expires by itself; after that the row is of no use.</summary>
    public DateTime ExpiresAt { get; init; }
}

/// <summary>A row of <c>personal_access_tokens</c>, without its last use: see <see cref="StateDb.LastUse"/>.</summary>
public sealed record TokenRow
{
    public required string Id { get; init; }
    public required string UserId { get; init; }
    public required string Name { get; init; }
    public required string TokenHash { get; init; }
    public required string Prefix { get; init; }
    public string? Scopes { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime? ExpiresAt { get; init; }
    public DateTime? RevokedAt { get; init; }

    public override string ToString() => $"token {Id}";
}

/// <summary>A row of <c>table_registry</c>.</summary>
public sealed record TableRow
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string? SourceType { get; init; }
    public string? Bucket { get; init; }
    public string? SourceTable { get; init; }
    public string? SourceQuery { get; init; }
    public string? SyncStrategy { get; init; } = "full_refresh";
    public string? QueryMode { get; init; } = "local";
    public string? SyncSchedule { get; init; }
    public bool ProfileAfterSync { get; init; } = true;

    /// <summary>A JSON array as text.</summary>
    public string? PrimaryKey { get; init; }
    public string? Folder { get; init; }
    public string? Description { get; init; }
    public string? RegisteredBy { get; init; }
    public DateTime RegisteredAt { get; init; }
    public int? IncrementalWindowDays { get; init; }
    public int? MaxHistoryDays { get; init; }
    public int? InitialLoadChunkDays { get; init; }
    public string? IncrementalColumn { get; init; }
    public string? PartitionBy { get; init; }
    public string? PartitionGranularity { get; init; }

    /// <summary>A JSON array as text.</summary>
    public string? WhereFilters { get; init; }

    /// <summary>A JSON object as text: what the kind of source lets people set for a table; see its connector.</summary>
    public string? Settings { get; init; }

    /// <summary>The name of the connection that it is pulled through; null: the default one of its kind of source.</summary>
    public string? Connection { get; init; }

    /// <summary>What its query names, as a JSON array of texts; null where it has none, or names nothing.</summary>
    public string? ReadsTables { get; init; }

    /// <summary>What becomes of it when its source has other columns: <c>freeze</c> or <c>discard</c>; null: <c>evolve</c>.</summary>
    public string? SchemaContract { get; init; }
}

/// <summary>A row of <c>source_connections</c>.</summary>
public sealed record ConnectionRow
{
    /// <summary>Also the name of its folder below <c>extracts/</c>.</summary>
    public required string Name { get; init; }
    public required string Kind { get; init; }

    /// <summary>A JSON object of texts; never a secret.</summary>
    public required string Settings { get; init; }
    public DateTime CreatedAt { get; init; }
    public string? CreatedBy { get; init; }

    public IReadOnlyDictionary<string, string> Values => JsonSerializer.Deserialize(Settings, StateJsonContext.Default.DictionaryStringString) ?? [];
}

/// <summary>A row of <c>sync_state</c>; its key is the table's name.</summary>
public sealed record SyncStateRow
{
    public required string TableId { get; init; }
    public DateTime? LastSync { get; init; }
    public long? Rows { get; init; }
    public long? FileSizeBytes { get; init; }
    public long? UncompressedSizeBytes { get; init; }
    public int? Columns { get; init; }
    public string? Hash { get; init; }
    public string Status { get; init; } = "ok";
    public string? Error { get; init; }
}

/// <summary>A row of <c>table_pulls</c>; its key is the table's name.</summary>
public sealed record TablePullRow
{
    public required string TableName { get; init; }

    /// <summary>The time that the last good pull was for: when its schedule said so, or when somebody asked. Also when it brought nothing new.</summary>
    public DateTime? PulledAt { get; init; }

    /// <summary>In a row.</summary>
    public int Failures { get; init; }
    public DateTime? FailedAt { get; init; }

    /// <summary>No schedule tries it before that.</summary>
    public DateTime? RetryAt { get; init; }

    /// <summary>When its owner was last told of the failures that last; null: of none.</summary>
    public DateTime? AlertedAt { get; init; }
}

/// <summary>A row of <c>view_ownership</c>.</summary>
public sealed record ViewOwnerRow
{
    public required string ViewName { get; init; }
    public required string SourceName { get; init; }
    public DateTime RegisteredAt { get; init; }
}

/// <summary>A row of <c>schema_drifts</c>; its key is the table's name.</summary>
public sealed record SchemaDriftRow
{
    public required string Name { get; init; }
    public DateTime SeenAt { get; init; }

    /// <summary><c>taken</c>, <c>refused</c> or <c>left_out</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>A JSON array of texts.</summary>
    public required string Changes { get; init; }
}

/// <summary>A row of <c>table_versions</c> with its <c>version_parts</c>.</summary>
public sealed record PublishedVersion
{
    public required string Name { get; init; }

    /// <summary>Counts up within the name and is never used twice.</summary>
    public required long Number { get; init; }

    /// <summary>The extract that it came from: a folder under <c>extracts/</c>.</summary>
    public required string Source { get; init; }
    public string? Description { get; init; }
    public required IReadOnlyList<TableColumn> Columns { get; init; }
    public long Rows { get; init; }
    public long Bytes { get; init; }

    /// <summary>The hash of the policy that made these rows; empty for the plain table.</summary>
    public string Rendition { get; init; } = "";
    public required IReadOnlyList<TablePart> Parts { get; init; }

    /// <summary>Of tables of one part only.</summary>
    public string? Md5 { get; init; }
    public required string PartsDigest { get; init; }

    /// <summary>What the engine recognises an unchanged table by; opaque here.</summary>
    public string? Origin { get; init; }
    public string QueryMode { get; init; } = "local";
    public DateTime ExtractedAt { get; init; }
    public DateTime PublishedAt { get; init; }

    /// <summary>The same rows in one file, when a client that knows no parts has asked for it.</summary>
    public WholeFile? Whole { get; init; }
    public DateTime? WholeMadeAt { get; init; }

    /// <summary>
    /// Of a version that an admin went back to: the digest of the one that the source still offers, which is not published again. Empty for
    /// all others.
    /// </summary>
    public string? InsteadOf { get; init; }

    /// <summary>When another version, or none, took its place; empty for the current version.</summary>
    public DateTime? SupersededAt { get; init; }

    public bool IsCurrent => SupersededAt is null;
}
