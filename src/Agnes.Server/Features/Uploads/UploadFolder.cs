using System.Globalization;
using System.Security.Cryptography;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Uploads;

/// <summary>Where uploads lie: <c>DATA_DIR/&lt;kind&gt;/&lt;user&gt;/&lt;name&gt;</c>. A file is whole or absent, and stays below its user's share.</summary>
internal sealed class UploadFolder(ServerOptions options, TimeProvider clock)
{
    public static readonly string[] Kinds = ["user_sessions", "user_artifacts", "user_local_md"];
    /// <summary>What the audit log calls it when something was brought.</summary>
    public const string Action = "upload";
    public const long FileBytesMax = 50 << 20;
    public const long FormOverheadBytesMax = 64 << 10;
    public const int NotesBytesMax = 1 << 20;

    /// <summary>Of one user and kind, together.</summary>
    private const long UserBytesMax = 5L << 30;
    private const int UserFilesMax = 20_000;
    private const int BufferBytes = 64 << 10;
    private const string TemporaryPrefix = ".incoming-";
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(1);

    public static IResult TooLarge() => Problem.Detail(StatusCodes.Status413PayloadTooLarge, "File too large (max 50MB)");

    /// <param name="user">The id of who sends it; empty for kinds that know one file a user.</param>
    /// <returns>The size in bytes.</returns>
    /// <exception cref="ProblemException">Too large, over the user's share, or the disk is full.</exception>
    public async Task<long> StoreAsync(string kind, string user, string name, Stream content, CancellationToken stop)
    {
        var folder = Path.Combine(options.DataDir, kind, user);
        if (user.Length > 0 && (user != Path.GetFileName(user) || user[0] == '.')) throw new ArgumentException("A user's id is one segment of a path.", nameof(user));
        Directory.CreateDirectory(folder);
        var target = Path.Combine(folder, name);
        if (user.Length > 0) RefuseOverShare(folder, target);
        var temporary = Path.Combine(folder, TemporaryPrefix + RandomNumberGenerator.GetHexString(16, lowercase: true));
        try
        {
            var size = await CopyAsync(content, temporary, stop);
            WriteRight.Demand();
            File.Move(temporary, target, overwrite: true);
            return size;
        }
        catch (IOException problem) when (IsDiskFull(problem))
        {
            throw new ProblemException(StatusCodes.Status507InsufficientStorage, "The server's disk is full: nothing was stored. Try again later.");
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static async Task<long> CopyAsync(Stream content, string target, CancellationToken stop)
    {
        await using var file = new FileStream(target, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0, Options = FileOptions.Asynchronous });
        var buffer = new byte[BufferBytes];
        long size = 0;
        int read;
        while ((read = await ReadAsync(content, buffer, stop)) > 0)
        {
            size += read;
            if (size > FileBytesMax) throw new ProblemException(StatusCodes.Status413PayloadTooLarge, "File too large (max 50MB)");
            await file.WriteAsync(buffer.AsMemory(0, read), stop);
        }

        file.Flush(flushToDisk: true);
        return size;
    }

    private static async Task<int> ReadAsync(Stream content, byte[] buffer, CancellationToken stop)
    {
        try
        {
            return await content.ReadAsync(buffer, stop);
        }
        catch (IOException problem) when (problem is not BadHttpRequestException && !stop.IsCancellationRequested)
        {
            throw new ProblemException(StatusCodes.Status400BadRequest, "The form ended in the middle of the file.");
        }
    }

    /// <summary>Grows with the user's own files, which are bounded; leftovers of requests that a crash cut off go at the same time.</summary>
    private void RefuseOverShare(string folder, string target)
    {
        long bytes = 0;
        var files = 0;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
        {
            if (file.Name.StartsWith(TemporaryPrefix, StringComparison.Ordinal))
            {
                if (file.LastWriteTimeUtc < clock.GetUtcNow().UtcDateTime - LeftoverAge) file.Delete();
                continue;
            }

            if (file.FullName == target) continue;
            bytes += file.Length;
            files++;
        }

        if (bytes > UserBytesMax || files >= UserFilesMax)
        {
            throw new ProblemException(StatusCodes.Status413PayloadTooLarge, string.Create(CultureInfo.InvariantCulture, $"Your uploads take {bytes >> 20} MiB in {files} files, which is the most there can be."));
        }
    }

    private static bool IsDiskFull(IOException problem) => (problem.HResult & 0xFFFF) is 0x70 or 0x27 or 28;
}
