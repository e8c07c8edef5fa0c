using Agnes.Server.Web;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary>One table of the list.</summary>
public sealed record CatalogEntry(string Id, string Name, string? Description, string Source, string Mode, long? Rows, long? Bytes, TableHealth Health)
{
    public string Href => Address(Id);

    /// <summary>Its rows stay at the source: nothing of it lies here.</summary>
    public bool IsElsewhere => Mode == "remote";

    public static string Address(string id) => $"/catalog/{Uri.EscapeDataString(id)}";
}

/// <param name="Total">Tables that match.</param>
/// <param name="Visible">Tables that the caller may read at all.</param>
public sealed record CatalogModel(ListQuery Query, IReadOnlyList<CatalogEntry> Entries, int Total, int Visible, IReadOnlyList<string> Sources, bool IsAdmin);
