using System.Security.Cryptography;
using Agnes.Engine.Limits;

namespace Agnes.Engine.Parts;

/// <summary>A copy that is hashed while it is made: the file is read once.</summary>
internal static class PartCopy
{
    private const int BufferBytes = 4 << 20;

    /// <summary>Clones the file, where the file system can, or copies it.</summary>
    /// <param name="md5">Also compute the MD5.</param>
    public static async Task<(string Sha256, string? Md5)> TakeAsync(OpenedFile file, string target, bool md5, CancellationToken cancellation)
    {
        var isCloned = file.TryCloneTo(target);
        if (!isCloned) Scratch.EnsureFree(Path.GetDirectoryName(target)!, file.Stamp.Size);
        // What is hashed of a clone is the clone: its source may be written to meanwhile.
        await using var source = isCloned ? new FileStream(target, FileMode.Open, FileAccess.Read, FileShare.Read, 1, useAsync: true) : file.OpenRead();
        await using var copy = isCloned ? Stream.Null : new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1, useAsync: true);
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var second = md5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
        var (buffer, next) = (new byte[BufferBytes], new byte[BufferBytes]);
        var read = await source.ReadAsync(buffer, cancellation);
        while (read > 0)
        {
            var (bytes, count) = (buffer, read);
            // The slower hash on another processor, while the next piece is read.
            var hashing = second is null ? Task.CompletedTask : Task.Run(() => second.AppendData(bytes, 0, count), cancellation);
            var writing = copy.WriteAsync(bytes.AsMemory(0, count), cancellation);
            sha256.AppendData(bytes, 0, count);
            await writing;
            read = await source.ReadAsync(next, cancellation);
            await hashing;
            (buffer, next) = (next, buffer);
        }
        return (Convert.ToHexStringLower(sha256.GetHashAndReset()), second is null ? null : Convert.ToHexStringLower(second.GetHashAndReset()));
    }
}
