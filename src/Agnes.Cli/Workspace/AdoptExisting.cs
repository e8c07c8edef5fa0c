using Agnes.Cli.Workspace.Downloads;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>A file that an earlier program left under <c>server/parquet</c> is taken instead of downloaded, when its content is the one that is wanted.</summary>
internal static class AdoptExisting
{
    public static async Task<Fetched?> TryAsync(Layout layout, WantedTable table, FetchItem item, CancellationToken cancellation)
    {
        var path = Path.Combine(layout.Parquet, table.Name + ".parquet");
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null || (item.SizeBytes is { } size && size != file.Length)) return null;
        if (item.Sha256 is null && (string.IsNullOrEmpty(item.Md5) || !string.Equals(await ContentHash.Md5Async(path, cancellation), item.Md5, StringComparison.OrdinalIgnoreCase))) return null;
        var sha256 = await ContentHash.Sha256Async(path, cancellation);
        if (item.Sha256 is not null && sha256 != item.Sha256) return null;
        HardLink.Place(path, layout.PartPath(sha256));
        return new Fetched(sha256, file.Length, 0);
    }
}
