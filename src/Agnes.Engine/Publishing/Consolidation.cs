using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Protocol;

namespace Agnes.Engine.Publishing;

/// <summary>All rows of a table of several parts in one file, for clients that know no parts. It lies in the store like a part, but belongs to no list of parts.</summary>
public sealed record WholeFile(string Sha256, string Md5, long SizeBytes, long Rows);

/// <param name="Stamp">Of the file before it was hashed.</param>
public sealed record MadeWhole(WholeFile File, FileStamp Stamp);

/// <summary>In the worker: writes the rows of several parts, in their order, into one.</summary>
internal static class Consolidation
{
    public static async Task<MadeWhole> WriteAsync(
        DataFolder folder, PartStore store, Share share, string tempFolder, string runId, IReadOnlyList<TablePart> parts, CancellationToken cancellation)
    {
        Scratch.EnsureFree(folder.Parts, parts.Sum(part => part.SizeBytes));
        using var staging = store.Stage(runId);
        var file = staging.NewFile();
        await using var connection = WorkerDatabase.Open(share, tempFolder, [folder.Parts]);
        var (rows, _) = await connection.CopyAsync(TableSource.FromParts([.. parts.Select(part => store.PathOf(part.Sha256))]), file, cancellation);
        if (rows != parts.Sum(part => part.Rows)) throw new WorkerFailedException("The one file has another number of rows than the parts.");
        var md5 = ContentHash.Md5Async(file, cancellation);
        var sha256 = await ContentHash.Sha256Async(file, cancellation);
        var md5Text = await md5;
        var (part, stamp) = await store.AddHashedAsync(file, FileStamp.Of(file), sha256, "whole.parquet", rows, cancellation);
        return new MadeWhole(new WholeFile(sha256, md5Text, part.SizeBytes, rows), stamp);
    }
}
