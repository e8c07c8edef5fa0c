using Agnes.Engine.Limits;
using Agnes.Protocol;

namespace Agnes.Engine.Publishing;

/// <summary>
/// The origin of a version that leaves columns of its source out: a first line with the parts of the source, one for each of the version's and in their order,
/// then the origin that it would have had otherwise.
/// </summary>
public static class LeftOutOrigin
{
    private const string Start = "discard ";

    public static bool Is(string? origin) => origin?.StartsWith(Start, StringComparison.Ordinal) == true;

    /// <summary>
    /// Hashes of parts that no version has and that must stay all the same, since an extract of ours is made of them: the next run goes on from there.
    /// Of a foreign extract there are none, since its own files stay where they are.
    /// </summary>
    public static IEnumerable<string> HeldParts(string? origin) => Is(origin) && InnerOf(origin) is null ? HashesOf(origin!) : [];

    internal static string Of(IReadOnlyList<TablePart> parts, string? inner) => $"{Start}{string.Join(',', parts.Select(part => part.Sha256))}\n{inner}";

    /// <summary>What the origin would be had nothing been left out.</summary>
    internal static string? InnerOf(string? origin)
    {
        if (!Is(origin)) return origin;
        var inner = origin![(origin!.IndexOf('\n') + 1)..];
        return inner.Length == 0 ? null : inner;
    }

    /// <summary>By the hash of a part of the source, what was made of it for the version before.</summary>
    internal static IReadOnlyDictionary<string, CopiedPart> CopiesOf(PublishedTable before)
    {
        if (!Is(before.Origin)) return new Dictionary<string, CopiedPart>();
        var hashes = HashesOf(before.Origin!);
        if (hashes.Length != before.Parts.Count) return new Dictionary<string, CopiedPart>();
        return hashes.Select((hash, i) => (hash, Part: new CopiedPart(before.Parts[i], before.Stamps[i])))
            .DistinctBy(pair => pair.hash).ToDictionary(pair => pair.hash, pair => pair.Part, StringComparer.Ordinal);
    }

    private static string[] HashesOf(string origin) =>
        origin[Start.Length..origin.IndexOf('\n')].Split(',', StringSplitOptions.RemoveEmptyEntries);
}

/// <param name="Stored">Of its file in the store, when it was known to be whole.</param>
internal sealed record CopiedPart(TablePart Part, FileStamp Stored);
