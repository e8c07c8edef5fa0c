using System.Collections.Immutable;
using Agnes.Protocol;

namespace Agnes.Server.Platform.State;

/// <summary>The versions of one table that may still be fetched, current ones included.</summary>
public sealed record KeptVersions
{
    public static readonly KeptVersions Empty = new();

    public ImmutableSortedDictionary<long, PublishedVersion> ByNumber { get; private init; } = ImmutableSortedDictionary<long, PublishedVersion>.Empty;

    private ImmutableDictionary<(string Rendition, string Sha256), PartUse> Parts { get; init; } =
        ImmutableDictionary<(string Rendition, string Sha256), PartUse>.Empty;

    private ImmutableDictionary<(string Rendition, string Digest), long> Digests { get; init; } =
        ImmutableDictionary<(string Rendition, string Digest), long>.Empty;

    /// <summary>A part by its hash, if a kept version of the rendition has it.</summary>
    public TablePart? Part(string rendition, string sha256) => Parts.GetValueOrDefault((rendition, sha256))?.Part;

    /// <summary>The newest kept version with this list of parts.</summary>
    public PublishedVersion? WithDigest(string rendition, string partsDigest) =>
        Digests.TryGetValue((rendition, partsDigest), out var number) ? ByNumber.GetValueOrDefault(number) : null;

    internal KeptVersions With(PublishedVersion version)
    {
        var rest = Without(version.Number);
        var parts = rest.Parts.ToBuilder();
        foreach (var part in version.Parts)
        {
            var key = (version.Rendition, part.Sha256);
            var count = parts.TryGetValue(key, out var use) ? use.Count + 1 : 1;
            parts[key] = use?.Number > version.Number ? use with { Count = count } : new(part, version.Number, count);
        }
        var digest = (version.Rendition, version.PartsDigest);
        var newest = rest.Digests.TryGetValue(digest, out var other) && other > version.Number ? other : version.Number;
        return new() { ByNumber = rest.ByNumber.SetItem(version.Number, version), Parts = parts.ToImmutable(), Digests = rest.Digests.SetItem(digest, newest) };
    }

    internal KeptVersions Without(long number)
    {
        if (!ByNumber.TryGetValue(number, out var version)) return this;
        var parts = Parts.ToBuilder();
        foreach (var part in version.Parts)
        {
            var key = (version.Rendition, part.Sha256);
            var use = parts[key];
            if (use.Count == 1) parts.Remove(key);
            else parts[key] = use with { Count = use.Count - 1 };
        }
        var byNumber = ByNumber.Remove(number);
        var digest = (version.Rendition, version.PartsDigest);
        var digests = Digests;
        if (digests[digest] == number)
        {
            var next = byNumber.Values.LastOrDefault(v => v.Rendition == version.Rendition && v.PartsDigest == version.PartsDigest);
            digests = next is null ? digests.Remove(digest) : digests.SetItem(digest, next.Number);
        }
        return new() { ByNumber = byNumber, Parts = parts.ToImmutable(), Digests = digests };
    }

    private sealed record PartUse(TablePart Part, long Number, int Count);
}
