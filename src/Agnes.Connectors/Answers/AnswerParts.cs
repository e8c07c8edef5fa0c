using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Connectors.Answers;

/// <summary>The Parquet files of an answer become parts as they are.</summary>
internal static class AnswerParts
{
    /// <param name="areOurs">This run has written the files, and nobody needs them where they are.</param>
    /// <exception cref="InvalidDataException">There are none, or their columns differ.</exception>
    public static async Task<(IReadOnlyList<ExtractPart> Parts, IReadOnlyList<TableColumn> Columns)> TakeAsync(
        TableConfig table, IReadOnlyList<string> files, bool areOurs, ExtractWriter writer, IProgress<ExtractEvent> progress,
        CancellationToken cancellation)
    {
        if (files.Count == 0) throw new InvalidDataException("The answer has no file.");
        IReadOnlyList<TableColumn>? columns = null;
        var (parts, rows) = (new List<Task<ExtractPart>>(files.Count), 0L);
        foreach (var (i, file) in files.Index())
        {
            var name = files.Count == 1 ? $"{table.Name}.parquet" : $"{i:D8}.parquet";
            var written = await (areOurs
                ? writer.MovePartAsync(file, name, md5: files.Count == 1, cancellation)
                : writer.TakePartAsync(file, name, md5: files.Count == 1, cancellation));
            parts.Add(written.Storing);
            columns ??= written.Columns;
            if (!columns.SequenceEqual(written.Columns)) throw new InvalidDataException("The files of the answer have different columns.");
            progress.Report(new ExtractEvent("table_progress", table.Name, rows += written.Rows, Phase: "storing"));
        }

        return (await Task.WhenAll(parts), columns!);
    }
}
