namespace Agnes.Server.Features.Tokens.Pages;

/// <summary>One token of the list; never the token itself.</summary>
public sealed record TokenEntry(string Id, string Name, string Prefix, DateTime CreatedAt, DateTime? ExpiresAt, DateTime? LastUsedAt, TokenState State)
{
    public string ApiHref => $"/auth/tokens/{Id}";
}

public enum TokenState
{
    Active,

    /// <summary>Within a week.</summary>
    Expiring,
    Expired,
    Revoked,
}

/// <param name="InitCommand">With <c>{token}</c> where the browser puts a fresh token; the server never renders one.</param>
/// <param name="CanCreate">Not for callers who came with a token.</param>
public sealed record TokensModel(IReadOnlyList<TokenEntry> Tokens, int Ended, bool ShowsEnded, string SuggestedName, string InitCommand, bool CanCreate);
