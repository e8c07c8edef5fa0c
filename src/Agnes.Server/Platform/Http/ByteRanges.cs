using System.Globalization;
using System.Runtime.InteropServices;

namespace Agnes.Server.Platform.Http;

/// <summary>A piece of a file, both ends inclusive.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ByteRange(long First, long Last)
{
    public long Length => Last - First + 1;
}

internal enum RangeOutcome
{
    /// <summary>No range, or one in a unit that we do not know: the whole file.</summary>
    Whole,
    Partial,
    Unsatisfiable,
    Malformed,
}

/// <summary>The <c>Range</c> header of RFC 9110 §14. Overlapping ranges are merged, so that nobody can ask for more bytes than the file has.</summary>
internal static class ByteRanges
{
    /// <summary>More than this many is no client of ours but somebody who wants to make us work.</summary>
    private const int RangesMax = 64;

    public static (RangeOutcome Outcome, IReadOnlyList<ByteRange> Ranges) Parse(string? header, long size)
    {
        if (string.IsNullOrEmpty(header)) return (RangeOutcome.Whole, []);
        var equals = header.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0) return (RangeOutcome.Malformed, []);
        if (!header.AsSpan(0, equals).Trim().Equals("bytes", StringComparison.OrdinalIgnoreCase)) return (RangeOutcome.Whole, []);

        var found = new List<ByteRange>();
        var specs = 0;
        foreach (var part in header.AsSpan(equals + 1).Split(','))
        {
            var spec = header.AsSpan(equals + 1)[part].Trim();
            if (spec.IsEmpty) continue; // a list may hold empty elements
            if (++specs > RangesMax || !TryParseSpec(spec, size, out var range)) return (RangeOutcome.Malformed, []);
            if (range is { } usable) found.Add(usable);
        }
        if (specs == 0) return (RangeOutcome.Malformed, []);
        return found.Count == 0 ? (RangeOutcome.Unsatisfiable, []) : (RangeOutcome.Partial, Merge(found));
    }

    /// <returns>False where the text is no range; a null range where it lies outside the file.</returns>
    private static bool TryParseSpec(ReadOnlySpan<char> spec, long size, out ByteRange? range)
    {
        range = null;
        var dash = spec.IndexOf('-');
        if (dash < 0) return false;
        var left = spec[..dash].Trim();
        var right = spec[(dash + 1)..].Trim();
        if (left.IsEmpty)
        {
            if (!TryParseNumber(right, out var suffix)) return false;
            if (suffix > 0 && size > 0) range = new ByteRange(Math.Max(0, size - suffix), size - 1);
            return true;
        }

        if (!TryParseNumber(left, out var first)) return false;
        var last = long.MaxValue;
        if (!right.IsEmpty && !TryParseNumber(right, out last)) return false;
        if (last < first) return false;
        if (first < size) range = new ByteRange(first, Math.Min(last, size - 1));
        return true;
    }

    /// <summary>Digits only; a number too large for a file position counts as the largest.</summary>
    private static bool TryParseNumber(ReadOnlySpan<char> text, out long number)
    {
        number = 0;
        if (text.IsEmpty || text.ContainsAnyExceptInRange('0', '9')) return false;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)) number = long.MaxValue;
        return true;
    }

    private static List<ByteRange> Merge(List<ByteRange> ranges)
    {
        var merged = new List<ByteRange>(ranges.Count);
        foreach (var range in ranges.OrderBy(r => r.First))
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
                merged[^1] = merged[^1] with { Last = Math.Max(merged[^1].Last, range.Last) };
            else
                merged.Add(range);
        }
        return merged;
    }
}
