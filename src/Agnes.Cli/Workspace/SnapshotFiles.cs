using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>What is written beside a snapshot's Parquet file: what it was taken from, and how.</summary>
/// <param name="EffectiveAsOf">The time that the rows stand for.</param>
/// <param name="ResultHashMd5">Of the first 1,000,000 bytes, as older clients have it.</param>
/// <param name="ResultSha256">Of the whole file.</param>
internal sealed record SnapshotRecord(
    string Name,
    string TableId,
    IReadOnlyList<string>? Select,
    string? Where,
    long? Limit,
    IReadOnlyList<string>? OrderBy,
    string FetchedAt,
    string EffectiveAsOf,
    long Rows,
    long BytesLocal,
    long EstimatedScanBytesAtFetch,
    [property: JsonPropertyName("result_hash_md5")] string ResultHashMd5,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ResultSha256 = null)
{
    [JsonIgnore]
    public bool IsUsable => Identifiers.IsStrict(Name) && TableId is { Length: > 0 } && FetchedAt is not null && EffectiveAsOf is not null;
}

/// <summary><c>user/snapshots</c>: a Parquet file and a record of each snapshot.</summary>
internal static class SnapshotFiles
{
    private const string RecordExtension = ".meta.json";

    public static string DataPath(Layout layout, string name) => Path.Combine(layout.Snapshots, name + ".parquet");

    public static string RecordPath(Layout layout, string name) => Path.Combine(layout.Snapshots, name + RecordExtension);

    public static string LockPath(Layout layout) => Path.Combine(layout.Snapshots, ".lock");

    /// <summary>Set while the views may differ from the files: a command that is killed in between leaves it to the next pull.</summary>
    public static bool AreChanged(Layout layout) => File.Exists(ChangedPath(layout));

    public static void MarkChanged(Layout layout) => WorkspaceFile.Open(layout, ChangedPath(layout)).Dispose();

    public static void ClearChanged(Layout layout)
    {
        if (AreChanged(layout)) File.Delete(ChangedPath(layout));
    }

    /// <summary>All that can be read, by name; files that are no such record are passed over.</summary>
    public static IReadOnlyList<SnapshotRecord> List(Layout layout)
    {
        if (!Directory.Exists(layout.Snapshots)) return [];
        return
        [
            .. Directory.EnumerateFiles(layout.Snapshots, "*" + RecordExtension).Order(StringComparer.Ordinal)
                .Select(path => Read(layout, Path.GetFileName(path)[..^RecordExtension.Length])).OfType<SnapshotRecord>(),
        ];
    }

    private static string ChangedPath(Layout layout) => Path.Combine(layout.Snapshots, ".changed");

    /// <summary>Null where there is none of that name, or its record cannot be read.</summary>
    public static SnapshotRecord? Read(Layout layout, string name)
    {
        if (!Identifiers.IsStrict(name) || !File.Exists(RecordPath(layout, name))) return null;
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(RecordPath(layout, name)), SnapshotJson.Default.SnapshotRecord);
            return record is { IsUsable: true } && record.Name == name ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static Task WriteAsync(Layout layout, SnapshotRecord record, CancellationToken cancellation) =>
        AtomicFile.WriteAsync(RecordPath(layout, record.Name), (byte[])[.. JsonSerializer.SerializeToUtf8Bytes(record, SnapshotJson.Default.SnapshotRecord), (byte)'\n'], ownerOnly: false, cancellation);

    /// <summary>Those that get a view: the file is there, and the table it was taken from is still the user's.</summary>
    /// <param name="offered">Names and ids of the user's tables.</param>
    public static IReadOnlyList<(string Name, IReadOnlyList<string> Paths)> Usable(Layout layout, HashSet<string> offered, List<string> warnings)
    {
        var usable = new List<(string, IReadOnlyList<string>)>();
        foreach (var record in List(layout))
        {
            if (!File.Exists(DataPath(layout, record.Name))) warnings.Add($"the file of the snapshot '{record.Name}' is gone; remove the rest of it: agnes snapshot drop {record.Name}");
            else if (!offered.Contains(record.TableId)) warnings.Add($"the snapshot '{record.Name}' cannot be queried: its table '{record.TableId}' is no longer among yours; remove it: agnes snapshot drop {record.Name}");
            else usable.Add((record.Name, [DataPath(layout, record.Name)]));
        }

        return usable;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(SnapshotRecord))]
[JsonSerializable(typeof(SnapshotRecord[]))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
