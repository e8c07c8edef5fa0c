namespace Agnes.Server.Features.Statements.Pages;

/// <param name="Text">Null: somebody else's, whose text is not shown.</param>
/// <param name="User">Null: one's own.</param>
public sealed record StatementEntry(
    string Id, TimeSpan Running, IReadOnlyList<string> Tables, string? System, string? Text, string? User, string ApiHref);

/// <param name="ShowsAll">Everybody's; for admins.</param>
public sealed record StatementsModel(IReadOnlyList<StatementEntry> Statements, bool ShowsAll, bool MayShowAll);
