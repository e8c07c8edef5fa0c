using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Engine.Extracts;

namespace Agnes.Connectors.Files;

/// <summary>
/// What was guessed of a table's delimited files, in <c>extracts/&lt;source&gt;/read-like/&lt;table&gt;.json</c>, so that the next file is read the same way and
/// one that is written differently is told.
/// </summary>
/// <param name="Formats">Of columns with dates in other than ISO form; they decide where a file alone would leave it open which number is the month.</param>
/// <param name="Columns">Their names; null where it was written down before they were.</param>
/// <param name="ReadAs">The rules and settings under which it was found: under others it says nothing, or a wrong setting would outlive its being taken back.</param>
internal sealed record ReadLike(
    string Delimiter, bool Header, int SkippedLines, string? Encoding, IReadOnlyDictionary<string, string> Formats, IReadOnlyList<string>? Columns = null, string? ReadAs = null)
{
    public bool IsUnder(FileSettings settings) => Columns is not null && ReadAs == settings.ReadAs;

    /// <summary>Whether a file that was read by what is kept here is one of the table: with another delimiter, or a header elsewhere, it has none of its columns.</summary>
    public bool Fits(IReadOnlyList<string> columns, bool header) => header == Header
        && (header ? columns.Intersect(Columns!, StringComparer.OrdinalIgnoreCase).Any() : columns.Count == Columns!.Count);


    /// <returns>Null for a table that was never read, or of which what was written down cannot be read.</returns>
    public static ReadLike? Of(ExtractWriter writer, string table)
    {
        try
        {
            return File.Exists(PathOf(writer, table)) ? JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(writer, table)), ReadLikeJson.Default.ReadLike) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Write(ExtractWriter writer, string table)
    {
        Directory.CreateDirectory(FolderOf(writer));
        var draft = PathOf(writer, table) + ".tmp";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(this, ReadLikeJson.Default.ReadLike));
        File.Move(draft, PathOf(writer, table), overwrite: true);
    }

    /// <summary>Takes away what is kept for tables that are no longer registered.</summary>
    public static void RemoveOthers(ExtractWriter writer, IReadOnlyList<string>? registered)
    {
        if (registered is null || !Directory.Exists(FolderOf(writer))) return;
        var kept = registered.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var file in Directory.EnumerateFiles(FolderOf(writer)).Where(file => !kept.Contains(Path.GetFileNameWithoutExtension(file)))) File.Delete(file);
    }

    /// <summary>In what a file differs from those before it; empty where it does not.</summary>
    public string Deviation(ReadLike before)
    {
        string Told(string what, string was, string now) => was == now ? "" : $"{what} {now}, before {was}";
        string[] all =
        [
            Told("delimiter", Shown(before.Delimiter), Shown(Delimiter)), Told("header", before.Header ? "yes" : "no", Header ? "yes" : "no"),
            Told("lines before it", $"{before.SkippedLines}", $"{SkippedLines}"), Told("encoding", before.Encoding ?? "utf-8", Encoding ?? "utf-8"),
            .. Formats.Where(format => before.Formats.ContainsKey(format.Key)).Select(format => Told($"dates of {format.Key} as", before.Formats[format.Key], format.Value)),
        ];
        return string.Join("; ", all.Where(text => text.Length > 0));
    }

    private static string Shown(string mark) => mark == "\t" ? "tab" : mark;

    private static string FolderOf(ExtractWriter writer) => Path.Combine(writer.Folder.Source(writer.Source), "read-like");

    private static string PathOf(ExtractWriter writer, string table) => Path.Combine(FolderOf(writer), $"{table}.json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ReadLike))]
internal sealed partial class ReadLikeJson : JsonSerializerContext;
