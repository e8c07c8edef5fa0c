using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Uploads;

/// <summary>What laptops brought and did not bring again since. Links are not followed; a user's folder stays.</summary>
internal sealed class RetainedUploads(ServerOptions options) : IRetained
{
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    public string Name => "uploads";

    public TimeSpan KeptFor => options.Limits.KeepUploads;

    public Task<int> RemoveAsync(DateTime before, int batch, CancellationToken cancellation)
    {
        var removed = 0;
        foreach (var kind in UploadFolder.Kinds)
        {
            var folder = new DirectoryInfo(Path.Combine(options.DataDir, kind));
            if (!folder.Exists) continue;
            foreach (var file in folder.EnumerateFiles("*", Below).Where(file => file.LastWriteTimeUtc < before))
            {
                cancellation.ThrowIfCancellationRequested();
                file.Delete();
                if (++removed == batch) return Task.FromResult(removed);
            }
        }

        return Task.FromResult(removed);
    }
}
