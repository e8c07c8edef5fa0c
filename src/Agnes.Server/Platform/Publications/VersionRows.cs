using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Versions of tables, as they are written.</summary>
internal static class VersionRows
{
    public static object Version(PublishedVersion version) => new
    {
        version.Name,
        version.Number,
        version.Source,
        version.Description,
        Columns = StateJson.WriteColumns(version.Columns),
        version.Rows,
        version.Bytes,
        version.Rendition,
        version.Md5,
        version.PartsDigest,
        version.QueryMode,
        version.ExtractedAt,
        version.PublishedAt,
        version.Origin,
        version.InsteadOf,
    };

    public static IEnumerable<object> Parts(PublishedVersion version) => version.Parts.Select((part, i) => new
    {
        version.Name,
        version.Number,
        Ordinal = i,
        PartName = part.Name,
        part.Sha256,
        part.SizeBytes,
        part.Rows,
    });

    public static object State(SyncStateRow row) =>
        new { row.TableId, row.LastSync, row.Rows, row.FileSizeBytes, row.Columns, row.Hash, row.Status, row.Error };

    /// <summary>
    /// The time of the commit in microseconds since 1970: a table that was gone and came back cannot be taken for its former self, and two numbers of one table say
    /// nothing about what happened to others in between.
    /// </summary>
    public static long NextNumber(StateWrite write, string name)
    {
        var now = (write.Now - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return Math.Max(now, (write.Current.Kept.GetValueOrDefault(name)?.ByNumber.Keys.LastOrDefault() ?? 0) + 1);
    }

    public static async Task SupersedeAsync(StateWrite write, PublishedVersion current)
    {
        await write.ExecuteAsync(PublicationSql.Supersede, new { now = write.Now, name = current.Name, number = current.Number });
        write.Apply(snapshot => snapshot.WithVersion(current with { SupersededAt = write.Now }));
    }
}
