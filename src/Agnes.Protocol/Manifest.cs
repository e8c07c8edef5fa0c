using System.Text.Json.Serialization;

namespace Agnes.Protocol;

/// <summary>What the caller may pull: <c>GET /api/sync/manifest</c>.</summary>
public sealed record Manifest(
    IReadOnlyDictionary<string, ManifestTable> Tables,
    IReadOnlyDictionary<string, ManifestAsset> Assets,
    string ServerTime);

/// <param name="Hash">MD5 of the one (or consolidated) file; empty for remote tables and where no consolidated file was asked for yet.</param>
/// <param name="Id">The registry's id: what grants and downloads are keyed by.</param>
/// <param name="Sha256">Of the one part; absent where the table has several.</param>
/// <param name="PartsDigest">Present where the table has several parts; see <see cref="PartsList.Digest"/>.</param>
public sealed record ManifestTable(
    string Hash,
    string? Updated,
    long SizeBytes,
    long Rows,
    string QueryMode,
    string SourceType,
    string? Id = null,
    long? Version = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Sha256 = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? PartsCount = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PartsDigest = null);

public sealed record ManifestAsset(string Hash);
