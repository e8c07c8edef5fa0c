using System.Security.Cryptography;

namespace Agnes.Protocol;

/// <summary>Hashes of whole files, streamed.</summary>
public static class ContentHash
{
    private const int BufferBytes = 1 << 20;

    /// <returns>Lower-case hex.</returns>
    public static Task<string> Sha256Async(string path, CancellationToken cancellation) => HashAsync(path, HashAlgorithmName.SHA256, cancellation);

    /// <summary>For callers that cannot wait otherwise.</summary>
    /// <returns>Lower-case hex.</returns>
    public static string Sha256(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, BufferBytes, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>MD5 is what the wire format asks of whole-table files; it guards against damage, not against an attacker.</summary>
    public static Task<string> Md5Async(string path, CancellationToken cancellation) => HashAsync(path, HashAlgorithmName.MD5, cancellation);

    private static async Task<string> HashAsync(string path, HashAlgorithmName algorithm, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        var buffer = new byte[BufferBytes];
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        int read;
        while ((read = await file.ReadAsync(buffer, cancellation)) > 0) hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
