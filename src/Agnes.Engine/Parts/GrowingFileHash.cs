using System.Security.Cryptography;
using Agnes.Engine.Limits;

namespace Agnes.Engine.Parts;

/// <summary>
/// Hashes a file of ours while the engine still appends to it, and has what is there written to disk meanwhile, so that little is left to do when the
/// last row is written. (The engine writes Parquet from front to end; the length is compared at the end.)
/// </summary>
internal sealed class GrowingFileHash : IAsyncDisposable
{
    private const int BufferBytes = 1 << 20;
    private const long FlushEveryBytes = 32L << 20;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _ending;
    private readonly Task<(string Sha256, string? Md5)> _work;
    private volatile bool _complete;

    private GrowingFileHash(string path, bool md5, CancellationToken cancellation)
    {
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _work = Task.Run(() => HashAsync(path, md5, _ending.Token), cancellation);
    }

    public static GrowingFileHash Start(string path, bool md5, CancellationToken cancellation) => new(path, md5, cancellation);

    /// <summary>To be called when the file is complete.</summary>
    public Task<(string Sha256, string? Md5)> FinishAsync()
    {
        _complete = true;
        return _work;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        try
        {
            await _work;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Whoever wanted the hashes has been told, or wants them no more.
        }
        _ending.Dispose();
    }

    private async Task<(string, string?)> HashAsync(string path, bool md5, CancellationToken cancellation)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var md5Hash = md5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
        while (!File.Exists(path)) await WaitAsync(path, cancellation);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[BufferBytes];
        var (offset, flushed) = (0L, 0L);
        while (true)
        {
            var complete = _complete; // asked before reading: what is read after it was set is all there is
            int read;
            while ((read = RandomAccess.Read(file, buffer, offset)) > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                sha256.AppendData(buffer, 0, read);
                md5Hash?.AppendData(buffer, 0, read);
                offset += read;
                if (offset - flushed < FlushEveryBytes) continue;
                FileSystem.Flush(path);
                flushed = offset;
            }
            if (complete) break;
            await Task.Delay(Poll, cancellation);
        }
        if (offset != RandomAccess.GetLength(file)) throw new IOException("A part changed while it was hashed.");
        return (Convert.ToHexStringLower(sha256.GetHashAndReset()), md5Hash is null ? null : Convert.ToHexStringLower(md5Hash.GetHashAndReset()));
    }

    private Task WaitAsync(string path, CancellationToken cancellation) =>
        _complete && !File.Exists(path) ? throw new FileNotFoundException("The engine wrote no file.", path) : Task.Delay(Poll, cancellation);
}
