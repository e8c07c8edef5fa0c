using Agnes.Server.Features.Home;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Tokens.Pages;

/// <summary>One's own tokens. Creating and revoking are calls of the API, made by the page's script.</summary>
internal static class TokensPages
{
    private static readonly TimeSpan SoonMax = TimeSpan.FromDays(7);

    public static void MapTokensPages(this IEndpointRouteBuilder routes) => routes.MapGet("/tokens", ShowTokens).ExcludeFromDescription().SignedIn();

    private static IResult ShowTokens(HttpContext context, StateDb state, ServerOptions options, TimeProvider time)
    {
        var (snapshot, caller, now) = (context.Snapshot(), context.Caller(), time.GetUtcNow().UtcDateTime);
        var all = snapshot.TokenIdsOf(caller.UserId).Select(id => snapshot.Token(id)!)
            .Select(row => new TokenEntry(row.Id, row.Name, row.Prefix, row.CreatedAt, row.ExpiresAt, state.LastUse(row.Id)?.At, StateOf(row, now)))
            .OrderByDescending(token => token.CreatedAt)
            .ToList();
        var showsEnded = context.Request.Query["all"] == "1";
        var active = all.Where(token => token.State is TokenState.Active or TokenState.Expiring).ToList();
        return Page.Show<TokensPage>(new TokensModel(
            showsEnded ? all : active,
            all.Count - active.Count,
            showsEnded,
            $"Laptop, {now:yyyy-MM-dd}",
            Connect.InitCommand(Connect.ServerUrl(context, options), "{token}"),
            caller.Kind != CallerKind.Token));
    }

    private static TokenState StateOf(TokenRow row, DateTime now) =>
        row.RevokedAt is not null ? TokenState.Revoked
        : row.ExpiresAt <= now ? TokenState.Expired
        : row.ExpiresAt <= now + SoonMax ? TokenState.Expiring
        : TokenState.Active;
}
