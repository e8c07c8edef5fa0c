using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tokens;

internal static class ListTokens
{
    public const string NotFound = "Token not found";

    public static IResult Own(HttpContext context, StateDb state)
    {
        var snapshot = context.Snapshot();
        IReadOnlyList<TokenView> views =
        [
            .. Newest(snapshot.TokenIdsOf(context.Caller().UserId).Select(id => snapshot.Token(id)!)).Select(row => TokenView.Of(row, state.LastUse(row.Id))),
        ];
        return JsonBody.Of(views, TokensJson.Default.IReadOnlyListTokenView);
    }

    public static IResult OneOfOwn(HttpContext context, StateDb state, string id) =>
        context.Snapshot().Token(id) is { } row && row.UserId == context.Caller().UserId
            ? JsonBody.Of(TokenView.Of(row, state.LastUse(id)), TokensJson.Default.TokenView)
            : Problem.NotFound(NotFound);

    public static IResult All(HttpContext context, StateDb state)
    {
        var snapshot = context.Snapshot();
        IReadOnlyList<OwnedTokenView> views = [.. Newest(snapshot.TokensById.Values).Select(row => Owned(snapshot, row, state.LastUse(row.Id)))];
        return JsonBody.Of(views, TokensJson.Default.IReadOnlyListOwnedTokenView);
    }

    private static OwnedTokenView Owned(Snapshot snapshot, TokenRow row, TokenUse? use)
    {
        var view = TokenView.Of(row, use);
        return new OwnedTokenView(
            view.Id, view.Name, view.Prefix, view.CreatedAt, view.ExpiresAt, view.LastUsedAt, view.RevokedAt, row.UserId, snapshot.User(row.UserId)?.Email, use?.Ip);
    }

    private static IOrderedEnumerable<TokenRow> Newest(IEnumerable<TokenRow> rows) =>
        rows.OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id, StringComparer.Ordinal);
}
