using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>A kind of source that this server pulls from itself.</summary>
/// <param name="Folder">Below <c>extracts/</c>.</param>
internal sealed record OwnSource(string SourceType, string Folder, string Connector);

/// <summary>Which extracts are ours to write. All others are dropped there by somebody else and served as they are.</summary>
internal static class Sources
{
    public const string SampleType = "sample";

    public static IReadOnlyList<OwnSource> Own { get; } =
    [
        new(TableRules.SourceFiles, TableRules.SourceFiles, "files"),
        new(SampleType, SampleType, "samples"),
    ];

    public static OwnSource? OfType(string? sourceType) => Own.FirstOrDefault(own => own.SourceType == (sourceType ?? TableRules.SourceFiles));

    public static OwnSource? OfFolder(string folder) => Own.FirstOrDefault(own => own.Folder == folder);

    /// <summary>The tables that we pull into a source: registered for it, and not served by somebody else's extract.</summary>
    public static IEnumerable<TableRow> RegisteredFor(this Snapshot snapshot, OwnSource own) => snapshot.TablesById.Values
        .Where(row => OfType(row.SourceType) == own && row.QueryMode is null or TableRules.ModeLocal && !snapshot.IsServedByOther(row.Name, own.Folder))
        .OrderBy(row => row.Name, StringComparer.Ordinal);

    public static bool IsServedByOther(this Snapshot snapshot, string name, string folder) =>
        snapshot.ViewOwners.TryGetValue(name, out var owner) && owner.SourceName != folder;
}
