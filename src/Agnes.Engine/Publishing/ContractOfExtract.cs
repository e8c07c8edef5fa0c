using Agnes.Engine.Extracts;

namespace Agnes.Engine.Publishing;

/// <summary>Holds a table that a run has written to its contract, before it takes its place in our extract.</summary>
internal static class ContractOfExtract
{
    /// <param name="published">What is published of the source, with the contracts of its tables.</param>
    /// <returns>Why the table has to stay as it was; null where nothing is in its way.</returns>
    public static async Task<FailedTable?> RefusalAsync(
        ExtractWriter writer, IReadOnlyList<PublishedTable> published, ExtractTable table, CancellationToken cancellation)
    {
        var before = published.FirstOrDefault(one => string.Equals(one.Name, table.Name, StringComparison.OrdinalIgnoreCase));
        if (SchemaContract.Drift(before, table.Columns) is not { } drift) return null;
        try
        {
            SchemaContract.Check(before!, drift);
            var known = LeftOutOrigin.CopiesOf(before!);
            List<ExtractPart> fresh = [.. table.Parts.Where(part => !known.ContainsKey(part.Part.Sha256))];
            if (fresh.Count > 0) await SchemaContract.CheckCellsAsync(writer.Connection, before!, drift, writer.Read(fresh), cancellation);
            return null;
        }
        catch (SchemaContractException refused)
        {
            return new FailedTable(table.Name, refused.Message) { Drift = refused.Drift };
        }
    }
}
