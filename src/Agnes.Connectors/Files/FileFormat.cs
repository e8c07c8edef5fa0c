namespace Agnes.Connectors.Files;

internal enum FileKind
{
    Csv,
    Tsv,
    Json,
    NewlineJson,
    Parquet,
}

/// <summary>What a file is, by its name alone.</summary>
/// <param name="Compression"><c>gz</c>, <c>zst</c> or empty.</param>
internal sealed record FileFormat(FileKind Kind, string Compression)
{
    public const string Known = ".csv, .tsv, .json, .ndjson, .jsonl (also with .gz or .zst) and .parquet";

    public bool IsDelimited => Kind is FileKind.Csv or FileKind.Tsv;

    public static FileFormat? Of(string path)
    {
        var name = Path.GetFileName(path).ToLowerInvariant();
        var compression = name.EndsWith(".gz", StringComparison.Ordinal) ? "gz" : name.EndsWith(".zst", StringComparison.Ordinal) ? "zst" : "";
        if (compression.Length > 0) name = name[..^(compression.Length + 1)];
        FileKind? kind = Path.GetExtension(name) switch
        {
            ".csv" or ".txt" => FileKind.Csv,
            ".tsv" or ".tab" => FileKind.Tsv,
            ".json" => FileKind.Json,
            ".ndjson" or ".jsonl" => FileKind.NewlineJson,
            ".parquet" when compression.Length == 0 => FileKind.Parquet,
            _ => null,
        };
        return kind is null ? null : new FileFormat(kind.Value, compression);
    }
}
