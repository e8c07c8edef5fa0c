using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary>The tables that a caller may read, as lists show them.</summary>
internal static class CatalogEntries
{
    /// <summary>Grows with the tables that the caller may read, as any search over them does; it reads memory only.</summary>
    /// <param name="known">What sources said of tables that stay there.</param>
    public static IEnumerable<(CatalogEntry Entry, NamedTable Table)> Of(
        Snapshot snapshot, Caller caller, DateTime now, Func<TableRow?, TableMetadata?> known) =>
        Scopes.Tables(snapshot, caller).Select(table => (Of(snapshot, table, now, known(table.Row)), table));

    public static CatalogEntry Of(Snapshot snapshot, NamedTable table, DateTime now, TableMetadata? known)
    {
        var (row, published) = (table.Row, table.Published);
        return new CatalogEntry(
            table.Id ?? table.Name,
            table.Name,
            row?.Description ?? published?.Description,
            row?.SourceType ?? published?.Source ?? "unknown",
            row?.QueryMode ?? published?.QueryMode ?? "local",
            published?.Rows ?? known?.Rows,
            published?.Bytes ?? known?.SizeBytes,
            TableHealth.Of(snapshot, row, published, table.Name, now, known));
    }
}
