using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Tokens;

/// <summary>Personal access tokens: for agents, the command line and anything without a browser.</summary>
internal static class TokensEndpoints
{
    public static void MapTokens(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/auth/tokens").WithTags("Tokens").SignedIn();
        own.MapPost("", CreateToken.HandleAsync).Produces<CreatedToken>(StatusCodes.Status201Created).PerMinute(CreateToken.PerMinuteMax).WithSummary("Create a token of your own; it is shown once.");
        own.MapGet("", ListTokens.Own).Produces<IReadOnlyList<TokenView>>().WithSummary("Your tokens, newest first, revoked ones included.");
        own.MapGet("/{id}", ListTokens.OneOfOwn).Produces<TokenView>().WithSummary("One of your tokens.");
        own.MapDelete("/{id}", RevokeToken.OwnAsync).Produces(StatusCodes.Status204NoContent).WithSummary("Revoke one of your tokens.");

        var all = routes.MapGroup("/auth/admin/tokens").WithTags("Tokens").Admin();
        all.MapGet("", ListTokens.All).Produces<IReadOnlyList<OwnedTokenView>>().WithSummary("Everybody's tokens.");
        all.MapDelete("/{id}", RevokeToken.AnyAsync).Produces(StatusCodes.Status204NoContent).WithSummary("Revoke anybody's token.");
    }
}
