using System.Globalization;
using System.IO.Compression;
using System.Text;
using DuckDB.NET.Data;

namespace Agnes.Emulators.Keboola;

/// <summary>How exports are written down.</summary>
public sealed record FileForm
{
    public Cloud Cloud { get; init; }

    /// <summary>Rows of a slice; null: one file that is not sliced.</summary>
    public int? SliceRows { get; init; }

    public bool IsPacked { get; init; } = true;

    /// <summary>Slices have none by the service's documentation; some have one in the first.</summary>
    public bool HasHeaderInFirstSlice { get; init; }
}

/// <summary>A file that an export made: its pieces by name, and how they are fetched.</summary>
internal sealed record ExportedFile(long Id, string Name, FileForm Form, IReadOnlyList<(string Name, byte[] Bytes)> Pieces)
{
    public bool IsSliced => Form.SliceRows is not null;

    public long Size => Pieces.Sum(piece => (long)piece.Bytes.Length);

    public static ExportedFile Write(long id, ExportRequest asked, IReadOnlyList<string?[]> rows, FileForm form)
    {
        var suffix = asked.IsParquet ? ".parquet" : form.IsPacked ? ".csv.gz" : ".csv";
        if (form.SliceRows is not { } size)
        {
            var name = $"{id}{suffix}";
            return new ExportedFile(id, name, form, [(name, Bytes(asked, rows, form, hasHeader: true))]);
        }

        // Named as a warehouse unloads: numbers without leading zeros.
        var pieces = rows.Chunk(size).Index().Select(slice => (
            $"{id}.csv_{slice.Index / 8}_{slice.Index % 8}_{slice.Index}{suffix}",
            Bytes(asked, slice.Item, form, form.HasHeaderInFirstSlice && slice.Index == 0))).ToList();
        if (pieces.Count == 0) pieces.Add(($"{id}.csv_0_0_0{suffix}", Bytes(asked, [], form, form.HasHeaderInFirstSlice)));
        return new ExportedFile(id, $"{id}{suffix}", form, pieces);
    }

    private static byte[] Bytes(ExportRequest asked, IReadOnlyList<string?[]> rows, FileForm form, bool hasHeader)
    {
        if (asked.IsParquet) return Parquet(asked.Columns, rows);
        var text = new StringBuilder();
        if (hasHeader) Append(text, asked.Columns);
        foreach (var row in rows) Append(text, row);
        var plain = Encoding.UTF8.GetBytes(text.ToString());
        if (!form.IsPacked) return plain;
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest)) zip.Write(plain);
        return packed.ToArray();
    }

    /// <summary>Everything is quoted, but for what has no value.</summary>
    private static void Append(StringBuilder text, IReadOnlyList<string?> cells)
    {
        text.AppendJoin(',', cells.Select(cell => cell is null ? "" : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))
            .Append('\n');
    }

    private static byte[] Parquet(IReadOnlyList<string> columns, IReadOnlyList<string?[]> rows)
    {
        var file = Path.Combine(Path.GetTempPath(), $"keboola-emulator-{Guid.NewGuid():N}.parquet");
        try
        {
            using var connection = new DuckDBConnection("Data Source=:memory:");
            connection.Open();
            var list = string.Join(", ", columns.Select(column => $"\"{column.Replace("\"", "\"\"", StringComparison.Ordinal)}\" VARCHAR"));
            connection.ExecuteUnprepared($"CREATE TABLE unloaded({list})");
            using (var appender = connection.CreateAppender("unloaded"))
            {
                foreach (var cells in rows)
                {
                    foreach (var cell in cells) appender.Append(cell);
                    appender.EndRow();
                }

                appender.Close();
            }

            connection.ExecuteUnprepared(string.Create(CultureInfo.InvariantCulture, $"COPY unloaded TO '{file}' (FORMAT parquet)"));
            return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
