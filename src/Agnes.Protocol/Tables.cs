namespace Agnes.Protocol;

/// <param name="Type">The engine's name of the type, e.g. <c>BIGINT</c>, <c>STRUCT(a INTEGER)</c>.</param>
public sealed record TableColumn(string Name, string Type, bool Nullable = true);

/// <summary>An immutable Parquet file of a table version.</summary>
/// <param name="Name">Unique within the version; file name without path, e.g. <c>2026-01.parquet</c>.</param>
/// <param name="Sha256">Lower-case hex of the content; also the name of the file in the store.</param>
public sealed record TablePart(string Name, string Sha256, long SizeBytes, long Rows);

/// <summary>The answer of <c>GET /api/sync/parts/{table}/{parts_digest}</c>.</summary>
public sealed record PartsList(long Version, IReadOnlyList<TableColumn> Columns, IReadOnlyList<TablePart> Parts)
{
    /// <summary>SHA-256 over the ordered names and hashes, so that both sides can tell two lists apart without sending them.</summary>
    public static string Digest(IEnumerable<TablePart> parts)
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        foreach (var part in parts) hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{part.Name}\0{part.Sha256}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
