using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Tables.Pages;

/// <param name="Origin">Bucket and table at the source.</param>
/// <param name="Groups">How many were granted it.</param>
public sealed record TableLine(CatalogEntry Entry, string? Origin, string? Schedule, int Groups);

/// <param name="Total">Tables that match.</param>
public sealed record TablesModel(ListQuery Query, IReadOnlyList<TableLine> Rows, int Total, int Registered);
