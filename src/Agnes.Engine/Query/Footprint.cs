using System.Security.Cryptography;
using System.Text;

namespace Agnes.Engine.Query;

/// <summary>The table versions that one statement names: what a sandbox is built of, and cached by. Never a user, never a set of grants.</summary>
/// <param name="Key">Empty: not to be kept. Else equal for two footprints exactly when they name the same versions in the same renditions.</param>
/// <param name="Tables">By name, without doubles.</param>
public sealed record Footprint(string Key, IReadOnlyList<ScopedTable> Tables)
{
    /// <summary>No table at all, as in <c>SELECT 1</c>.</summary>
    public static Footprint Empty { get; } = new("", []);

    /// <exception cref="Parts.PartDamagedException">A part of one of the tables is not what was published.</exception>
    public void Verify()
    {
        foreach (var table in Tables) table.Verify();
    }

    /// <summary>With files among the tables that live for one statement: a sandbox of it is not kept.</summary>
    public static Footprint ForOneStatement(IReadOnlyList<ScopedTable> tables) => new("", tables);

    public static Footprint Of(IReadOnlyCollection<ScopedTable> tables)
    {
        if (tables.Count == 0) return Empty;
        var ordered = tables.DistinctBy(table => table.Name, StringComparer.OrdinalIgnoreCase).OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        if (ordered.Exists(table => table.Source is RowSource.Parts { AreForOneStatement: true })) return ForOneStatement(ordered);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var table in ordered) hash.AppendData(Encoding.UTF8.GetBytes($"{table.Name}\0{table.Version}\0{table.Rendition}\0{table.Tail?.Number}\n"));
        return new Footprint(Convert.ToHexStringLower(hash.GetHashAndReset()), ordered);
    }
}
