using System.Text.Json.Serialization;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tokens;

/// <summary>The answer that creates a token: the only one that ever holds it.</summary>
internal sealed record CreatedToken(string Id, string Name, string Prefix, string Token, string? ExpiresAt, string CreatedAt);

internal sealed record TokenView(string Id, string Name, string Prefix, string CreatedAt, string? ExpiresAt, string? LastUsedAt, string? RevokedAt)
{
    public static TokenView Of(TokenRow row, TokenUse? use) => new(
        row.Id, row.Name, row.Prefix, Timestamps.Spaced(row.CreatedAt), Timestamps.Spaced(row.ExpiresAt), Timestamps.Spaced(use?.At), Timestamps.Spaced(row.RevokedAt));
}

internal sealed record OwnedTokenView(
    string Id, string Name, string Prefix, string CreatedAt, string? ExpiresAt, string? LastUsedAt, string? RevokedAt, string UserId, string? UserEmail, string? LastUsedIp);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CreatedToken))]
[JsonSerializable(typeof(TokenView))]
[JsonSerializable(typeof(IReadOnlyList<TokenView>))]
[JsonSerializable(typeof(IReadOnlyList<OwnedTokenView>))]
internal sealed partial class TokensJson : JsonSerializerContext;
